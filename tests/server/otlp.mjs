// What OTLP promises beside taking events in: spans that are told when they begin and again when they end,
// errors in the encoding of the request, and a memory that a short request cannot fill.
//
//   node otlp.mjs WEIR

import {readFileSync} from 'node:fs';
import {request} from 'node:http';
import {gzipSync} from 'node:zlib';
import {join} from 'node:path';
import {check, equal} from '../lib/check.mjs';
import {field, grpcClient, gauge, JSON_TYPE, logs, PROTOBUF_TYPE, statusOf, traces} from '../lib/otlp.mjs';
import {startServer} from '../lib/server.mjs';
import {Weir, withFolder} from '../lib/weir.mjs';

const MIB = 1 << 20;
const START = '1764590400000000000', END = '1764590401000000000', AT = {timeUnixNano: START};
const trace = (digit) => digit.repeat(32);
const span = (id, more) => ({traceId: trace('1'), spanId: id.repeat(16), name: `step ${id}`,
                             startTimeUnixNano: START, endTimeUnixNano: END, ...more});

const post = (server, signal, json, headers = {}) => server.ask(`/v1/${signal}`, {
  base: server.otlp, method: 'POST', body: JSON.stringify(json), headers: {...JSON_TYPE, ...headers}});

/// A root and a step of it, told open and ended in either order, each twice.
async function takesSpansThatAreOpen(server, weir) {
  for (const [digit, order] of [['a', [false, true]], ['b', [true, false]]]) {
    const told = (ended, more) => span('1', {
      traceId: trace(digit), ...more, ...(ended ? {status: {code: 2, message: 'it broke'}} : {endTimeUnixNano: '0'})});
    for (const ended of order) {
      const both = traces([told(ended), told(ended, {spanId: '2'.repeat(16), parentSpanId: '1'.repeat(16), name: 'load'})]);
      for (let twice = 0; twice < 2; ++twice) equal((await post(server, 'traces', both)).status, 200);
    }
    const [{run_id: run}] = weir.rows(`SELECT run_id FROM events WHERE trace_id = '${trace(digit)}' LIMIT 1`);
    const rows = (query) => weir.rows(query.replaceAll('$RUN', `'${run}'`)).map((row) => Object.values(row));
    equal(rows(`SELECT count(*)::INTEGER FROM events WHERE run_id = $RUN`), [[4]]);
    equal(rows(`SELECT state, duration_ms, error_message FROM runs WHERE run_id = $RUN`), [['failed', 1000, 'it broke']]);
    equal(rows(`SELECT node_id, state, duration_ms FROM nodes WHERE run_id = $RUN`), [['load', 'failed', 1000]]);
    equal(rows(`SELECT state, duration_ms FROM attempts WHERE run_id = $RUN`), [['failed', 1000]]);
    equal(rows(`SELECT name, status, duration_ms FROM spans WHERE run_id = $RUN ORDER BY name`),
          [['load', 'ERROR', 1000], ['step 1', 'ERROR', 1000]]);
    const shown = JSON.parse(weir.ask(0, 'show', run, '--json'));
    equal([shown.state, shown.duration_ms, shown.nodes.map(({state}) => state)], ['failed', 1000, ['failed']]);
  }
}

async function hidesNothingThatIsCalledWeir(server, weir) {
  equal((await post(server, 'traces', traces([span('1')], {'service.name': 'weir'}))).status, 200);
  equal(weir.rows(`SELECT state FROM runs WHERE pipeline_id = 'external.weir'`), [{state: 'completed'}]);
  check(weir.ask(0, 'runs').includes('external.weir'), 'it is not in `weir runs`');
}

/// One key may come with the three signals of an export.
async function takesEverySignalOfAKey(server, weir) {
  const key = {'Idempotency-Key': 'A'}, of = {'service.name': 'keyed'};
  const log = (text) => logs([{...AT, body: {stringValue: text}}], of);
  for (let twice = 0; twice < 2; ++twice) {
    equal((await post(server, 'logs', log('one'), key)).status, 200);
    equal((await post(server, 'logs', log('two'), key)).status, 200);
    equal((await post(server, 'metrics', gauge('m', [{...AT, asInt: '1'}], of), key)).status, 200);
  }
  equal(weir.rows(`SELECT event_type, message FROM events WHERE pipeline_id = 'keyed' ORDER BY ALL`)
        .map((row) => Object.values(row)), [['log', 'one'], ['log', 'two'], ['metric', null]]);
}

