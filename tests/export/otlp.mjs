// Spans that leave over OTLP: as OpenTelemetry's own definitions read them, in JSON and in protobuf
// the same; and what a server of Weir takes and gives again is what was sent, span for span.
//
//   node otlp.mjs WEIR

import {createRequire} from 'node:module';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {check, equal} from '../lib/check.mjs';
import {startServer} from '../lib/server.mjs';
import {ROOT, Weir, withFolder} from '../lib/weir.mjs';
import {writePipelines} from './pipelines.mjs';
import {spansOfJson, spansOfProtobuf} from './spans.mjs';

const load = createRequire(join(ROOT, 'tests/clients/package.json'));
const {SpanStatusCode, SpanKind, trace, ROOT_CONTEXT} = load('@opentelemetry/api');
const {Resource} = load('@opentelemetry/resources');
const {BasicTracerProvider, SimpleSpanProcessor} = load('@opentelemetry/sdk-trace-base');
const {OTLPTraceExporter} = load('@opentelemetry/exporter-trace-otlp-proto');

const byName = (spans, name) => spans.filter((span) => span.name === name);

function checkRuns(spans, runs) {
  for (const {run_id: id, pipeline_id: pipeline, state} of runs) {
    const own = spans.filter((span) => span.attributes['pipeline.run_id'] === id);
    const [root] = byName(own, `RUN ${pipeline}`);
    equal([root.kind, root.parentSpanId, root.status.code], [2, '', state === 'completed' ? 1 : 2]);
    equal(root.attributes['cicd.pipeline.result'], state === 'completed' ? 'success' : 'failure');
    // A tree: each parent is there, begins before and ends after its child.
    const ids = new Map(own.map((span) => [span.spanId, span]));
    equal(ids.size, own.length);
    for (const span of own.filter((one) => one !== root)) {
      const parent = ids.get(span.parentSpanId);
      check(parent, `${span.name} has no parent`);
      check(BigInt(parent.start) <= BigInt(span.start), `${span.name} begins before ${parent.name}`);
      check(BigInt(span.end) >= BigInt(span.start), `${span.name} ends before it begins`);
      equal(span.traceId, root.traceId);
    }
  }
}

function checkRetry(spans) {
  const [whole] = byName(spans, 'stage.flaky');
  const attempts = spans.filter((span) => span.parentSpanId === whole.spanId && span.name.startsWith('stage.'));
  equal(attempts.map(({name, status}) => [name, status.code]).sort(), [['stage.flaky attempt 1', 2], ['stage.flaky attempt 2', 1]]);
  const [first, second] = attempts.sort((a, b) => (a.name < b.name ? -1 : 1));
  equal(second.links.map(({spanId}) => spanId), [first.spanId]);
  equal(first.events.map(({name}) => name), ['exception', 'pipeline_node_retry_scheduled']);
  equal(whole.status.code, 1);
}

/// What comes back from a server that took the spans is in other runs; of each span all but that is as it was.
async function checkReturned(weir, folder, spans) {
  const other = new Weir(process.argv[2], join(folder, 'other'));
  const server = await startServer(other);
  try {
    // The second and the third time it knows them.
    for (const target of [[server.otlp], [`${server.otlp}/v1/traces`], [server.grpc, '--grpc']]) {
      const {stderr} = weir.call('export', 'otlp', '--endpoint', ...target);
      equal(stderr, `weir: ${spans.length} spans sent\n`);
    }
    equal(spansOfJson(other.ask(0, 'export', 'otlp')), spans);
    equal(await server.stop(), 0);
  } finally {
    await server.kill();
  }
}

/// A receiver over gRPC that is not ours: busy at first, then it says when to come back, then it takes them.
async function checkGrpc(weir, spans) {
  const {Server, ServerCredentials, status, Metadata} = load('@grpc/grpc-js');
  const received = [], as = (bytes) => bytes;
  let calls = 0, metadata;
  const service = {Export: {path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export', requestStream: false, responseStream: false,
    requestSerialize: as, requestDeserialize: as, responseSerialize: as, responseDeserialize: as}};
  const server = new Server();
  server.addService(service, {Export: (call, done) => {
    metadata = call.metadata;
    if (++calls === 1) return done({code: status.UNAVAILABLE, details: 'busy'});
    if (calls === 2) {
      // google.rpc.Status{8, details: RetryInfo{1 s}}
      const details = new Metadata(), type = 'type.googleapis.com/google.rpc.RetryInfo';
      const any = Buffer.concat([Buffer.from([10, type.length]), Buffer.from(type), Buffer.from([18, 4, 10, 2, 8, 1])]);
      details.set('grpc-status-details-bin', Buffer.concat([Buffer.from([8, 8, 26, any.length]), any]));
      return done({code: status.RESOURCE_EXHAUSTED, details: 'too much', metadata: details});
    }
    received.push(...spansOfProtobuf(call.request));
    done(null, Buffer.alloc(0));
  }});
  const port = await new Promise((done, failed) => server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(),
    (error, bound) => error ? failed(error) : done(bound)));
  const begun = Date.now();
  const {status: exit, stderr} = await weir.start('export', 'otlp', '--endpoint', `http://127.0.0.1:${port}`, '--grpc', '--header', 'X-Team: night').ended;
  equal([exit, stderr.trim().split('\n').at(-1)], [0, `weir: ${spans.length} spans sent`]);
  check(Date.now() - begun >= 1000, 'it came back before it was asked to');
  equal(received.sort((a, b) => (a.spanId + a.start + a.end < b.spanId + b.start + b.end ? -1 : 1)), spans);
  equal(metadata.get('x-team'), ['night']);
  server.forceShutdown();
}

