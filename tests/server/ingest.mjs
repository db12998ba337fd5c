// What is posted to a server is in the store when it answers: once, whatever is wrong beside it.
//
//   node ingest.mjs WEIR

import {gzipSync} from 'node:zlib';
import {connect} from 'node:net';
import {join} from 'node:path';
import {check, equal} from '../lib/check.mjs';
import {startServer} from '../lib/server.mjs';
import {Weir, withFolder} from '../lib/weir.mjs';

const RUN = '0195e0a0-0000-7000-8000-000000000001';
const event = (message, more = {}) => ({
  timestamp: '2026-11-30T12:00:00.5+01:00', event_type: 'log', level: 'INFO', pipeline_id: 'night',
  run_id: RUN, message, event_id: message, ...more,
});
const lines = (...events) => events.map((one) => JSON.stringify(one) + '\n').join('');
const NDJSON = {'Content-Type': 'application/x-ndjson'};

async function takesEvents(server, weir) {
  const post = (body, headers = NDJSON) =>
    server.ask('/api/v1/events', {method: 'POST', body, headers});
  equal((await post(lines(event('a'), event('b')))).body,
        {stored: 2, duplicates: 0, rejected: 0, errors: [], rejected_indices: []});
  equal((await post(lines(event('b'), event('c')))).body,
        {stored: 1, duplicates: 1, rejected: 0, errors: [], rejected_indices: []});
  const mixed = await post(lines(event('d')) + '{"broken\n' + lines(event('e', {timestamp: 7})));
  equal(mixed.status, 200);
  equal([mixed.body.stored, mixed.body.rejected], [1, 2]);
  check(/^line 2: /.test(mixed.body.errors[0].reason), mixed.text);
  check(/^line 3: .*timestamp/.test(mixed.body.errors[1].reason), mixed.text);
  const wrong = await post('{"broken\n');
  equal([wrong.status, wrong.body.rejected], [400, 1]);
  check(/problem/.test(wrong.headers.get('content-type')), 'no problem');
  equal((await post(JSON.stringify([event('f'), event('g')]),
                    {'Content-Type': 'application/json'})).body.stored, 2);
  equal((await post(gzipSync(lines(event('h'))), {...NDJSON, 'Content-Encoding': 'gzip'}))
        .body.stored, 1);
  // What was answered is in the next question's answer.
  equal(weir.rows(`SELECT message FROM logs WHERE run_id = '${RUN}' ORDER BY message`)
        .map((row) => row.message), ['a', 'b', 'c', 'd', 'f', 'g', 'h']);
  const [row] = weir.rows(`SELECT * FROM events WHERE message = 'a'`);
  equal([row.timestamp, row.pipeline_type], ['2026-11-30 11:00:00.500000', 'external']);
}

/// However many there are: a hundred with their reasons, and where all of them stand.
async function saysAllThatItRejects(server) {
  const other = (message) => event(message, {run_id: RUN.replace(/1$/, '2')});
  const {body} = await server.ask('/api/v1/events', {
    method: 'POST', headers: NDJSON,
    body: lines(other('i')) + 'wrong\n'.repeat(150) + lines(other('j')) + 'wrong\n'});
  equal([body.stored, body.rejected, body.errors.length, body.rejected_indices],
        [2, 151, 100, [[1, 150], [152, 152]]]);
  const good = {eventType: 'START', eventTime: '2026-11-30T12:00:00Z', run: {runId: RUN.replace(/1$/, '3')},
                job: {namespace: 'n', name: 'j'}};
  const lineage = (sent) => server.ask('/api/v1/lineage', {
    method: 'POST', headers: {'Content-Type': 'application/json'}, body: sent});
  for (const [sent, reason] of [['{"run":{}}', /eventTime/], ['not json at all', /no JSON/]]) {
    const wrong = await lineage(sent);
    equal([wrong.status, wrong.body.status, wrong.body.summary.failed, wrong.body.rejected_indices],
          [400, 'failure', 1, [[0, 0]]]);
    check(reason.test(wrong.body.failed_events[0].reason), wrong.text);
  }
  const batch = await lineage(JSON.stringify([good, {run: {}}, {}]));
  equal([batch.status, batch.body.status, batch.body.summary.successful, batch.body.rejected_indices],
        [200, 'partial_success', 1, [[1, 2]]]);
  equal((await lineage('[{"run":{}}]')).status, 200);
}

/// Of events without keys of their own the request is known: all of what it says.
async function losesNothingToAKey(server) {
  const keyless = (message) => lines(event(message, {run_id: RUN.replace(/1$/, '4'), event_id: undefined}));
  const post = async (body, key) => {
    const answer = await server.ask('/api/v1/events', {
      method: 'POST', body, headers: {...NDJSON, ...(key === undefined ? {} : {'Idempotency-Key': key})}});
    return [answer.body.stored, answer.body.duplicates];
  };
  equal(await post(keyless('one'), 'K'), [1, 0]);
  equal(await post(keyless('one'), 'K'), [0, 1]);
  equal(await post(keyless('two'), 'K'), [1, 0]);
  equal(await post(keyless('one'), 'L'), [1, 0]);
  equal(await post(keyless('one')), [1, 0]);
  equal(await post(keyless('one')), [0, 1]);
}

