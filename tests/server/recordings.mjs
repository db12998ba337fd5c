// Recordings of other systems, posted to a server, give what is known of them: as many records as their index
// says, and runs, nodes and spans that are as they are when the files are read here. What is broken in them is
// refused by name, and costs nothing else. They are found at $WEIR_TEST_DATA: without it this test is skipped.
//
//   node recordings.mjs WEIR

import {readFileSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {check, equal} from '../lib/check.mjs';
import {JSON_TYPE, PROTOBUF_TYPE} from '../lib/otlp.mjs';
import {startServer} from '../lib/server.mjs';
import {Weir, withFolder} from '../lib/weir.mjs';

const DATA = process.env.WEIR_TEST_DATA;
if (!DATA) {
  console.log('SKIPPED: WEIR_TEST_DATA is not set');
  process.exit(77);
}

const INDEX = readFileSync(join(DATA, 'INDEX.md'), 'utf8');
/// OTLP among the recordings of Jaeger.
const ALSO_OTLP = ['otlp2jaeger_pair/otlp2jaeger-in.json', 'ui_otlp_fixtures/otlp2jaeger-in.json',
                   'ui_otlp_fixtures/otlp2jaeger-in-error.json'];
const SIGNALS = {resourceSpans: 'traces', resourceLogs: 'logs', resourceMetrics: 'metrics'};

const parsed = (text) => {
  try { return JSON.parse(text); } catch { return undefined; }
};
const filesOf = (folder, ending) => readdirSync(join(DATA, folder), {recursive: true})
    .filter((name) => ending.test(name)).sort();
/// The requests of a file: its lines, or all of it.
function requestsOf(file) {
  const text = readFileSync(join(DATA, file), 'utf8');
  return file.endsWith('.jsonl') ? text.split('\n').filter((line) => line.trim() !== '') : [text];
}
const entries = (rows) => rows.map((row) => Object.values(row)).sort((a, b) => (`${a}` < `${b}` ? -1 : 1));

// ---- OTLP

/// What the index says that a file has: {spans, logs, points, malformed}.
function indexed(file) {
  const row = INDEX.split('\n').find((line) => line.startsWith(`| ${file} |`));
  check(row !== undefined, `the index has no ${file}`);
  const number = (pattern) => Number(pattern.exec(row)?.[1] ?? 0);
  return {spans: number(/(\d+) spans/) || number(/'spans': (\d+)/), logs: number(/(\d+) log records/),
          points: number(/(\d+) points/), malformed: number(/(\d+) malformed/)};
}

function* recordsOf(body, resources, scopes, records) {
  const whole = body.result ?? body;
  for (const resource of whole[resources] ?? []) {
    for (const scope of resource[scopes] ?? []) yield* scope[records] ?? [];
  }
}
const spansOf = (body) => [...recordsOf(body, 'resourceSpans', 'scopeSpans', 'spans')];
const logsOf = (body) => [...recordsOf(body, 'resourceLogs', 'scopeLogs', 'logRecords')];
function pointsOf(body) {
  const data = (metric) => metric.gauge ?? metric.sum ?? metric.histogram ?? metric.exponentialHistogram ?? metric.summary;
  return [...recordsOf(body, 'resourceMetrics', 'scopeMetrics', 'metrics')]
      .flatMap((metric) => data(metric)?.dataPoints ?? []);
}
const hasId = (text, digits) => new RegExp(`^[0-9a-f]{${digits}}$`, 'i').test(text ?? '') && !/^0+$/.test(text);
const isGood = (span) => hasId(span.traceId, 32) && hasId(span.spanId, 16) && Boolean(span.name);

/// What a server should know of everything that was posted to it.
class KnownTraces {
  keys = new Set();
  traces = new Map();

  /// Whether it is new.
  add(span) {
    const id = span.spanId.toLowerCase(), trace = span.traceId.toLowerCase();
    const start = BigInt(span.startTimeUnixNano ?? 0), end = BigInt(span.endTimeUnixNano ?? 0);
    const key = [trace, id, span.kind ?? 0, start, end === 0n].join();
    if (this.keys.has(key)) return false;
    this.keys.add(key);
    if (!this.traces.has(trace)) this.traces.set(trace, {state: 'unfinished', duration: null, nodes: new Map(), spans: new Set()});
    const known = this.traces.get(trace);
    known.spans.add(id);
    const isEnded = start !== 0n && end !== 0n;
    const state = !isEnded ? 'unfinished' : span.status?.code === 2 ? 'failed' : 'completed';
    if (span.parentSpanId) {
      const before = known.nodes.get(span.name);
      if (before === undefined || isEnded && (before.state === 'unfinished' || end >= before.end)) {
        known.nodes.set(span.name, {state, end});
      }
    } else if (isEnded && known.state === 'unfinished') {
      known.state = state;
      known.duration = Number(end - start) / 1e6;
    }
    return true;
  }
}

function stored(weir) {
  const rows = weir.rows(`SELECT event_type, count(*)::INTEGER AS n FROM events
      WHERE event_type IN ('span', 'log', 'metric') AND source = 'otlp' GROUP BY 1`);
  const of = (type) => rows.find((row) => row.event_type === type)?.n ?? 0;
  return {spans: of('span'), logs: of('log'), points: of('metric')};
}

async function postsOneOtlp(server, text, known) {
  const body = parsed(text);
  const signal = SIGNALS[Object.keys(SIGNALS).find((name) => text.includes(`"${name}"`))] ?? 'traces';
  const answer = await server.ask(`/v1/${signal}`, {base: server.otlp, method: 'POST', body: text, headers: JSON_TYPE});
  if (body === undefined) {
    equal(answer.status, 400);
    check(/^byte \d+: ./.test(answer.body.message), answer.text);
    return {spans: 0, logs: 0, points: 0, malformed: 1, stored: {spans: 0, logs: 0, points: 0}};
  }
  equal(answer.status, 200);
  const spans = spansOf(body), bad = spans.filter((span) => !isGood(span));
  equal(answer.body.partialSuccess?.rejectedSpans ?? '0', String(bad.length));
  if (bad.length > 0) check(/trace_id "ABC"/.test(answer.body.partialSuccess.errorMessage), answer.text);
  // Without keys of their own, records are known by their request.
  const request = `${signal}\n${text}`, isNew = !known.keys.has(request);
  known.keys.add(request);
  const found = {spans: spans.length, logs: logsOf(body).length, points: pointsOf(body).length, malformed: 0};
  const added = spans.filter(isGood).filter((span) => known.add(span)).length;
  return {...found, stored: {spans: added, logs: isNew ? found.logs : 0, points: isNew ? found.points : 0}};
}

async function postsOtlp(server, weir, known) {
  const files = [...filesOf('otlp', /\.jsonl?$/).map((name) => ['otlp', name]), ...ALSO_OTLP.map((name) => ['jaeger', name])];
  check(files.length >= 39, `${files.length} files`);
  let total = {spans: 0, logs: 0, points: 0};
  for (const [folder, name] of files) {
    const sum = {spans: 0, logs: 0, points: 0, malformed: 0};
    for (const text of requestsOf(`${folder}/${name}`)) {
      const one = await postsOneOtlp(server, text, known);
      for (const what of Object.keys(sum)) sum[what] += one[what];
      for (const what of Object.keys(total)) total[what] += one.stored[what];
    }
    equal({name, ...sum}, {name, ...indexed(name)});
    equal({name, ...stored(weir)}, {name, ...total});
  }
}

function showsTraces(weir, known) {
  const of = new Map(weir.rows(`SELECT DISTINCT run_id, source_run_id AS trace FROM events
      WHERE event_type = 'span' AND source = 'otlp'`).map(({run_id, trace}) => [run_id, trace]));
  equal(of.size, known.traces.size);
  for (const {run_id, state, duration_ms} of weir.rows('SELECT run_id, state, duration_ms FROM runs')) {
    const trace = of.get(run_id);
    if (trace === undefined) continue;
    const expected = known.traces.get(trace);
    equal({trace, state, duration_ms}, {trace, state: expected.state, duration_ms: expected.duration});
    equal(entries(weir.rows(`SELECT node_id, state FROM nodes WHERE run_id = '${run_id}'`)),
          entries([...expected.nodes].map(([name, node]) => ({name, state: node.state}))));
    equal(entries(weir.rows(`SELECT span_id FROM spans WHERE run_id = '${run_id}'`)),
          entries([...expected.spans].map((id) => ({id}))));
    // What folds the events says the same as the views.
    const shown = JSON.parse(weir.ask(0, 'show', run_id, '--json'));
    equal({trace, nodes: entries(shown.nodes.map((node) => ({name: node.node_id, is: node.state.replace('running', 'unfinished')})))},
          {trace, nodes: entries([...expected.nodes].map(([name, node]) => ({name, is: node.state})))});
    of.delete(run_id);
  }
  equal([...of.values()], []);
}

/// Also cut at every byte they are taken or refused.
async function postsProtobuf(server, weir) {
  for (const [file, signal, what] of [['otlp_traces.pb', 'traces', 'spans'], ['otlp_logs.pb', 'logs', 'logs']]) {
    const body = readFileSync(join(DATA, 'otlp/duckdb_otlp', file));
    const post = (bytes) => server.ask(`/v1/${signal}`, {base: server.otlp, method: 'POST', body: bytes, headers: PROTOBUF_TYPE});
    const before = stored(weir);
    const answer = await post(body);
    equal([answer.status, answer.headers.get('content-type'), answer.text], [200, 'application/x-protobuf', '']);
    equal(stored(weir), {...before, [what]: before[what] + 1});
    for (let size = 1; size < body.length; ++size) {
      const cut = await post(body.subarray(0, size));
      check([200, 400].includes(cut.status), `${file} cut at ${size}: ${cut.status}`);
    }
  }
}

// ---- OpenLineage

const ENDS = {COMPLETE: 'completed', FAIL: 'failed', ABORT: 'cancelled'};

/// Why what is no event is refused, by name; undefined: it is one.
function flawOf(file) {
  if (file.startsWith('spec_tests/') && file !== 'spec_tests/example_full_event.json') return /eventTime/;  // facets alone
  if (file.includes('no_run_id')) return /run\.runId/;
  if (file.startsWith('doc_examples/03_')) return /eventTime.*is_datetime/;  // a template
  return undefined;
}

/// In microseconds; UTC where nothing is said.
function timeOf(text) {
  const [, seconds, fraction = '', offset = 'Z'] = /^(.{19})(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?$/.exec(text);
  return Date.parse(seconds + offset) * 1000 + Number(fraction.slice(0, 6).padEnd(6, '0'));
}

class KnownLineage {
  events = new Set();
  stored = 0;
  runs = new Map();

  runOf(name) {
    if (!this.runs.has(name)) this.runs.set(name, {state: 'unfinished', nodes: new Map()});
    return this.runs.get(name);
  }
  add(event) {
    const text = JSON.stringify(event);
    if (this.events.has(text)) return;
    this.events.add(text);
    ++this.stored;
    if (!event.run) {
      const day = new Date(timeOf(event.eventTime) / 1000).toISOString().slice(0, 10);
      return void this.runOf(`job ${event.job.namespace}.${event.job.name} ${day}`);
    }
    const run = this.runOf(event.run.runId);
    const end = ENDS[event.eventType];
    if (end !== undefined && run.state === 'unfinished') run.state = end;
    const parent = event.run.facets?.parent;
    if (!parent?.run?.runId || !parent.job?.name || !parent.job.namespace) return;
    if (end === undefined && event.eventType !== 'START') return;
    ++this.stored;
    const {nodes} = this.runOf(parent.run.runId);
    const place = 2 * timeOf(event.eventTime) + (end === undefined ? 0 : 1);
    const before = nodes.get(event.job.name);
    if (before === undefined || place >= before.place) nodes.set(event.job.name, {place, state: end ?? 'unfinished'});
  }
}

async function postsOpenLineage(server, weir) {
  const known = new KnownLineage();
  const post = (path, body) => server.ask(path, {method: 'POST', body, headers: JSON_TYPE});
  const files = ['wire_events', 'derived_wire', 'doc_examples', 'spec_tests']
      .flatMap((folder) => filesOf(`openlineage/${folder}`, /\.jsonl?$/).map((name) => `${folder}/${name}`));
  let refused = 0;
  for (const file of files) {
    const flaw = flawOf(file);
    const requests = requestsOf(`openlineage/${file}`);
    for (const text of requests) {
      // Sent again it is acknowledged, and there once.
      for (let twice = 0; twice < 2; ++twice) {
        const answer = await post('/api/v1/lineage', text);
        const failed = flaw === undefined ? 0 : 1;
        equal({file, status: answer.status, ...answer.body.summary},
              {file, status: failed === 0 ? 200 : 400, received: 1, successful: 1 - failed, failed, retriable: 0,
               non_retriable: failed});
        if (failed > 0) check(flaw.test(answer.body.failed_events[0].reason), `${file}: ${answer.text}`);
      }
      if (flaw === undefined) known.add(parsed(text)); else ++refused;
    }
    if (!file.endsWith('.jsonl')) continue;
    const row = INDEX.split('\n').find((line) => line.startsWith(`| ${file} |`));
    equal([file, requests.length], [file, Number(/(\d+) events/.exec(row)[1])]);
    const batch = await post('/api/v1/lineage/batch', `[${requests.join(',')}]`);
    equal([batch.status, batch.body.status, batch.body.summary.successful], [200, 'success', requests.length]);
  }
  equal(refused, 2 + filesOf('openlineage/spec_tests', /\d\.json$|LineageFacet.*json$/).length);
  showsLineage(weir, known);
}

function showsLineage(weir, known) {
  const ours = `source = 'openlineage'`;
  equal(weir.rows(`SELECT count(*)::INTEGER AS n FROM events WHERE ${ours}`), [{n: known.stored}]);
  equal(entries(weir.rows(`SELECT name, state FROM runs JOIN (SELECT DISTINCT run_id, source_run_id AS name
                           FROM events WHERE ${ours}) USING (run_id)`)),
        entries([...known.runs].map(([name, {state}]) => ({name, state}))));
  equal(entries(weir.rows(`SELECT name, node_id, state FROM nodes JOIN (SELECT DISTINCT run_id, source_run_id AS name
                           FROM events WHERE ${ours}) USING (run_id)`)),
        entries([...known.runs].flatMap(([name, {nodes}]) => [...nodes].map(([node, {state}]) => ({name, node, state})))));
}

await withFolder(async (folder) => {
  const weir = new Weir(process.argv[2], join(folder, '.weir'));
  const server = await startServer(weir);
  try {
    const known = new KnownTraces();
    await postsOtlp(server, weir, known);
    showsTraces(weir, known);
    await postsOpenLineage(server, weir);
    await postsProtobuf(server, weir);
    equal(await server.stop(), 0);
    weir.ask(0, 'verify');
  } finally {
    await server.kill();
  }
});
