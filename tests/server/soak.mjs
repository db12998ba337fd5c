// A server under load for a long time, of everything that it takes and answers: its memory stays as it
// is, its log becomes parts, and all that it answered is there, once.
//
//   node soak.mjs WEIR [SECONDS]
//
//   WEIR_SOAK_SECONDS  how long  default: SECONDS, or 60

import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {check, equal} from '../lib/check.mjs';
import {call, dial, exportPath, field, fixed64, text} from '../lib/otlp_grpc.mjs';
import {startServer} from '../lib/server.mjs';
import {Weir, withFolder} from '../lib/weir.mjs';

const [program, seconds = '60'] = process.argv.slice(2);
const SECONDS = Number(process.env.WEIR_SOAK_SECONDS ?? seconds);
const EVENTS = 200;            // of a request
const REQUESTS_OF_A_RUN = 50;  // then its client begins another
const SPANS = 50;              // of a trace
const LOGS = 200;              // of a request
const METRICS = 50;
/// In an hour the load is less than in a minute: what is stored of it is to fit a disk.
const PACE = SECONDS < 600 ? 1 : 2.5;
/// In a minute what is kept for reuse is still growing.
const ROOM_MIB = SECONDS < 600 ? 64 : 16;
/// What it costs to know an event again, as the server does of the last four million.
const KEY_BYTES = 100;
const MIB = 1 << 20;

const id = (kind, number) => `0195e0a0-000${kind}-7000-8000-${String(number).padStart(12, '0')}`;
const hex = (number, digits) => number.toString(16).padStart(digits, '0');
const now = () => new Date().toISOString();
const nanoseconds = (ms) => String(BigInt(Math.round(ms * 1000)) * 1000n);

/// What one kind of client sends, every so many milliseconds, and what must be there in the end.
class Client {
  constructor(number) {
    this.number = number;
    this.sent = 0;    // requests that were answered
    this.events = 0;  // of ours that were stored
    this.slowest = 0;
  }

  /// Whether `body` was taken; otherwise the server has no room now.
  async ask(server, body) {
    const answer = await server.ask(this.path, {method: 'POST', body, headers: {'Content-Type': this.type}});
    if (answer.status === 503) return false;
    check(answer.status === 200, `${this.path}: ${answer.status} ${answer.text}`);
    this.took(answer.body);
    return true;
  }
}

/// Runs that begin, work and end, in our own contract; one event in ten has a key of its own.
class NativeClient extends Client {
  everyMs = 40;
  path = '/api/v1/events';
  type = 'application/x-ndjson';

  body() {
    const run = this.number * 1_000_000 + Math.floor(this.sent / REQUESTS_OF_A_RUN);
    const place = this.sent % REQUESTS_OF_A_RUN;
    const common = {timestamp: now(), run_id: id(1, run), pipeline_id: `native-${this.number}`};
    const events = [];
    if (place === 0) events.push({...common, event_type: 'pipeline_started', level: 'INFO', node_count: 1});
    const end = place === REQUESTS_OF_A_RUN - 1;
    while (events.length < EVENTS - (end ? 1 : 0)) {
      const number = events.length;
      const event = {...common, event_type: 'log', level: 'INFO', node_id: `n${number % 7}`,
        message: `line ${number} of request ${this.sent}: the quick brown fox jumps over it`,
        attributes: {table: 'sales', rows: number * 17, ratio: number / 3}};
      if (number % 10 === 0) event.event_id = `${this.number}-${this.sent}-${number}`;
      events.push(event);
    }
    if (end) events.push({...common, event_type: 'pipeline_completed', level: 'INFO', duration_ms: 1});
    return events.map((event) => JSON.stringify(event)).join('\n');
  }

  took(answer) {
    equal([answer.stored, answer.rejected], [EVENTS, 0]);
    this.events += EVENTS;
  }
}

class OtlpClient extends Client {
  everyMs = 500;
  path = '/v1/traces';
  type = 'application/json';