async function refusesWhatIsWrong(server) {
  const ask = (path, options) => server.ask(path, options);
  const post = (body, headers) => ask('/api/v1/events', {method: 'POST', body, headers});
  equal((await ask('/nothing')).status, 404);
  const get = await ask('/api/v1/events');
  equal([get.status, get.headers.get('allow')], [405, 'POST']);
  equal((await post('x', {'Content-Type': 'text/plain'})).status, 415);
  equal((await post('x', {...NDJSON, 'Content-Encoding': 'br'})).status, 415);
  equal((await post('no gzip', {...NDJSON, 'Content-Encoding': 'gzip'})).status, 400);
  equal((await post('', NDJSON)).status, 400);
  equal((await post(Buffer.alloc((64 << 20) + 1, 0x20), NDJSON)).status, 413);
  // A bomb is as large as it becomes.
  equal((await post(gzipSync(Buffer.alloc(65 << 20, 0x20)),
                    {...NDJSON, 'Content-Encoding': 'gzip'})).status, 413);
  equal((await ask('/api/v1/runs?limit=0')).status, 400);
  equal((await ask('/api/v1/runs/none')).status, 404);
  equal((await ask('/api/v1/sql', {json: {query: 'DROP TABLE x'}})).status, 400);
}

/// Sends bytes as they are, and gives what came back until the connection ended.
function sent(server, text) {
  const {port} = new URL(server.url);
  return new Promise((done, failed) => {
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.setEncoding('utf8').on('data', (more) => { answer += more; });
    socket.on('close', () => done(answer));
    socket.on('error', failed);
  });
}

async function refusesWhatIsNoHttp(server) {
  check((await sent(server, 'nonsense\r\n\r\n')).startsWith('HTTP/1.1 400 '), 'nonsense');
  const long = `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`;
  check((await sent(server, long)).startsWith('HTTP/1.1 431 '), 'long headers');
  const other = await sent(
      server, 'GET /api/v1/runs HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n');
  check(other.startsWith('HTTP/1.1 403 '), 'another name for this machine');
  const pipelined = await sent(server, 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'
      + 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  equal(pipelined.match(/HTTP\/1\.1 200 OK/g).length, 2);
}

async function answersQuestions(server) {
  const runs = await server.ask('/api/v1/runs?limit=1');
  equal(runs.body.items[0].run_id, RUN);
  const first = await server.ask(`/api/v1/runs/${RUN}/events?limit=3`);
  equal(first.body.items.map((one) => one.message), ['a', 'b', 'c']);
  // While more arrives, nothing is given twice or left out.
  await server.ask('/api/v1/events', {method: 'POST', body: lines(event('late')), headers: NDJSON});
  const second = await server.ask(`/api/v1/runs/${RUN}/events?limit=100&cursor=${first.body.next}`);
  equal(second.body.items.map((one) => one.message), ['d', 'f', 'g', 'h', 'late']);
  equal(second.body.next, null);
  const sql = await server.ask('/api/v1/sql', {json: {
    query: `SELECT count(*) AS n FROM logs WHERE message = getvariable('m')`, parameters: {m: 'a'}}});
  equal(sql.body, {columns: ['n'], rows: [[1]], is_all: true, left_out: []});
  const cut = await server.ask('/api/v1/sql', {json: {query: 'FROM range(10)', max_rows: 3}});
  equal([cut.body.rows.length, cut.body.is_all], [3, false]);
  const csv = await server.ask('/api/v1/sql', {json: {query: `SELECT 'a,"b"' AS x`},
                                               headers: {Accept: 'text/csv'}});
  equal(csv.text, 'x\r\n"a,""b"""\r\n');
  for (const query of ['COPY (SELECT 1) TO \'/tmp/x\'', 'ATTACH \'/tmp/x\'',
                       'SELECT * FROM read_text(\'/etc/passwd\')', 'SET memory_limit = \'1TB\'']) {
    equal((await server.ask('/api/v1/sql', {json: {query}})).status, 400);
  }
  equal((await server.ask('/api/v1/cookbook/runs-per-hour?since=2026-11-30')).status, 200);
  equal((await server.ask('/api/v1/cookbook/runs-per-hour?x=1')).status, 400);
  equal((await server.ask('/api/v1/openapi.json')).body.openapi, '3.1.0');
  equal((await server.ask('/readyz')).status, 200);
}

await withFolder(async (folder) => {
  const weir = new Weir(process.argv[2], join(folder, '.weir'));
  let server = await startServer(weir);
  try {
    await takesEvents(server, weir);
    await refusesWhatIsWrong(server);
    await refusesWhatIsNoHttp(server);
    await answersQuestions(server);
    await saysAllThatItRejects(server);
    await losesNothingToAKey(server);
    equal(await server.stop(), 0);
    // A server that begins anew knows what the one before has had.
    server = await startServer(weir);
    equal((await server.ask('/api/v1/events', {method: 'POST', body: lines(event('a'), event('z')),
                                               headers: NDJSON})).body,
          {stored: 1, duplicates: 1, rejected: 0, errors: [], rejected_indices: []});
    equal(await server.stop(), 0);
    weir.ask(0, 'verify');
  } finally {
    await server.kill();
  }
});
