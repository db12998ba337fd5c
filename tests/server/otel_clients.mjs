// OpenTelemetry's own exporters send to a server what a program has recorded: over HTTP with JSON and
// protobuf and over gRPC; spans, logs and metrics.
//
//   node otel_clients.mjs WEIR

import {createRequire} from 'node:module';
import {join} from 'node:path';
import {check, equal} from '../lib/check.mjs';
import {startServer} from '../lib/server.mjs';
import {ROOT, Weir, withFolder} from '../lib/weir.mjs';

const load = createRequire(join(ROOT, 'tests/clients/package.json'));
const {SpanStatusCode, trace, context, ROOT_CONTEXT} = load('@opentelemetry/api');
const {Resource} = load('@opentelemetry/resources');
const {BasicTracerProvider, SimpleSpanProcessor} = load('@opentelemetry/sdk-trace-base');
const {LoggerProvider, SimpleLogRecordProcessor} = load('@opentelemetry/sdk-logs');
const {MeterProvider, PeriodicExportingMetricReader} = load('@opentelemetry/sdk-metrics');

const ENCODINGS = ['http', 'proto', 'grpc'];

function exporter(signal, name, encoding, server, headers) {
  const made = load(`@opentelemetry/exporter-${signal}-otlp-${encoding}`);
  const Exporter = made[name];
  if (encoding === 'grpc') {
    const {Metadata} = load('@grpc/grpc-js');
    const metadata = new Metadata();
    for (const [key, value] of Object.entries(headers)) metadata.set(key.toLowerCase(), value);
    return new Exporter({url: server.grpc, metadata});
  }
  const path = {trace: 'traces', logs: 'logs', metrics: 'metrics'}[signal];
  return new Exporter({url: `${server.otlp}/v1/${path}`, headers, compression: 'gzip'});
}

/// A job `night-ENCODING` of two steps, the second of which fails.
async function recordSpans(encoding, server, headers) {
  const resource = new Resource({'service.name': `night-${encoding}`, 'service.version': '1.2'});
  const provider = new BasicTracerProvider({
    resource,
    spanProcessors: [new SimpleSpanProcessor(exporter('trace', 'OTLPTraceExporter', encoding, server, headers))],
  });
  const tracer = provider.getTracer('steps', '3');
  const root = tracer.startSpan('nightly', {}, ROOT_CONTEXT);
  const inside = trace.setSpan(ROOT_CONTEXT, root);
  const first = tracer.startSpan('extract', {attributes: {'rows.read': 42, 'is.full': true}}, inside);
  first.end();
  const second = tracer.startSpan('load', {}, inside);
  second.recordException(new TypeError('no such table'));
  second.setStatus({code: SpanStatusCode.ERROR, message: 'it broke'});
  second.end();
  root.end();
  await provider.forceFlush();
  await provider.shutdown();
  return root.spanContext().traceId;
}

async function recordLogs(encoding, server, headers, traceId) {
  const provider = new LoggerProvider({resource: new Resource({'service.name': `night-${encoding}`})});
  provider.addLogRecordProcessor(
      new SimpleLogRecordProcessor(exporter('logs', 'OTLPLogExporter', encoding, server, headers)));
  const span = trace.wrapSpanContext({traceId, spanId: '00f067aa0ba902b7', traceFlags: 1});
  provider.getLogger('steps').emit({
    severityNumber: 17, severityText: 'ERROR', body: `said over ${encoding}`,
    attributes: {table: 'sales'}, context: trace.setSpan(ROOT_CONTEXT, span)});
  provider.getLogger('steps').emit({severityNumber: 9, body: {of: 'no trace'}});
  await provider.forceFlush();
  await provider.shutdown();
}

async function recordMetrics(encoding, server, headers) {
  const reader = new PeriodicExportingMetricReader({
    exporter: exporter('metrics', 'OTLPMetricExporter', encoding, server, headers),
    exportIntervalMillis: 60_000});
  const provider = new MeterProvider({
    resource: new Resource({'service.name': `night-${encoding}`}), readers: [reader]});
  const meter = provider.getMeter('steps');
  meter.createCounter('rows', {unit: '{row}'}).add(42, {table: 'sales'});
  meter.createHistogram('took', {unit: 's'}).record(0.25);
  await provider.shutdown();  // sends what there is
}