/// Spans of OpenTelemetry's own client, as it sent them and as they leave again.
async function checkForeign(weir) {
  const server = await startServer(weir);
  try {
    const sent = [];
    const exporter = new OTLPTraceExporter({url: `${server.otlp}/v1/traces`});
    const keep = {export: (spans, done) => { sent.push(...spans); exporter.export(spans, done); }, shutdown: () => exporter.shutdown(), forceFlush: () => exporter.forceFlush()};
    const provider = new BasicTracerProvider({
      resource: new Resource({'service.name': 'shop', 'service.version': '9', list: ['a', 'b']}),
      spanProcessors: [new SimpleSpanProcessor(keep)]});
    const tracer = provider.getTracer('lib', '2');
    const root = tracer.startSpan('checkout', {kind: SpanKind.SERVER, attributes: {n: 1, x: 1.5, yes: true, many: [1, 2]}}, ROOT_CONTEXT);
    const inside = tracer.startSpan('pay', {kind: SpanKind.CLIENT, links: [{context: root.spanContext(), attributes: {why: 'test'}}]}, trace.setSpan(ROOT_CONTEXT, root));
    inside.addEvent('said', {what: 'no'});
    inside.setStatus({code: SpanStatusCode.ERROR, message: 'no money'});
    inside.end();
    root.end();
    await provider.forceFlush();
    await provider.shutdown();
    const found = spansOfJson(weir.ask(0, 'export', 'otlp')).filter((span) => span.resource['service.name'] === 'shop');
    equal(found.length, 2);
    for (const one of sent) {
      const [span] = found.filter(({spanId}) => spanId === one.spanContext().spanId);
      const nanoseconds = ([seconds, rest]) => (BigInt(seconds) * 1_000_000_000n + BigInt(rest)).toString();
      equal([span.name, span.traceId, span.parentSpanId, span.kind], [one.name, one.spanContext().traceId, one.parentSpanId ?? '', one.kind + 1]);
      equal([span.start, span.end], [nanoseconds(one.startTime), nanoseconds(one.endTime)]);
      equal(span.status, {code: one.status.code, message: one.status.message ?? ''});
      equal(span.events.map(({name, attributes}) => [name, attributes]), one.events.map(({name, attributes}) => [name, attributes]));
      equal(span.links.map(({spanId, attributes}) => [spanId, attributes]), one.links.map(({context, attributes}) => [context.spanId, attributes]));
      equal(span.scope, {name: 'lib', version: '2'});
      equal([span.resource['service.version'], span.resource.list], ['9', ['a', 'b']]);
    }
    const [checkout] = byName(found, 'checkout');
    equal(checkout.attributes, {n: 'int 1', x: 1.5, yes: true, many: ['int 1', 'int 2']});
    equal(await server.stop(), 0);
  } finally {
    await server.kill();
  }
}

await withFolder(async (folder) => {
  const weir = new Weir(process.argv[2], join(folder, '.weir'));
  const {good, bad} = writePipelines(folder);
  weir.ask(0, 'run', good, '--quiet');
  weir.ask(1, 'run', bad, '--quiet');
  const runs = weir.rows('SELECT run_id, pipeline_id, state FROM runs');
  equal(runs.length, 2);

  const file = join(folder, 'spans.pb');
  weir.ask(0, 'export', 'otlp-protobuf', '--output', file);
  const bytes = readFileSync(file);
  const spans = spansOfProtobuf(bytes);
  equal(spans, spansOfJson(weir.ask(0, 'export', 'otlp')));
  check(!bytes.includes('hunter2'), 'a secret is in the export');
  checkRuns(spans, runs);
  checkRetry(spans);
  const one = spansOfJson(weir.ask(0, 'export', 'otlp', '--run', runs[0].run_id));
  equal(one, spans.filter((span) => span.attributes['pipeline.run_id'] === runs[0].run_id));
  equal(weir.ask(0, 'export', 'otlp', '--since', '2999-01-01'), '');
  await checkReturned(weir, folder, spans);
  await checkGrpc(weir, spans);
  await checkForeign(weir);
});
