// What people do to runs through a server: begin them, ask something of them, read what they wrote,
// and give commands with --server as if the store was a folder.
//
//   node operate.mjs WEIR

import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {check, equal} from '../lib/check.mjs';
import {startServer} from '../lib/server.mjs';
import {Weir, withFolder} from '../lib/weir.mjs';

const bearer = (key) => ({Authorization: `Bearer ${key}`});

/// Waits for a file `go` in the folder of the test.
const waits = (folder) => ['sh', '-c', `while ! test -e '${folder}/go'; do sleep 0.05; done; echo '{"went": true}'`];

function writePipelines(folder) {
  const tool = {plugin_id: 'process', tool_id: 'run'};
  mkdirSync(join(folder, 'pipelines'));
  writeFileSync(join(folder, 'pipelines/wait.json'), JSON.stringify({
    id: 'wait', params: {day: {type: 'integer', default: 1}},
    nodes: [{id: 'first', ...tool, with: {command: waits(folder)}},
            {id: 'second', needs: ['first'], ...tool, with: {command: ['echo', '{"day": ${params.day}}']}}]}));
  writeFileSync(join(folder, 'pipelines/count.json'), JSON.stringify({
    id: 'count', nodes: [{id: 'x', ...tool, with: {command: ['sh', '-c', `echo once >> '${folder}/counted'`]}}]}));
  writeFileSync(join(folder, 'weir.yaml'), 'pipelines: [pipelines]\n');
  writeFileSync(join(folder, 'elsewhere.json'), JSON.stringify({
    id: 'elsewhere', nodes: [{id: 'x', ...tool, with: {command: ['touch', join(folder, 'was-run')]}}]}));
}

async function until(what, holds) {
  for (let i = 0; i < 600; ++i) {
    const found = await holds();
    if (found) return found;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`${what}: not within 30 s`);
}

