// A server that cannot take more says so as each protocol does, with a delay; what it has acknowledged is
// stored, and what it has not is stored once when it is sent again. With a disk that is full (in memory, which
// only root may mount: without it that half says so), and with more than may wait or be under way.
//
//   node overload.mjs WEIR

import {join} from 'node:path';
import {check, equal} from '../lib/check.mjs';
import {withSmallDisk} from '../lib/disk.mjs';
import {field, grpcClient, JSON_TYPE, logs, PROTOBUF_TYPE, statusOf} from '../lib/otlp.mjs';
import {startServer} from '../lib/server.mjs';
import {Weir, withFolder} from '../lib/weir.mjs';

const KIB = 1 << 10, MIB = 1 << 20;
const EVENTS = {'Content-Type': 'application/x-ndjson'};
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/// A request that says `name`, with as much beside it as makes a disk full.
const padding = 'x'.repeat(500 * KIB);
const native = (name, more = padding) => JSON.stringify({
  timestamp: '2026-11-30T12:00:00Z', event_type: 'log', pipeline_id: 'p', run_id: 'r', message: name, rest: more}) + '\n';
const lineage = (name) => JSON.stringify({
  eventType: 'START', eventTime: '2026-11-30T12:00:00Z', run: {runId: name}, job: {namespace: 'n', name}, rest: padding});
/// A log record with the body `name`, of a resource with the padding.
function protobufLogs(name) {
  const text = (value) => field(1, Buffer.from(value));
  const attribute = field(1, Buffer.concat([text('rest'), field(2, text(padding))]));
  const record = field(2, field(5, text(name)));
  return field(1, Buffer.concat([field(1, attribute), field(2, record)]));
}
const otlp = (name) => logs([{body: {stringValue: name}}], {rest: padding});

/// {is_taken, delay} of each way to send; wrong answers are errors.
function waysTo(server) {
  const client = grpcClient(server);
  const over = async (path, headers, body, codeOf) => {
    const base = path.startsWith('/v1/') ? server.otlp : server.url;
    const answer = await fetch(base + path, {method: 'POST', headers, body});
    const bytes = Buffer.from(await answer.arrayBuffer());
    if (answer.status === 200) return true;
    equal({path, status: answer.status, delay: answer.headers.get('retry-after'), code: codeOf(bytes)},
          {path, status: 503, delay: '1', code: path.startsWith('/v1/') ? 14 : 503});
    return false;
  };
  return {
    native: (name) => over('/api/v1/events', EVENTS, native(name), (bytes) => JSON.parse(bytes).status),
    lineage: (name) => over('/api/v1/lineage', JSON_TYPE, lineage(name), (bytes) => JSON.parse(bytes).status),
    json: (name) => over('/v1/logs', JSON_TYPE, JSON.stringify(otlp(name)), (bytes) => JSON.parse(bytes).code),
    protobuf: (name) => over('/v1/logs', PROTOBUF_TYPE, protobufLogs(name), (bytes) => statusOf(bytes).code),
    grpc: async (name) => {
      const {code, message, details} = await client.send('logs', protobufLogs(name));
      if (code === 0) return true;
      equal({code, details}, {code: 14, details: ['google.rpc.RetryInfo']});
      check(message !== '', 'gRPC does not say why');
      return false;
    },
    close: () => client.close(),
  };
}

/// Names that are stored, in their order: each must be there once.
const storedNames = (weir) => weir.rows(`SELECT coalesce(message, source_run_id) AS name FROM events
    WHERE source IN ('otlp', 'openlineage') OR pipeline_id = 'p' ORDER BY 1`).map(({name}) => name);

async function fillsADisk(disk, program) {
  const weir = new Weir(program, join(disk.folder, '.weir'));
  const server = await startServer(weir);
  try {
    const ways = waysTo(server);
    const taken = [], refused = [];
    const send = async (way, name) => {
      const is_taken = await ways[way](name);
      if (is_taken) taken.push(name);
      return is_taken;
    };
    const names = Object.keys(ways).filter((name) => name !== 'close');
    for (const way of names) check(await send(way, `${way} before`), `${way}: the disk is not full yet`);
    disk.fill();
    // What the log has set aside is used up first.
    for (const way of names) {
      let count = 0;
      while (await send(way, `${way} ${count}`)) check(++count < 200, `${way}: a full disk takes all`);
      refused.push([way, `${way} ${count}`]);
    }
    equal(storedNames(weir), [...taken].sort());
    disk.empty();
    for (const [way, name] of refused) {
      for (let tries = 0; !(await send(way, name)); ++tries) {
        check(tries < 50, `${way}: there is room, and it is refused`);
        await sleep(200);
      }
      check(await send(way, name), `${way}: it is refused when it is sent again`);
      taken.pop();
    }
    equal(storedNames(weir), [...taken].sort());
    ways.close();
    equal(await server.stop(), 0);
    equal(storedNames(weir), [...taken].sort());
    weir.ask(0, 'verify');
  } finally {
    await server.kill();
  }
}

/// Two of these are more than may wait while a third is written.
const large = (name) => Array.from({length: 6}, (_, i) => native(`${name} ${i}`, 'x'.repeat(3 * MIB))).join('');

async function sendsMoreThanMayWait(folder, program) {
  const weir = new Weir(program, join(folder, '.weir'));
  const server = await startServer(weir);
  try {
    let refused = 0, rounds = 0;
    const until = async (body) => {
      for (;;) {
        const answer = await server.ask('/api/v1/events', {method: 'POST', body, headers: EVENTS});
        if (answer.status === 200) return;
        equal([answer.status, answer.headers.get('retry-after')], [503, '1']);
        ++refused;
        await sleep(50 + 100 * Math.random());
      }
    };
    for (; refused === 0 && rounds < 20; ++rounds) {
      const bodies = Array.from({length: 10}, (_, i) => large(`${rounds} ${i}`));
      await Promise.all(bodies.map(until));
    }
    check(refused > 0, 'nothing was too much');
    equal(weir.rows(`SELECT count(*)::INTEGER AS n, count(DISTINCT message)::INTEGER AS names FROM logs`),
          [{n: 60 * rounds, names: 60 * rounds}]);
    equal(await server.stop(), 0);
    weir.ask(0, 'verify');
  } finally {
    await server.kill();
  }
}

await withFolder(async (folder) => {
  await withSmallDisk(folder, '96m', (disk) => fillsADisk(disk, process.argv[2]));
  await sendsMoreThanMayWait(folder, process.argv[2]);
});
