// Every route of a server asked wrongly: other methods, types, encodings, bodies, ids, queries and keys.
// Each gets the status that its mistake has, and nothing that was not asked for is said or written.
// What is answered is what the description of the API says.
//
//   node routes.mjs WEIR

import {mkdirSync, writeFileSync} from 'node:fs';
import {connect} from 'node:net';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {check, equal} from '../lib/check.mjs';
import {Description} from '../lib/openapi.mjs';
import {startServer} from '../lib/server.mjs';
import {Weir, withFolder} from '../lib/weir.mjs';

const THEIRS = '0195e0a0-0000-7000-8000-000000000009';
const OURS = '0195e0a0-0000-7000-8000-00000000000a';
const SECRET = 'what-only-acme-may-see';
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
/// In the place of what a path leaves open: nothing is there.
const SEGMENTS = [THEIRS, 'x', '-', '--help', '%2e%2e%2f%2e%2e%2fkeys.json', '%c3%28', "'; DROP VIEW runs; --",
  'a'.repeat(2000), THEIRS.slice(0, 35), `${THEIRS}0`, THEIRS.toUpperCase(), '0', '*', '@x', 'ü', '%F0%9F%92%A9', '%25', '+'];
/// No path at all.
const NO_PATHS = ['%00', '%', '%zz', '%2'];
const BODIES = ['', ' ', '{', '}', 'null', '0', '"x"', '[]', '{}', '[{}]', '[[[[]]]]', '{"words":[]}', '{"words":["runs",1]}',
  '{"words":["exec","sh"]}', '{"words":"runs"}', '{"query":1}', '{"query":"SELECT"}', '{"query":"COPY (SELECT 1) TO \'/tmp/weir-copied\'"}',
  '{"query":"SELECT 1","max_rows":0}', '{"query":"SELECT 1","timeout":"x"}', '{"query":"SELECT 1","more":1}',
  '{"type":1}', '{"type":"No!"}', '{"type":"pause","wait_seconds":61}', '{"type":"pause","node_id":1}', '{"input":[]}', '{"params":"x"}',
  '{"params":{"a=b":1}}', '{"a":1e999}', '{"\u0000":1}', '\ufeff{}', '['.repeat(5000), '{"a":'.repeat(5000), '"' + 'x'.repeat(100_000),
  '\xff\xfe', `{"timestamp":"never","run_id":"${THEIRS}"}`];
const QUERIES = ['', '?', '?limit=0', '?limit=-1', '?limit=99999999999999999999', '?limit=x', '?limit=', '?limit=1&limit=2', '?cursor=x', '?cursor=00',
  '?cursor=5b5d', '?cursor=5b226122%202c2262225d', '?format=exe', '?format=', '?since=never', "?since='", '?since=', '?until=x', '?from=x', '?to=-1',
  '?from_step=x', '?to_step=-1', '?state=%27%20OR%20%271%27=%271', '?state=bogus', '?status=ok', '?pipeline_type=bogus', '?%=1', '?a=%00', '?a=b', '?=',
  '?node_id=' + 'x'.repeat(3000), '?day=-1', '?level=LOUD', '?event_type=No', '?topic=**..', '?run_id=1', '?tenant=acme', '?order=up'];
const TIMES = new Set(['since', 'until', 'from', 'to']);

const bearer = (key) => ({Authorization: `Bearer ${key}`});

