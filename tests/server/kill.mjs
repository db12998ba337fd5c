// Ends a server under full load, again and again: many connections, everything that it takes, over HTTP
// and gRPC, with keys and without. What it answered is there, once; what it did not answer is sent
// again as it was, and then is there once, too. Most times it is killed; every fifth time it is asked
// to stop, and ends by itself.
//
//   node kill.mjs WEIR [ROUNDS]

import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {check, equal} from '../lib/check.mjs';
import {call, dial, exportPath, field, fixed64, text} from '../lib/otlp_grpc.mjs';
import {startServer} from '../lib/server.mjs';
import {Weir, withFolder} from '../lib/weir.mjs';

const [program, rounds = '10'] = process.argv.slice(2);
const ROUNDS = Number(rounds);
const CLIENTS = 8;   // of each kind, each on a connection of its own
const RECORDS = 50;  // of a request
const LOAD_MS = 400;

const range = (make) => Array.from({length: RECORDS}, (_, i) => make(i));
const hex = (number, digits) => number.toString(16).padStart(digits, '0');
const uuid = (...numbers) => {
  const digits = hex(numbers.reduce((all, number) => all * 1000 + number, 1), 21);
  return `0195e0a0-7${digits.slice(0, 3)}-7${digits.slice(3, 6)}-8${digits.slice(6, 9)}-${digits.slice(9, 21)}`;
};
const resource = (service) => ({attributes: [{key: 'service.name', value: {stringValue: service}}]});
const resourceField = (service) => field(1, field(1, field(1, 'service.name'), field(2, text(service))));
const nanoseconds = () => BigInt(Date.now()) * 1_000_000n;

/// A kind of client: the body of its requests, how they are sent (over HTTP the answer's body is
/// looked at), and the events that they make: `where` they are, and what tells each from all others.
const native = (client, request, key) => range((i) => JSON.stringify({
  timestamp: new Date().toISOString(), event_type: 'log', level: 'INFO', pipeline_id: key ? 'keyed' : 'keyless',
  run_id: uuid(client), message: `event ${i} of request ${request} of client ${client}`,
  ...(key ? {event_id: `${client}-${request}-${i}`} : {})})).join('\n');
const storesAll = (answer) => equal(answer.stored + answer.duplicates, RECORDS);
const storesAllOtlp = (answer) => equal(answer.partialSuccess, undefined);
const KINDS = [
  {name: 'events with keys', path: '/api/v1/events', type: 'application/x-ndjson', where: "pipeline_id = 'keyed'", id: 'event_id',
    body: (client, request) => native(client, request, true), look: storesAll},
  {name: 'events of a request with a key', path: '/api/v1/events', type: 'application/x-ndjson', hasKey: true,
    where: "pipeline_id = 'keyless'", id: 'message', body: (client, request) => native(client, request, false), look: storesAll},
  {name: 'spans over HTTP', path: '/v1/traces', type: 'application/json', where: "event_type = 'span' AND pipeline_id = 'spans'",
    id: "trace_id || span_id", look: storesAllOtlp,
    body: (client, request) => JSON.stringify({resourceSpans: [{resource: resource('spans'), scopeSpans: [{spans: range((i) => ({
      traceId: hex((client + 1) * 1e6 + request, 32), spanId: hex(i + 1, 16), name: `s${i}`,
      startTimeUnixNano: String(nanoseconds()), endTimeUnixNano: String(nanoseconds())}))}]}]})},
  {name: 'metrics over HTTP', path: '/v1/metrics', type: 'application/json', where: "event_type = 'metric' AND pipeline_id = 'metrics'",
    id: "attributes ->> 'name'", look: storesAllOtlp,
    body: (client, request) => JSON.stringify({resourceMetrics: [{resource: resource('metrics'), scopeMetrics: [{metrics: range((i) => ({
      name: `m.${client}.${request}.${i}`, gauge: {dataPoints: [{timeUnixNano: String(nanoseconds()), asInt: '1'}]}}))}]}]})},
  {name: 'logs over gRPC', signal: 'logs', where: "event_type = 'log' AND pipeline_id = 'grpc-logs'", id: 'message',
    body: (client, request) => field(1, resourceField('grpc-logs'), field(2, ...range((i) =>
      field(2, fixed64(1, nanoseconds()), field(5, text(`log ${i} of request ${request} of client ${client}`))))))},
  {name: 'spans over gRPC', signal: 'traces', where: "event_type = 'span' AND pipeline_id = 'grpc-spans'", id: 'trace_id || span_id',
    body: (client, request) => field(1, resourceField('grpc-spans'), field(2, ...range((i) => field(2,
      field(1, Buffer.from(hex((client + 101) * 1e6 + request, 32), 'hex')), field(2, Buffer.from(hex(i + 1, 16), 'hex')),
      field(5, `s${i}`), fixed64(7, nanoseconds()), fixed64(8, nanoseconds())))))},
  {name: 'lineage', path: '/api/v1/lineage', type: 'application/json',
    where: "source = 'openlineage' AND NOT ends_with(idempotency_key, '.node')", id: 'idempotency_key',
    look: (answer) => equal([answer.summary.successful, answer.summary.failed], [RECORDS, 0]),
    body: (client, request) => JSON.stringify(range((i) => ({
      eventType: 'START', eventTime: new Date().toISOString(), run: {runId: uuid(client, request, i)},
      job: {namespace: 'n', name: 'lineage'}, producer: 'https://example.com/kill',
      schemaURL: 'https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent', inputs: [], outputs: []})))},
];