/// The answer to a body that is announced and not sent: fetch would not read it while it sends.
function announces(server, headers) {
  return new Promise((done, failed) => {
    const asked = request(`${server.otlp}/v1/logs`, {method: 'POST', headers}, async (answer) => {
      const pieces = [];
      for await (const piece of answer) pieces.push(piece);
      asked.destroy();
      done({status: answer.statusCode, type: answer.headers['content-type'], bytes: Buffer.concat(pieces)});
    });
    asked.on('error', failed);
    asked.flushHeaders();
  });
}

async function sends(server, headers, body) {
  const answer = await fetch(`${server.otlp}/v1/logs`, {method: 'POST', body, headers});
  return {status: answer.status, type: answer.headers.get('content-type'),
          bytes: Buffer.from(await answer.arrayBuffer())};
}

async function answersWithAStatus(server) {
  const bomb = gzipSync(Buffer.alloc(65 * MIB, 0x20));
  const gzip = {'Content-Encoding': 'gzip'};
  const wrong = [
    [413, 8, {'Content-Length': 64 * MIB + 1}, null],
    [413, 8, gzip, bomb],
    [400, 3, gzip, 'no gzip'],
    [415, 3, {'Content-Encoding': 'br'}, 'x'],
    [400, 3, {}, '{'],
  ];
  for (const [status, code, headers, body] of wrong) {
    for (const type of [JSON_TYPE, PROTOBUF_TYPE]) {
      const all = {...type, ...headers};
      const answer = await (body === null ? announces(server, all) : sends(server, all, body));
      const said = type === JSON_TYPE ? JSON.parse(answer.bytes) : statusOf(answer.bytes);
      equal({all, status: answer.status, type: answer.type, code: said.code},
            {all, status, type: type['Content-Type'], code});
      check(said.message !== '', `${JSON.stringify(all)}: it does not say why`);
    }
  }
  const get = await fetch(`${server.otlp}/v1/traces`);
  equal([get.status, get.headers.get('allow'), get.headers.get('content-type')],
        [405, 'POST', 'application/x-protobuf']);
  check(statusOf(Buffer.from(await get.arrayBuffer())).message.includes('POST'), 'GET');
}

const peakMib = (server) =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${server.child.pid}/status`, 'utf8'))[1]) >> 10;

/// What a resource says is kept with each of its records: a request of 16 kB could be a gigabyte.
async function keepsLittleOfMuch(server) {
  const before = peakMib(server);
  const of = {'service.name': 'big', text: 'x'.repeat(200_000)};
  const many = Array.from({length: 5000}, () => AT);
  const answer = await server.ask('/v1/logs', {
    base: server.otlp, method: 'POST', body: gzipSync(JSON.stringify(logs(many, of))),
    headers: {...JSON_TYPE, 'Content-Encoding': 'gzip'}});
  equal([answer.status, answer.body.code, answer.headers.get('retry-after')], [413, 8, null]);
  check(/64 MiB/.test(answer.body.message), answer.text);
  const client = grpcClient(server);
  const attribute = (key, value) => field(1, Buffer.concat([field(1, Buffer.from(key)), field(2, field(1, Buffer.from(value)))]));
  const resource = field(1, attribute('text', of.text));
  const records = Buffer.concat(Array.from({length: 5000}, () => field(2, Buffer.alloc(0))));
  const body = field(1, Buffer.concat([resource, field(2, records)]));
  const told = await client.send('logs', body);
  equal([told.code, told.details], [8, []]);
  check(/64 MiB/.test(told.message), told.message);
  client.close();
  const grown = peakMib(server) - before;
  check(grown < 400, `it grew by ${grown} MiB`);
}

/// Small events become more than they were.
async function saysHowManyEventsAreTooMany(server) {
  const line = '{"timestamp":"2026-11-30T12:00:00Z","event_type":"log","pipeline_id":"p","run_id":"r","message":""}\n';
  const answer = await server.ask('/api/v1/events', {
    method: 'POST', body: line.repeat(Math.floor(60 * MIB / line.length)), headers: {'Content-Type': 'application/x-ndjson'}});
  equal([answer.status, /64 MiB/.test(answer.body.detail)], [413, true]);
}

await withFolder(async (folder) => {
  const weir = new Weir(process.argv[2], join(folder, '.weir'));
  const server = await startServer(weir);
  try {
    await takesSpansThatAreOpen(server, weir);
    await hidesNothingThatIsCalledWeir(server, weir);
    await takesEverySignalOfAKey(server, weir);
    await keepsLittleOfMuch(server);
    await saysHowManyEventsAreTooMany(server);
    await answersWithAStatus(server);
    equal(weir.rows(`SELECT count(*)::INTEGER AS n FROM events WHERE pipeline_id IN ('big', 'p')`), [{n: 0}]);
    equal(await server.stop(), 0);
    weir.ask(0, 'verify');
  } finally {
    await server.kill();
  }
});