function parsed(body) {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

/// The status of a query that none of ours would send; nothing: it is a good one.
function statusOfQuery({path, operation}, query) {
  if (query === '' || query === '?') return undefined;
  if (/%(?![0-9a-f]{2})|%00/i.test(query)) return 400;  // no target at all
  if (path === '/api/v1/cookbook/{name}' || operation.security.length === 0) return undefined;
  const names = [];
  for (const [name, value] of new URLSearchParams(query)) {
    const known = operation.parameters?.find((one) => one.in === 'query' && one.name === name);
    if (known === undefined || names.includes(name)) return 400;
    names.push(name);
    if (known.schema.enum && !known.schema.enum.includes(value)) return 400;
    if (known.schema.type === 'integer' && !/^\d{1,18}$/.test(value)) return 400;
    if (name === 'limit' && !path.includes('reports') && value === '0') return 400;
    if (TIMES.has(name) && (value !== '' || !path.includes('reports'))) return 400;
    if (['cursor', 'topic', 'run_id', 'day'].includes(name)) return 400;
    if (name === 'event_type' && value === 'No') return 400;
  }
  return undefined;
}

/// The status of a body, of a request in which nothing else is wrong.
function statusOfBody({path}, type, body) {
  const value = parsed(body);
  if (path.startsWith('/v1/')) {
    // What OTLP does not know in it is passed over.
    if (type === 'application/json') return isObject(value) ? 200 : 400;
    return body === '' ? 200 : 400;
  }
  // One bad event never costs its batch; alone it is all that was wrong.
  if (/lineage|batch/.test(path)) return Array.isArray(value) ? 200 : isObject(value) ? 400 : [200, 400];
  if (path === '/api/v1/events') return body === '[]' ? 200 : 400;
  if (path.endsWith('/resume')) return body === '' || body === '{}' ? 409 : 400;
  if (path.startsWith('/api/v1/pipelines/')) return body === '' || body === '{}' ? 404 : 400;
  // Whether a signal is one, says whoever runs the run.
  if (path.endsWith('/signals') && body === '{"type":"No!"}') return 409;
  return 400;
}

/// Sends bytes as they are, and gives the status that comes back; nothing when the connection is closed.
function raw(server, bytes) {
  return new Promise((done) => {
    const {hostname, port} = new URL(server.url);
    let text = '';
    const socket = connect(Number(port), hostname, () => socket.end(bytes));
    socket.setTimeout(20_000, () => socket.destroy());
    socket.setEncoding('latin1').on('data', (more) => { text += more; });
    socket.on('error', () => {});
    socket.on('close', () => done(Number(/^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1] ?? 0)));
  });
}

