// Every route of a server asked wrongly: other methods, types, encodings, bodies, ids and keys. It
// answers what is wrong and goes on; nothing that was not asked for is said or written.
//
//   node routes.mjs WEIR

import {connect} from 'node:net';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {check, equal} from '../lib/check.mjs';
import {startServer} from '../lib/server.mjs';
import {Weir, withFolder} from '../lib/weir.mjs';

const RUN = '0195e0a0-0000-7000-8000-000000000009';
const SECRET = 'what-only-acme-may-see';
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
/// In the place of what a path leaves open.
const SEGMENTS = ['x', '-', '--help', '%00', '%', '%zz', '..', '%2e%2e%2f%2e%2e%2fkeys.json', '%c3%28', "'; DROP VIEW runs; --",
  'a'.repeat(2000), RUN.slice(0, 35), `${RUN}0`, RUN.toUpperCase(), '0', '*', '@x', 'ü', '%F0%9F%92%A9', '\\', '%25', '+'];
const BODIES = ['', ' ', '{', '}', 'null', '0', '"x"', '[]', '{}', '[{}]', '[[[[]]]]', '{"words":[]}', '{"words":["runs",1]}',
  '{"words":["runs","--store","/"]}', '{"words":["exec","sh"]}', '{"query":1}', '{"query":"SELECT"}', '{"query":"COPY (SELECT 1) TO \'/tmp/weir-copied\'"}',
  '{"type":1}', '{"type":"pause","type":"resume"}', '{"input":[]}', '{"params":"x"}', '{"a":1e999}', '{"\u0000":1}', '\ufeff{}',
  '['.repeat(5000), '{"a":'.repeat(5000), '"' + 'x'.repeat(100_000), '\xff\xfe', `{"timestamp":"never","run_id":"${RUN}"}`];
const QUERIES = ['', '?', '?limit=0', '?limit=-1', '?limit=99999999999999999999', '?limit=x', '?cursor=x', '?cursor=00', '?cursor=5b5d',
  '?cursor=5b226122 2c2262225d', '?format=exe', '?format=', '?since=never', "?since='", '?state=%27%20OR%20%271%27=%271', '?%=1', '?a=%00',
  '?pipeline_id=' + 'x'.repeat(3000), '?day=-1', '?level=LOUD', '?topic=**..', '?run_id=1'];
const LENIENT = new Set([200, 202, 304]);