function checkStored(weir, encoding, traceId) {
  const name = `night-${encoding}`;
  const rows = (query) => weir.rows(query.replaceAll('$NAME', `'${name}'`));
  equal(rows(`SELECT event_type, count(*)::INTEGER AS n FROM events WHERE pipeline_id = $NAME
              GROUP BY 1 ORDER BY 1`),
        [{event_type: 'log', n: 2}, {event_type: 'metric', n: 2}, {event_type: 'span', n: 3}]);
  const [run] = rows(`SELECT * FROM runs WHERE pipeline_id = $NAME AND run_id IN
                      (SELECT run_id FROM events WHERE trace_id = '${traceId}')`);
  equal([run.state, run.pipeline_version, run.pipeline_type], ['completed', '1.2', 'external']);
  equal(rows(`SELECT node_id, state, error_type, error_message FROM nodes
              WHERE pipeline_id = $NAME ORDER BY node_id`).map((node) => Object.values(node)),
        [['extract', 'completed', null, null], ['load', 'failed', 'TypeError', 'it broke']]);
  // What folds the events of a run says the same as the views.
  const shown = JSON.parse(weir.ask(0, 'show', run.run_id, '--json'));
  equal([shown.state, shown.duration_ms, shown.nodes.map(({node_id, state}) => [node_id, state]).sort()],
        ['completed', run.duration_ms, [['extract', 'completed'], ['load', 'failed']]]);
  const traced = JSON.parse(weir.ask(0, 'trace', run.run_id, '--json')).spans;
  equal(traced.map(({name, state}) => [name, state]),
        [[name, 'completed'], ['extract', 'completed'], ['load', 'failed']]);
  equal(rows(`SELECT name, status FROM spans WHERE trace_id = '${traceId}' ORDER BY name`)
        .map((span) => Object.values(span)),
        [['extract', 'OK'], ['load', 'ERROR'], ['nightly', 'OK']]);
  const [extract] = rows(`SELECT attributes FROM events WHERE pipeline_id = $NAME AND node_id = 'extract'`);
  const {attributes} = extract;
  equal([attributes['rows.read'], attributes['is.full']], [42, true]);
  const [said] = rows(`SELECT level, message, logger, trace_id FROM events
                       WHERE pipeline_id = $NAME AND message LIKE 'said%'`);
  equal(said, {level: 'ERROR', message: `said over ${encoding}`, logger: 'steps', trace_id: traceId});
  equal(rows(`SELECT attributes ->> 'name' AS name FROM events WHERE pipeline_id = $NAME
              AND event_type = 'metric' ORDER BY 1`), [{name: 'rows'}, {name: 'took'}]);
}

await withFolder(async (folder) => {
  const weir = new Weir(process.argv[2], join(folder, '.weir'));
  const key = weir.ask(0, 'key', 'create', 'otel', '--scope', 'write').trim();
  const server = await startServer(weir);
  try {
    const headers = {Authorization: `Bearer ${key}`};
    for (const encoding of ENCODINGS) {
      const traceId = await recordSpans(encoding, server, headers);
      await recordLogs(encoding, server, headers, traceId);
      await recordMetrics(encoding, server, headers);
      checkStored(weir, encoding, traceId);
    }
    // Without a key nothing is taken: the exporters say so to themselves.
    await recordSpans('grpc', server, {});
    equal(weir.rows(`SELECT count(*)::INTEGER AS n FROM events WHERE event_type = 'span'`), [{n: 9}]);
    equal(await server.stop(), 0);
    check(weir.rows(`SELECT 1 AS x FROM events WHERE event_type = 'audit' AND outcome = 'denied'`)
          .length > 0, 'no audit of what was refused');
  } finally {
    await server.kill();
  }
});