  body() {
    const traceId = hex(this.sent + 1, 32), end = Date.now();
    const spans = Array.from({length: SPANS}, (_, i) => ({
      traceId, spanId: hex(i + 1, 16), ...(i === 0 ? {} : {parentSpanId: hex(1, 16)}), name: `step ${i}`, kind: 1,
      startTimeUnixNano: nanoseconds(end - 100 + i), endTimeUnixNano: nanoseconds(end),
      attributes: [{key: 'rows', value: {intValue: String(i)}}, {key: 'table', value: {stringValue: 'sales'}}],
    }));
    const resource = {attributes: [{key: 'service.name', value: {stringValue: 'otlp'}}]};
    return JSON.stringify({resourceSpans: [{resource, scopeSpans: [{scope: {name: 'soak'}, spans}]}]});
  }

  took(answer) {
    check(answer.partialSuccess === undefined, JSON.stringify(answer));
    this.events += SPANS;
  }
}

class MetricsClient extends Client {
  everyMs = 200;
  path = '/v1/metrics';
  type = 'application/json';

  body() {
    const at = nanoseconds(Date.now());
    const metrics = Array.from({length: METRICS}, (_, i) => ({
      name: `rows.${i}`, unit: '{row}', gauge: {dataPoints: [{timeUnixNano: at, asInt: String(this.sent)}]}}));
    const resource = {attributes: [{key: 'service.name', value: {stringValue: 'metrics'}}]};
    return JSON.stringify({resourceMetrics: [{resource, scopeMetrics: [{metrics}]}]});
  }

  took(answer) {
    check(answer.partialSuccess === undefined, JSON.stringify(answer));
    this.events += METRICS;
  }
}

/// Over gRPC, all on one connection.
class LogsClient extends Client {
  everyMs = 100;
  path = exportPath('logs');

  body() {
    const at = nanoseconds(Date.now());
    const records = Array.from({length: LOGS}, (_, i) => field(2, fixed64(1, at), field(5, text(`log ${i} of request ${this.sent}`))));
    return field(1, field(1, field(1, field(1, 'service.name'), field(2, text('logs')))), field(2, ...records));
  }

  async ask(server, body) {
    this.connection ??= dial(server.grpc);
    const {status, message} = await call(this.connection.session, this.path, body);
    if (status === 8 || status === 14) return false;
    equal([status, message], [0, '']);
    this.events += LOGS;
    return true;
  }
}

class LineageClient extends Client {
  everyMs = 1000;
  path = '/api/v1/lineage';
  type = 'application/json';

  body() {
    const run = {runId: id(2, this.sent)}, job = {namespace: 'soak', name: 'lineage'};
    const event = (eventType) => ({eventType, eventTime: now(), run, job, producer: 'https://example.com/soak',
      schemaURL: 'https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent', inputs: [], outputs: []});
    return JSON.stringify([event('START'), event('COMPLETE')]);
  }

  took(answer) {
    equal([answer.summary.successful, answer.summary.failed], [2, 0]);
    this.events += 2;
  }
}

async function send(server, client, until) {
  for (let at = performance.now(); performance.now() < until; at += client.everyMs * PACE) {
    await sleep(Math.max(0, at - performance.now()));
    const body = client.body(), begun = performance.now();
    for (let isDone = false; !isDone;) {
      isDone = await client.ask(server, body);
      if (!isDone) await sleep(1000);
    }
    client.slowest = Math.max(client.slowest, performance.now() - begun);
    ++client.sent;
  }
}

/// Those who look: pages, questions, a stream that is left and taken up again.
async function look(server, until) {
  let looks = 0, bytes = 0;
  while (performance.now() < until) {
    for (const path of ['/api/v1/runs?limit=50', '/api/v1/status', '/api/v1/cookbook/slowest-nodes']) {
      const answer = await server.ask(path);
      check(answer.status === 200, `${path}: ${answer.text}`);
    }
    const asked = await server.ask('/api/v1/sql', {json: {query: `
      SELECT event_type, count(*) AS n FROM events WHERE pipeline_id = 'lineage' GROUP BY 1`}});
    check(asked.status === 200, asked.text);
    const control = new AbortController();
    const stream = await fetch(`${server.url}/api/v1/events/stream?level=INFO`, {signal: control.signal});
    setTimeout(() => control.abort(), 1000);
    try {
      for await (const piece of stream.body) bytes += piece.length;
    } catch (error) {
      check(error.name === 'AbortError', `${error}`);
    }
    ++looks;
    await sleep(1000);
  }
  check(bytes > MIB / 4, `${bytes} bytes of the streams`);
  return looks;
}

const statusOf = ({child}, name) =>
  Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]);