const bearer = (key) => ({Authorization: `Bearer ${key}`});

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
  const key = (...words) => weir.ask(0, 'key', 'create', ...words).trim();
  const acme = key('acme', '--tenant', 'acme', '--scope', 'read', '--scope', 'write');
  const globex = key('globex', '--tenant', 'globex', '--scope', 'read', '--scope', 'write', '--scope', 'operate');
  const writer = key('writer', '--scope', 'write');
  const server = await startServer(weir);
  const counts = {};
  /// Asks, sees that the answer is one that the request may get, and gives it.
  const ask = async (path, options, allowed) => {
    const answer = await server.ask(path, options);
    counts[answer.status] = (counts[answer.status] ?? 0) + 1;
    check(allowed(answer.status), `${options.method} ${path} ${options.body?.slice?.(0, 80)}: ${answer.status} ${answer.text.slice(0, 300)}`);
    check(!answer.text.includes(SECRET) && !answer.text.includes(weir.store), `${path} says: ${answer.text.slice(0, 300)}`);
    const isProblem = answer.status >= 400 && answer.status !== 405 && /problem/.test(answer.headers.get('content-type'));
    if (isProblem) equal(answer.body.status, answer.status);
    return answer;
  };
  try {
    const made = await server.ask('/api/v1/events', {method: 'POST', headers: {...bearer(acme), 'Content-Type': 'application/x-ndjson'},
      body: JSON.stringify({timestamp: '2026-11-30T12:00:00Z', event_type: 'log', pipeline_id: 'p', run_id: RUN, message: SECRET})});
    equal(made.body.stored, 1);
    const {body: document} = await server.ask('/api/v1/openapi.json');
    const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({path, method: method.toUpperCase(), operation})));
    const wrong = (status) => status >= 400 && status < 500;
    const notOurFault = (status) => wrong(status) || LENIENT.has(status);

    for (const {path, method, operation} of routes) {
      if (path.endsWith('/stream')) continue;  // goes on for ever
      const types = Object.keys(operation.requestBody?.content ?? {});
      const at = (segment) => path.replace(/\{.*?\}/g, () => segment);
      const known = Object.keys(document.paths[path]).map((one) => one.toUpperCase());
      const isOpen = operation.security.length === 0;
      for (const other of METHODS.filter((one) => !known.includes(one))) {
        await ask(at(RUN), {method: other, headers: bearer(globex)}, (status) => status === 405);
      }
      if (!isOpen) {
        await ask(at(RUN), {method}, (status) => status === 401);
        await ask(at(RUN), {method, headers: bearer('weir_00000000_x')}, (status) => status === 401);
        if (operation['x-weir-scope'] !== 'write') {
          await ask(at(RUN), {method, headers: bearer(writer)}, (status) => status === 403);
        }
      }
      // As a stranger to whom nothing of it belongs.
      for (const segment of path.includes('{') ? [RUN, ...SEGMENTS] : ['']) {
        const body = types.length > 0 ? '{}' : undefined;
        const headers = {...bearer(globex), ...(types.length > 0 ? {'Content-Type': types[0]} : {})};
        await ask(at(segment), {method, headers, body}, notOurFault);
      }
      if (method === 'GET') {
        for (const query of QUERIES) await ask(at(RUN) + query, {method, headers: bearer(globex)}, notOurFault);
      }
      if (types.length === 0) continue;
      for (const type of types) {
        for (const body of BODIES) {
          await ask(at(RUN), {method, headers: {...bearer(globex), 'Content-Type': type}, body}, notOurFault);
        }
      }
      await ask(at(RUN), {method, headers: {...bearer(globex), 'Content-Type': 'text/html'}, body: '{}'}, (status) => status === 415);
      for (const [encoding, body, status] of [['br', '{}', 415], ['gzip', 'no gzip', 400], ['gzip', gzipSync('{').subarray(0, 9), 400]]) {
        await ask(at(RUN), {method, headers: {...bearer(globex), 'Content-Type': types[0], 'Content-Encoding': encoding}, body},
          (found) => found === status);
      }
      const bomb = gzipSync(Buffer.alloc(70 << 20, ' '));
      await ask(at(RUN), {method, headers: {...bearer(globex), 'Content-Type': types[0], 'Content-Encoding': 'gzip'}, body: bomb},
        (status) => status === 413);
    }

    // What is no HTTP, or only looks like it.
    const host = 'Host: x\r\n';
    for (const [bytes, statuses] of [
      ['\r\n\r\n', [0, 400]], ['GET\r\n\r\n', [0, 400]], ['GET / HTTP/9.9\r\n\r\n', [0, 400, 505]], ['\x16\x03\x01\x00\x05hello', [0, 400]],
      [`GET nowhere HTTP/1.1\r\n${host}\r\n`, [400]], [`GET /%00 HTTP/1.1\r\n${host}\r\n`, [400]], [`GET /${'a'.repeat(100_000)} HTTP/1.1\r\n${host}\r\n`, [400, 414, 431]],
      [`GET / HTTP/1.1\r\n${host}X: ${'a'.repeat(100_000)}\r\n\r\n`, [431]], [`GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(20_000)}\r\n`, [431]],
      [`POST /api/v1/events HTTP/1.1\r\n${host}Content-Length: -1\r\n\r\n`, [400]],
      [`POST /api/v1/events HTTP/1.1\r\n${host}Content-Length: 99999999999999999999\r\n\r\n`, [400]],
      [`POST /api/v1/events HTTP/1.1\r\n${host}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, [400, 401]],
      [`POST /api/v1/events HTTP/1.1\r\n${host}Authorization: Bearer ${globex}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`, [0, 400]],
      [`POST /api/v1/events HTTP/1.1\r\n${host}Authorization: Bearer ${globex}\r\nContent-Type: application/json\r\nContent-Length: 70000000\r\n\r\n`, [413]],
      [`GET /healthz HTTP/1.1\r\n${host}${host}\r\n`, [200, 400]], ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [0, 400, 505]]]) {
      const status = await raw(server, bytes);
      check(statuses.includes(status), `${JSON.stringify(bytes.slice(0, 90))}: ${status}`);
    }

    equal((await server.ask('/healthz')).status, 200);
    const events = async (who) => (await server.ask('/api/v1/sql', {headers: bearer(who),
      json: {query: "SELECT event_type, count(*) AS n FROM events WHERE event_type != 'audit' GROUP BY ALL ORDER BY ALL"}})).body.rows;
    equal(await events(acme), [['log', 1]]);
    equal(await events(globex), []);
    equal(await server.stop(), 0);
    check(!server.complained.includes(SECRET), server.complained);
    const kinds = Object.keys(counts).length, all = Object.values(counts).reduce((a, b) => a + b);
    console.log(`figures: ${routes.length} routes, ${all} requests, answered with ${JSON.stringify(counts)}`);
    check(kinds >= 7 && all > 1000, 'too few were tried');
  } finally {
    await server.kill();
  }
});