await withFolder(async (folder) => {
  writePipelines(folder);
  const weir = new Weir(process.argv[2], join(folder, '.weir'));
  weir.ask(0, 'key', 'create', 'root', '--scope', 'admin');
  const key = (...words) => weir.ask(0, 'key', 'create', ...words).trim();
  const acme = key('acme', '--tenant', 'acme', '--scope', 'read', '--scope', 'operate', '--scope', 'write');
  const globex = key('globex', '--tenant', 'globex', '--scope', 'read', '--scope', 'operate', '--scope', 'write');
  const reader = key('reader', '--tenant', 'acme', '--scope', 'read');
  const all = key('all', '--scope', 'read', '--scope', 'operate');
  const server = await startServer(weir);
  const post = (path, json, who = acme, headers = {}) =>
    server.ask(`/api/v1${path}`, {json, headers: {...bearer(who), ...headers}});
  const get = (path, who = acme, headers = {}) =>
    server.ask(`/api/v1${path}`, {headers: {...bearer(who), ...headers}});
  try {
    // ---- a run ----------------------------------------------------------------------------------
    const begin = () => post('/pipelines/wait/runs', {params: {day: 7}, input: {of: 'test'}}, acme,
      {'Idempotency-Key': 'night'});
    const begun = await begin();
    equal(begun.status, 202);
    const run = begun.body.run_id;
    equal((await begin()).body.run_id, run);
    const many = await Promise.all(Array.from({length: 3}, () => post('/pipelines/count/runs', {}, acme, {'Idempotency-Key': 'three'})));
    equal(many.map((one) => [one.status, one.body.run_id]), many.map(() => [202, many[0].body.run_id]));
    await until('it ends', async () => (await get(`/runs/${many[0].body.run_id}`)).body.state === 'completed');
    equal(readFileSync(join(folder, 'counted'), 'utf8'), 'once\n');
    equal((await get('/runs?pipeline_id=wait')).body.items.map((one) => [one.run_id, one.state, one.tenant_id]),
      [[run, 'running', 'acme']]);
    equal((await get(`/runs/${run}/state`, globex)).status, 404);

    // A request comes from somewhere in a trace; what is no such place begins one.
    const traceOf = async (headers) => {
      const {status, body} = await post('/pipelines/count/runs', {}, acme, headers);
      equal(status, 202);
      const [first] = await until('the run has begun', async () => {
        const {items} = (await get(`/runs/${body.run_id}/events?event_type=pipeline_started`)).body;
        return items?.length > 0 && items;
      });
      return [first.trace_id, first.parent_span_id];
    };
    const [trace, parent] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];
    equal(await traceOf({traceparent: `00-${trace}-${parent}-01`}), [trace, parent]);
    equal(await traceOf({traceparent: `cc-${trace}-${parent}-01-what-comes-later`, tracestate: 'a=b'}), [trace, parent]);
    for (const wrong of [`00-${'0'.repeat(32)}-${parent}-01`, `00-${trace}-${'0'.repeat(16)}-01`, `ff-${trace}-${parent}-01`,
                         `00-${trace.toUpperCase()}-${parent}-01`, `00-${trace}-${parent}`, 'x']) {
      const [begun, above] = await traceOf({traceparent: wrong});
      check(/^[0-9a-f]{32}$/.test(begun) && begun !== trace && above === undefined, `${wrong}: ${begun} ${above}`);
    }
    const unknown = await post('/pipelines/nothing/runs', {});
    check(unknown.status === 404 && /no pipeline 'nothing'/.test(unknown.body.detail), unknown.text);
    equal((await post('/pipelines/wait/runs', {params: {day: 'monday'}})).status, 400);

    // ---- signals --------------------------------------------------------------------------------
    const signal = (json, who = acme) => post(`/runs/${run}/signals`, json, who);
    equal((await signal({type: 'pause', reason: 'to look'})).body.decision, 'accepted');
    const again = await signal({type: 'resume', signal_id: 's-1'});
    equal([again.status, again.body.decision], [200, 'accepted']);
    equal((await signal({type: 'resume', signal_id: 's-1'})).body.decision, 'accepted');
    equal((await signal({type: 'pause'}, reader)).status, 403);
    equal((await signal({type: 'pause'}, globex)).status, 404);
    equal((await signal({})).status, 400);
    equal((await signal({type: 'No!'})).status, 400);
    equal((await signal({type: 'pause', more: 1})).status, 400);
    equal((await signal({type: 'skip-step', node_id: '--store=/'})).status, 409);
    writeFileSync(join(folder, 'go'), '');
    await until('the run ends', async () => (await get(`/runs/${run}`)).body.state === 'completed');
    const late = await signal({type: 'pause'});
    equal([late.status, late.body.code], [409, 'RUN_TERMINAL']);
    const asked = (await get(`/runs/${run}/signals`)).body.items;
    equal(asked.filter((one) => one.signal_type === 'pause').length, 2);
    check(asked.every((one) => /^[0-9a-z]+$/.test(one.actor_id) && one.actor_id !== 'root'),
      `who asked: ${JSON.stringify(asked)}`);

    // ---- what must not be run -------------------------------------------------------------------
    for (const name of ['nowhere', '..%2Felsewhere.json', 'elsewhere.json',
                        encodeURIComponent(join(folder, 'elsewhere.json')), '--help']) {
      const refused = await post(`/pipelines/${name}/runs`, {});
      check(refused.status === 400 || refused.status === 404, `${name}: ${refused.status} ${refused.text}`);
    }
    equal((await post('/pipelines/wait/runs', {params: {day: 'x'}})).status, 400);
    equal((await post('/pipelines/wait/runs', {}, reader)).status, 403);
    check(!existsSync(join(folder, 'was-run')), 'a file was run that is not of the registry');

    // What the words of others could be taken for: each option is held to the server's list by the
    // command itself, whatever swallowed the word before it.
    for (const words of [['report', '--pipeline', '--', `--output=${folder}/written`], ['report', '-o', `${folder}/written`],
                         ['run', '--mode', '--', `--config=${folder}/elsewhere.json`, 'wait'],
                         ['run', '--set=day=1', '--', `--config=${folder}/elsewhere.json`, 'wait'],
                         ['logs', 'last', `-f-config=${folder}/elsewhere.json`], ['show', 'last', `--store=${folder}/x`],
                         ['show', 'last', '--tenant', 'globex'], ['run', 'wait', `--id=${run}`]]) {
      const refused = await post('/commands', {words});
      check(/"exit":2/.test(refused.text), `${words}: ${refused.text}`);
    }
    equal((await get(`/reports/${encodeURIComponent(`--output=${folder}/written`)}?pipeline=`)).status, 400);
    equal((await get(`/reports/${encodeURIComponent(`--output=${folder}/written`)}?pipeline=--`)).status, 400);
    check(!existsSync(join(folder, 'written')), 'a file was written');
    equal((await post('/commands', {words: ['signal', run, 'pause']}, reader)).status, 403);

    // ---- what it left ---------------------------------------------------------------------------
    const second = weir.ask(0, 'run', join(folder, 'pipelines/wait.json'), '--detach', '--tenant', 'acme').trim();
    await until('the second ends', async () => (await get(`/runs/${second}`)).body.state === 'completed');
    const compared = await get(`/runs/${run}/compare/${second}`);
    check(compared.status === 200, compared.text);
    check(/html/.test((await get(`/runs/${run}/compare/${second}?format=html`)).headers.get('content-type')), 'html');
    equal((await get(`/runs/${run}/compare/${second}`, globex)).status, 404);
    const summary = (await get('/reports/summary')).body;
    const others = (await get('/reports/summary', globex)).body;
    check(JSON.stringify(summary).includes('wait') && !JSON.stringify(others).includes('wait'), 'reports by tenant');
    equal((await get('/reports/nothing')).status, 400);
    equal((await get('/reports/summary?format=parquet')).status, 400);
    equal((await get('/status')).status, 200);
    equal((await get('/status', all)).status, 200);

    const [{definition_sha256: hash}] = weir.rows(
      `SELECT definition_sha256 FROM events WHERE event_type = 'pipeline_started' AND run_id = '${run}'`);
    const content = await get(`/artifacts/${hash}`);
    equal([content.status, JSON.parse(content.text).id], [200, 'wait']);
    equal((await get(`/artifacts/${hash}`, globex)).status, 404);
    // Who names a hash has not seen what it is of.
    equal((await server.ask('/api/v1/events', {headers: bearer(globex), json: {timestamp: '2026-11-30T12:00:00Z',
      event_type: 'artifact_written', pipeline_id: 'p', pipeline_type: 'dag', run_id: '0195e0a0-0000-7000-8000-00000000000b',
      artifact_path: 'x', artifact_sha256: hash, definition_sha256: hash}})).body.stored, 1);
    equal((await get(`/artifacts/${hash}`, globex)).status, 404);
    equal((await get(`/artifacts/${'0'.repeat(64)}`)).status, 404);
    equal((await get('/artifacts/..%2Fkeys.json')).status, 404);

    const first = await get(`/runs/${run}`);
    const tag = first.headers.get('etag');
    const unchanged = await get(`/runs/${run}`, acme, {'If-None-Match': tag});
    equal([unchanged.status, unchanged.text], [304, '']);
    equal((await get(`/runs/${second}`, acme, {'If-None-Match': tag})).status, 200);
    equal((await get(`/artifacts/${hash}`, acme, {'If-None-Match': `"${hash}"`})).status, 304);

    // ---- commands -------------------------------------------------------------------------------
    const at = (who, ...words) => {
      weir.env.WEIR_KEY = who;
      delete weir.env.WEIR_STORE;
      return weir.call('--server', server.url, ...words);
    };
    const here = (...words) => {
      weir.env.WEIR_STORE = weir.store;
      return weir.call(...words);
    };
    for (const words of [['runs'], ['show', run, '--json'], ['logs', run], ['trace', run], ['status', '--json'],
                         ['report', 'errors'], ['compare', run, second], ['show', 'nothing'],
                         ['sql', 'SELECT count(*) AS n FROM nodes', '--json']]) {
      const local = here(...words), remote = at(all, ...words);
      const steady = ({status, stdout, stderr}) => [status, stdout, stderr].map((text) =>
        `${text}`.replace(/"(at|now)": "[^"]*"|\d+ (events|ms|s)\b|\d\d:\d\d:\d\d/g, ''));
      equal(steady(remote), steady(local));
    }
    equal(at(acme, 'show', run).status, 0);
    equal(at(globex, 'show', run).status, 1);
    // What runs, and what happens, of one's own alone.
    for (const words of [['runs', '--json', '--limit=0'], ['status', '--json'], ['tail', '--json', '-n', '1000']]) {
      const [ours, theirs] = [at(acme, ...words), at(globex, ...words)];
      check(ours.status === 0 && ours.stdout.includes(run), `${words}: ${ours.stdout} ${ours.stderr}`);
      check(theirs.status === 0 && !theirs.stdout.includes(run), `${words} of another: ${theirs.stdout}`);
    }
    equal(at(all, 'sql', 'SELECT 1', '--format', 'parquet').status, 1);
    equal(at(reader, 'signal', run, 'pause').status, 2);
    equal(at(all, 'verify').status, 2);
    equal(at(all, 'report', '--output', '/tmp/x').status, 2);
    equal(at(all, 'run', 'wait', '--input', '@/etc/passwd').status, 2);
    equal(at(all, 'sql', "SELECT * FROM read_text('/etc/passwd')").status, 1);
    const third = at(all, 'run', 'wait', '--set', 'day=3');
    equal(third.status, 0);
    const followed = at(all, 'logs', third.stdout.trim(), '-f');
    check(/completed/.test(followed.stdout + followed.stderr), `followed: ${JSON.stringify(followed)}`);
    equal(at(all, 'signal', third.stdout.trim(), 'pause').status, 1);
    equal(at('weir_00000000_wrong', 'runs').status, 3);
    equal(await server.stop(), 0);
    check(/is there/.test(at(all, 'runs').stderr) || at(all, 'runs').status === 3, 'no server');

    here('runs');
    const audits = weir.rows(`SELECT actor_id, operation, outcome, tenant_id FROM events
                              WHERE event_type = 'audit' AND operation LIKE 'POST%' ORDER BY timestamp`);
    check(audits.some((one) => /pipelines\/wait\/runs$/.test(one.operation) && one.outcome === 'done' &&
                               one.tenant_id === 'acme'), `audits: ${JSON.stringify(audits)}`);
    check(audits.some((one) => /signals$/.test(one.operation) && one.outcome === 'denied'), 'refused signals');
    check(audits.some((one) => /commands$/.test(one.operation) && one.outcome === 'done'), 'commands');
  } finally {
    await server.kill();
  }
});