/// The memory and the descriptors, again and again.
async function watch(server, events, until) {
  const samples = [];
  while (performance.now() < until) {
    samples.push({
      events: events(), mib: statusOf(server, 'VmRSS') / 1024, threads: statusOf(server, 'Threads'),
      files: readdirSync(`/proc/${server.child.pid}/fd`).length});
    await sleep(Math.max(500, SECONDS * 2));
  }
  return samples;
}

/// What it has but for a compaction or a question, whose memory is theirs while they work.
function lowerQuartile(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 4)];
}

/// The last third is as the one before.
function checkFlat(samples, isSanitized) {
  const third = Math.floor(samples.length / 3);
  const [before, after] = [samples.slice(third, 2 * third), samples.slice(2 * third)];
  const of = (part, name) => lowerQuartile(part.map((sample) => sample[name]));
  const known = (of(after, 'events') - of(before, 'events')) * KEY_BYTES / MIB;
  const most = Math.max(...samples.map(({mib}) => mib));
  const said = `${of(before, 'mib').toFixed(0)} MiB in the second third, ${of(after, 'mib').toFixed(0)} in the last, `
      + `${most.toFixed(0)} at the most`;
  check(most < 2048, said);
  check(isSanitized || of(after, 'mib') <= of(before, 'mib') * 1.1 + ROOM_MIB + known, said);
  check(of(after, 'threads') <= of(before, 'threads') + 2, 'threads that stay');
  check(of(after, 'files') <= of(before, 'files') + 8, 'descriptors that stay');
  return said;
}

await withFolder(async (folder) => {
  const weir = new Weir(program, join(folder, '.weir'));
  weir.env.WEIR_SEGMENT_SIZE = SECONDS > 600 ? '' : '1MiB';
  if (weir.env.WEIR_SEGMENT_SIZE === '') delete weir.env.WEIR_SEGMENT_SIZE;
  // What a sanitizer keeps of what was freed is no memory of the server's.
  weir.env.ASAN_OPTIONS ??= 'quarantine_size_mb=16';
  const server = await startServer(weir);
  const clients = [new NativeClient(1), new NativeClient(2), new OtlpClient(3), new LineageClient(4),
    new MetricsClient(5), new LogsClient(6)];
  const total = (name) => clients.reduce((sum, client) => sum + client[name], 0);
  try {
    const until = performance.now() + SECONDS * 1000;
    const [samples, looks] = await Promise.all([
      watch(server, () => total('events'), until), look(server, until),
      ...clients.map((client) => send(server, client, until))]);
    // A sanitizer has terabytes of addresses, and memory of its own.
    const said = checkFlat(samples, statusOf(server, 'VmSize') > 2 ** 30);
    equal(await server.stop(), 0);
    for (const [where, client] of [
      ["pipeline_id = 'native-1'", clients[0]], ["pipeline_id = 'native-2'", clients[1]],
      ["event_type = 'span' AND pipeline_id = 'otlp'", clients[2]],
      ["source = 'openlineage' AND NOT ends_with(idempotency_key, '.node')", clients[3]],
      ["event_type = 'metric' AND pipeline_id = 'metrics'", clients[4]], ["event_type = 'log' AND pipeline_id = 'logs'", clients[5]]]) {
      const [found] = weir.rows(`SELECT count(*)::BIGINT AS events, count(DISTINCT (run_id, run_seq))::BIGINT AS once
                                 FROM events WHERE ${where}`);
      equal(found, {events: client.events, once: client.events});
    }
    const parts = readdirSync(join(weir.store, 'events'), {recursive: true}).filter((name) => name.endsWith('.parquet'));
    const segments = readdirSync(join(weir.store, 'log')).filter((name) => name.endsWith('.jsonl'));
    // From 64 MiB of sealed segments on.
    check((parts.length > 0 || total('events') < 250_000) && segments.length < 300,
          `${parts.length} parts, ${segments.length} segments`);
    weir.ask(0, 'verify');
    console.log(`figures: server soak: ${SECONDS} s, ${total('events')} events in ${total('sent')} requests, `
        + `the slowest ${Math.max(...clients.map(({slowest}) => slowest)).toFixed(0)} ms; ${looks} looks; ${said}; `
        + `${parts.length} parts, ${segments.length} segments`);
  } finally {
    await server.kill();
  }
});