class Client {
  next = 0;
  answered = 0;
  body = undefined;  // of the request that got no answer yet
  sentAgain = 0;

  constructor(kind, number) {
    Object.assign(this, {kind, number});
  }

  /// Whether it was answered; otherwise the server is gone, or goes.
  async send(server, session) {
    const {kind} = this;
    if (session !== undefined) {
      const {status, message} = await call(session, exportPath(kind.signal), this.body);
      check([undefined, 0, 1, 8, 14].includes(status), `${kind.name}: ${status} ${message}`);
      return status === 0;
    }
    const headers = {'Content-Type': kind.type, ...(kind.hasKey ? {'Idempotency-Key': `${this.number}-${this.next}`} : {})};
    let answer;
    try {
      answer = await server.ask(kind.path, {method: 'POST', body: this.body, headers});
    } catch {
      return false;
    }
    if (answer.status === 503) return false;
    check(answer.status === 200, `${kind.name}: ${answer.status} ${answer.text}`);
    kind.look(answer.body);
    return true;
  }

  /// Sends requests until one is not answered; `once`: only what was not answered before.
  async load(server, once = false) {
    const connection = this.kind.signal === undefined ? undefined : dial(server.grpc);
    try {
      if (this.body !== undefined) ++this.sentAgain;
      while (!once || this.body !== undefined) {
        this.body ??= this.kind.body(this.number, this.next);
        const answered = await this.send(server, connection?.session);
        if (!answered) return;
        this.answered += RECORDS;
        ++this.next;
        this.body = undefined;
      }
    } finally {
      connection?.session.destroy();
    }
  }
}

await withFolder(async (folder) => {
  const weir = new Weir(program, join(folder, '.weir'));
  const clients = KINDS.flatMap((kind) => Array.from({length: CLIENTS}, (_, number) => new Client(kind, number)));
  let stops = 0;
  for (let round = 0; round < ROUNDS; ++round) {
    const server = await startServer(weir);
    const loads = clients.map((client) => client.load(server));
    await sleep(LOAD_MS * (0.5 + Math.random()));
    if (round % 5 === 4) {
      equal(await server.stop(), 0);
      ++stops;
    } else {
      await server.kill();
    }
    await Promise.all(loads);
  }
  const server = await startServer(weir);
  await Promise.all(clients.map((client) => client.load(server, true)));
  equal(await server.stop(), 0);
  let events = 0;
  for (const kind of KINDS) {
    const of = clients.filter((client) => client.kind === kind);
    check(of.every((client) => client.body === undefined), `${kind.name}: some was not answered`);
    const expected = of.reduce((sum, client) => sum + client.answered, 0);
    const [found] = weir.rows(`
      SELECT count(*)::INTEGER AS events, count(DISTINCT ${kind.id})::INTEGER AS ids,
             count(DISTINCT (run_id, run_seq))::INTEGER AS numbers
      FROM events WHERE ${kind.where}`);
    equal({kind: kind.name, ...found}, {kind: kind.name, events: expected, ids: expected, numbers: expected});
    check(expected > ROUNDS * RECORDS, `${kind.name}: ${expected} events are no load`);
    events += expected;
  }
  weir.ask(0, 'verify');
  const again = clients.reduce((sum, client) => sum + client.sentAgain, 0);
  check(again >= ROUNDS * clients.length / 4, `only ${again} requests were cut off`);
  console.log(`figures: ${clients.length} connections, ${ROUNDS - stops} kills and ${stops} stops, ${events} events answered and there once, `
      + `${again} requests sent again`);
});