await withFolder(async (folder) => {
  const weir = new Weir(process.argv[2], join(folder, '.weir'));
  mkdirSync(join(folder, 'pipelines'));
  writeFileSync(join(folder, 'weir.yaml'), 'pipelines: [pipelines]\n');
  writeFileSync(join(folder, 'pipelines/one.json'), JSON.stringify({id: 'one', nodes: [
    {id: 'x', plugin_id: 'process', tool_id: 'run', with: {command: ['echo', '{}']}}]}));
  const key = (...words) => weir.ask(0, 'key', 'create', ...words).trim();
  const acme = key('acme', '--tenant', 'acme', '--scope', 'read', '--scope', 'write');
  const globex = key('globex', '--tenant', 'globex', '--scope', 'read', '--scope', 'write', '--scope', 'operate');
  const only = Object.fromEntries(['read', 'write', 'operate'].map((scope) => [scope, key(scope, '--tenant', 'globex', '--scope', scope)]));
  const server = await startServer(weir);
  const counts = {}, failures = [];
  const description = new Description((await server.ask('/api/v1/openapi.json')).body);
  /// Asks, and sees that the answer has this status, is one that is declared, and says nothing of others.
  const ask = async (route, path, options, expected) => {
    const answer = await server.ask(path, {...options, method: options.method ?? route.method});
    counts[answer.status] = (counts[answer.status] ?? 0) + 1;
    const what = `${options.method ?? route.method} ${path.slice(0, 200)} ${options.headers?.['Content-Type'] ?? ''} ${JSON.stringify(options.body?.slice?.(0, 80) ?? '')}`;
    const says = `${answer.status} ${answer.text.slice(0, 300)}`;
    if (![expected].flat().includes(answer.status)) failures.push(`${what}: ${says}, not ${expected}`);
    check(!answer.text.includes(SECRET) && !answer.text.includes(weir.store), `${what} says: ${says}`);
    const wrong = answer.status === 405 ? undefined : description.wrong(route, answer);
    if (wrong) failures.push(`${what}: ${wrong}`);
    if (answer.status >= 400 && answer.headers.get('content-type') === 'application/problem+json') {
      equal(answer.body.status, answer.status);
      check(answer.body.detail !== '', `${what} gives no reason`);
    }
    return answer;
  };
  try {
    for (const [who, run] of [[acme, THEIRS], [globex, OURS]]) {
      const made = await server.ask('/api/v1/events', {method: 'POST', headers: {...bearer(who), 'Content-Type': 'application/x-ndjson'},
        body: JSON.stringify({timestamp: '2026-11-30T12:00:00Z', event_type: 'log', pipeline_id: 'p', run_id: run, message: who === acme ? SECRET : 'ours'})});
      equal(made.body.stored, 1);
    }
    const routes = description.routes();
    for (const route of routes) {
      const {path, method, operation} = route;
      const types = Object.keys(operation.requestBody?.content ?? {});
      const at = (segment) => path.replace(/\{.*?\}/g, () => segment);
      const hasPlace = path.includes('{');
      const known = Object.keys(description.document.paths[path]).map((one) => one.toUpperCase());
      const isOpen = operation.security.length === 0, scope = operation['x-weir-scope'];
      const typed = types.length > 0 ? {'Content-Type': types[0]} : {};
      const send = (who, more = {}) => ({headers: {...(who ? bearer(who) : {}), ...typed}, ...(types.length > 0 ? {body: '{}'} : {}), ...more});
      for (const other of METHODS.filter((one) => !known.includes(one))) {
        await ask(route, at(THEIRS), {method: other, headers: bearer(globex)}, 405);
      }
      if (!isOpen) {
        await ask(route, at(THEIRS), send(null), 401);
        await ask(route, at(THEIRS), send('weir_00000000_x'), 401);
        for (const [name, who] of Object.entries(only)) {
          if (name !== scope) await ask(route, at(THEIRS), send(who), 403);
        }
      }
      if (path.endsWith('/stream')) {  // goes on for ever
        for (const query of QUERIES.filter((one) => statusOfQuery(route, one))) await ask(route, path + query, send(globex), 400);
        continue;
      }
      // As a stranger to whom nothing of it belongs, and of what is not there.
      const nothing = path.includes('/reports/') ? 400 : 404;
      for (const segment of hasPlace ? SEGMENTS : []) {
        // In a command's words it would be a file.
        const isFile = segment.startsWith('@') && path.startsWith('/api/v1/pipelines/');
        await ask(route, at(segment), send(globex), isFile ? 400 : nothing);
      }
      for (const segment of hasPlace ? NO_PATHS : []) await ask(route, at(segment), send(globex), 400);
      if (method === 'GET') {
        for (const query of QUERIES) {
          const expected = statusOfQuery(route, query) ?? (hasPlace ? nothing : 200);
          const answer = await ask(route, at(THEIRS) + query, send(globex), expected);
          check(answer.status !== 200 || !answer.text.includes(THEIRS), `${path}${query} tells of a run of others`);
        }
        continue;
      }
      for (const type of types) {
        const headers = {...bearer(globex), 'Content-Type': type};
        for (const body of BODIES) await ask(route, at(OURS), {headers, body}, statusOfBody(route, type, body));
      }
      if (hasPlace) await ask(route, `${at(OURS)}?a=b`, send(globex), 400);
      await ask(route, at(OURS), {headers: {...bearer(globex), 'Content-Type': 'text/html'}, body: '{}'}, 415);
      await ask(route, at(OURS), {headers: bearer(globex), body: Buffer.from('{}')}, 415);
      for (const [encoding, body, status] of [['br', '{}', 415], ['gzip', 'no gzip', 400], ['gzip', gzipSync('{').subarray(0, 9), 400],
                                              ['gzip', gzipSync(Buffer.alloc(70 << 20, ' ')), 413]]) {
        await ask(route, at(OURS), {headers: {...bearer(globex), ...typed, 'Content-Encoding': encoding}, body}, status);
      }
    }

    // What is asked well is answered as it is described, too.
    const good = async (method, path, template, options = {}, expected = 200) => {
      const answer = await ask({method, path: template}, path, {headers: {...bearer(globex), ...(options.body ? {'Content-Type': 'application/json'} : {})}, ...options}, expected);
      return answer.body;
    };
    const {run_id: run} = await good('POST', '/api/v1/pipelines/one/runs', '/api/v1/pipelines/{pipeline_id}/runs', {body: '{}'}, 202);
    for (let i = 0; (await good('GET', `/api/v1/runs/${run}`, '/api/v1/runs/{run_id}')).state !== 'completed'; ++i) {
      check(i < 300, 'the run does not end');
      await new Promise((done) => setTimeout(done, 100));
    }
    await good('POST', `/api/v1/runs/${run}/signals`, '/api/v1/runs/{run_id}/signals', {body: '{"type":"pause"}'}, 409);
    for (const part of ['events', 'nodes', 'attempts', 'spans', 'artifacts', 'signals']) {
      const {items} = await good('GET', `/api/v1/runs/${run}/${part}`, `/api/v1/runs/{run_id}/${part}`);
      check(items.length > 0 || part === 'artifacts', `${part}: none`);
    }
    await good('GET', `/api/v1/runs/${run}/state`, '/api/v1/runs/{run_id}/state');
    await good('GET', `/api/v1/runs/${run}/compare/${OURS}`, '/api/v1/runs/{run_id}/compare/{other}');
    for (const kind of ['summary', 'daily', 'agents', 'errors', 'metrics']) {
      await good('GET', `/api/v1/reports/${kind}`, '/api/v1/reports/{kind}');
      await good('GET', `/api/v1/reports/${kind}?format=md`, '/api/v1/reports/{kind}');
    }
    await good('GET', '/api/v1/cookbook/failures', '/api/v1/cookbook/{name}');
    await good('POST', '/api/v1/sql', '/api/v1/sql', {body: '{"query":"SELECT 1 AS a, [1] AS b, NULL AS c"}'});
    await good('POST', '/api/v1/sql', '/api/v1/sql', {body: '{"query":"SELECT 1"}', headers: {...bearer(globex), 'Content-Type': 'application/json', Accept: 'text/csv'}});
    await good('POST', '/api/v1/commands', '/api/v1/commands', {body: '{"words":["runs"]}'});
    await good('POST', '/api/v1/commands', '/api/v1/commands', {body: '{"words":["runs","--store","/"]}'});
    const {definition_sha256: hash} = (await good('GET', `/api/v1/runs/${run}/events?event_type=pipeline_started`, '/api/v1/runs/{run_id}/events')).items[0];
    await good('GET', `/api/v1/artifacts/${hash}`, '/api/v1/artifacts/{sha256}');
    await ask({method: 'GET', path: '/api/v1/artifacts/{sha256}'}, `/api/v1/artifacts/${hash}`, {headers: bearer(acme)}, 404);
    const unused = Object.entries(description.document.components.schemas).filter(([, schema]) => JSON.stringify(schema) === '{}');
    equal(unused, []);
    for (const {path, method, operation} of routes) {
      const contents = [operation.requestBody?.content, ...Object.values(operation.responses).map((one) => one.content)].filter(Boolean);
      for (const {schema} of contents.flatMap(Object.values)) check(JSON.stringify(schema) !== '{}', `${method} ${path} has no schema`);
    }

    // What is no HTTP, or only looks like it.
    const host = 'Host: x\r\n', bodyOf = (more) => `POST /api/v1/events HTTP/1.1\r\n${host}Authorization: Bearer ${globex}\r\nContent-Type: application/json\r\n${more}`;
    for (const [bytes, ...statuses] of [
      ['\r\n\r\n', 0, 400], ['GET\r\n\r\n', 400], ['GET / HTTP/9.9\r\n\r\n', 400, 505], ['\x16\x03\x01\x00\x05hello', 0, 400],
      [`GET nowhere HTTP/1.1\r\n${host}\r\n`, 400], [`GET /%00 HTTP/1.1\r\n${host}\r\n`, 400], [`GET /${'a'.repeat(100_000)} HTTP/1.1\r\n${host}\r\n`, 400, 414, 431],
      [`GET / HTTP/1.1\r\n${host}X: ${'a'.repeat(100_000)}\r\n\r\n`, 431], [`GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(20_000)}\r\n`, 431],
      [`POST /api/v1/events HTTP/1.1\r\n${host}Content-Length: -1\r\n\r\n`, 400],
      [`POST /api/v1/events HTTP/1.1\r\n${host}Content-Length: 99999999999999999999\r\n\r\n`, 400],
      [`POST /api/v1/events HTTP/1.1\r\n${host}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400, 401],
      [bodyOf('Transfer-Encoding: chunked\r\n\r\nzz\r\n'), 0, 400], [bodyOf('Content-Length: 70000000\r\n\r\n'), 413],
      [`GET /healthz HTTP/1.1\r\n${host}${host}\r\n`, 200, 400], ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 0, 400, 505],
      [`GET /api/v1/runs/../../healthz HTTP/1.1\r\n${host}\r\n`, 404], [`GET /api/v1//runs HTTP/1.1\r\n${host}\r\n`, 404]]) {
      const status = await raw(server, bytes);
      check(statuses.includes(status), `${JSON.stringify(bytes.slice(0, 90))}: ${status}`);
    }

    check(failures.length === 0, `${failures.length} answers are wrong:\n${failures.join('\n')}`);
    equal((await server.ask('/healthz')).status, 200);
    const events = async (who) => (await server.ask('/api/v1/sql', {headers: bearer(who),
      json: {query: `SELECT event_type, count(*) AS n FROM events WHERE pipeline_id NOT IN ('weir', 'one') GROUP BY ALL ORDER BY ALL`}})).body.rows;
    equal(await events(acme), [['log', 1]]);
    equal(await events(globex), [['log', 1]]);
    equal(await server.stop(), 0);
    check(!server.complained.includes(SECRET), server.complained);
    const kinds = Object.keys(counts).length, all = Object.values(counts).reduce((a, b) => a + b);
    console.log(`figures: ${routes.length} routes, ${all} requests, answered with ${JSON.stringify(counts)}; schemas: ${[...description.used].sort().join(', ')}`);
    check(kinds >= 9 && all > 1000, 'too few were tried');
  } finally {
    await server.kill();
  }
});
