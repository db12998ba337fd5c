// The query API of Jaeger, asked as its own pages and Grafana's data source ask: of runs that were
// recorded here and of traces that came over OTLP; unknown traces, wrong questions, tenants, and a
// trace of 100 000 spans.
//
//   node jaeger.mjs WEIR

import {join} from 'node:path';
import {check, equal} from '../lib/check.mjs';
import {startServer} from '../lib/server.mjs';
import {Weir, withFolder} from '../lib/weir.mjs';
import {writePipelines} from '../export/pipelines.mjs';
import {spansOfJson} from '../export/spans.mjs';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const MANY = '1af7651916cd43dd8448eb211c80319c';
const SPANS = 100_000;
const bearer = (key) => ({Authorization: `Bearer ${key}`});
const hex = (number) => number.toString(16).padStart(16, '0');

function otlpSpan(traceId, spanId, parentSpanId, name, startMs, tookMs, more = {}) {
  const at = (ms) => (BigInt(Math.round(ms)) * 1_000_000n).toString();
  return {traceId, spanId, parentSpanId, name, kind: 3, startTimeUnixNano: at(startMs), endTimeUnixNano: at(startMs + tookMs), ...more};
}

const request = (service, spans) => ({resourceSpans: [{
  resource: {attributes: [{key: 'service.name', value: {stringValue: service}}, {key: 'host.name', value: {stringValue: 'h1'}}]},
  scopeSpans: [{scope: {name: 'lib', version: '2'}, spans}]}]});

async function send(server, key, service, spans) {
  const {status, text} = await server.ask('/v1/traces', {base: server.otlp, json: request(service, spans), headers: bearer(key)});
  equal([status, text], [200, '{}']);
}

await withFolder(async (folder) => {
  const weir = new Weir(process.argv[2], join(folder, '.weir'));
  const {good, bad} = writePipelines(folder);
  weir.ask(0, 'run', good, '--quiet', '--tenant', 'acme');
  weir.ask(1, 'run', bad, '--quiet', '--tenant', 'acme');
  const acme = weir.ask(0, 'key', 'create', 'acme', '--tenant', 'acme', '--scope', 'read', '--scope', 'write').trim();
  const globex = weir.ask(0, 'key', 'create', 'globex', '--tenant', 'globex', '--scope', 'read', '--scope', 'write').trim();
  const server = await startServer(weir);
  const ask = (path, key = acme) => server.ask(`/jaeger${path}`, {headers: bearer(key)});
  const data = async (path, key = acme) => {
    const {status, body, text} = await ask(path, key);
    check(status === 200, `${path}: ${status} ${text}`);
    equal([body.errors, body.limit, body.offset], [null, 0, 0]);
    return body.data;
  };
  try {
    const now = Date.now();
    await send(server, acme, 'shop', [
      otlpSpan(TRACE, hex(1), '', 'checkout', now - 900, 800, {kind: 2, attributes: [{key: 'http.status', value: {intValue: '500'}}, {key: 'big', value: {boolValue: true}}]}),
    ]);
    await send(server, acme, 'bank', [
      otlpSpan(TRACE, hex(2), hex(1), 'pay', now - 800, 500, {status: {code: 2, message: 'no money'}, traceState: 'a=b',
        events: [{timeUnixNano: `${now - 700}000000`, name: 'said', attributes: [{key: 'what', value: {stringValue: 'no'}}]}],
        links: [{traceId: MANY, spanId: hex(7)}]}),
    ]);

    // What Grafana's data source asks: services, operations, a search, a trace.
    equal(await data('/api/services'), ['bad', 'bank', 'good', 'shop']);
    equal(await data('/api/services/bad/operations'), ['RUN bad', 'stage.breaks', 'stage.load']);
    equal(await data('/api/services/bank/operations'), ['pay']);
    equal(await data('/api/operations?service=bank&spanKind=client'), [{name: 'pay', spanKind: 'client'}]);
    equal(await data('/api/operations?service=bank&spanKind=server'), []);
    const start = (now - 3_600_000) * 1000, end = (now + 60_000) * 1000;
    const search = (query) => data(`/api/traces?start=${start}&end=${end}&limit=20&${query}`);
    const [trace] = await search('service=shop');
    equal([trace.traceID, trace.spans.length, trace.warnings], [TRACE, 2, null]);
    const span = (id) => trace.spans.find(({spanID}) => spanID === hex(id));
    const tag = (one, key) => one.tags.find((found) => found.key === key);
    equal(span(1).references, []);
    equal(span(2).references, [{refType: 'CHILD_OF', traceID: TRACE, spanID: hex(1)}, {refType: 'FOLLOWS_FROM', traceID: MANY, spanID: hex(7)}]);
    equal([span(1).startTime, span(1).duration, span(1).operationName], [(now - 900) * 1000, 800_000, 'checkout']);
    equal([tag(span(1), 'http.status'), tag(span(1), 'big'), tag(span(1), 'span.kind')],
          [{key: 'http.status', type: 'int64', value: 500}, {key: 'big', type: 'bool', value: true}, {key: 'span.kind', type: 'string', value: 'server'}]);
    equal([tag(span(2), 'error').value, tag(span(2), 'otel.status_code').value, tag(span(2), 'otel.status_description').value, tag(span(2), 'otel.scope.name').value, tag(span(2), 'w3c.tracestate').value],
          [true, 'ERROR', 'no money', 'lib', 'a=b']);
    equal(span(2).logs, [{timestamp: (now - 700) * 1000, fields: [{key: 'event', type: 'string', value: 'said'}, {key: 'what', type: 'string', value: 'no'}]}]);
    equal(Object.keys(trace.processes).length, 2);
    equal([trace.processes[span(1).processID].serviceName, trace.processes[span(2).processID].serviceName], ['shop', 'bank']);
    equal(trace.processes[span(1).processID].tags.find(({key}) => key === 'host.name').value, 'h1');

    // Each filter finds it, or does not.
    for (const [query, count] of [
      ['service=bank&operation=pay', 1], ['service=bank&operation=checkout', 0], ['service=shop&minDuration=700ms', 1], ['service=shop&minDuration=1s', 0],
      ['service=shop&maxDuration=1.2s', 1], ['service=shop&maxDuration=100us', 0], [`service=shop&tags=${encodeURIComponent('{"http.status":"500"}')}`, 1],
      [`service=shop&tags=${encodeURIComponent('{"http.status":"501"}')}`, 0], [`service=bank&tags=${encodeURIComponent('{"error":"true"}')}`, 1], ['service=bank&tag=what:no', 1],
      ['service=shop&tag=host.name:h1', 1], ['service=nobody', 0], ['service=good', 1], ['service=bad&operation=stage.breaks', 1], [`service=bad&tags=${encodeURIComponent('{"error":"true"}')}`, 1],
    ]) equal([query, (await search(query)).length], [query, count]);
    equal((await data(`/api/traces?service=shop&end=${(now - 3_600_000) * 1000}`)).length, 0);
    equal((await data(`/api/traces?traceID=${TRACE}`)).length, 1);

    // A run of ours, whole.
    const [{trace_id: own}] = weir.rows(`SELECT DISTINCT trace_id FROM events WHERE pipeline_id = 'bad' AND trace_id IS NOT NULL`);
    const [run] = await data(`/api/traces/${own}`);
    const expected = spansOfJson(weir.ask(0, 'export', 'otlp')).filter(({traceId}) => traceId === own);
    equal(run.spans.map(({spanID, operationName}) => [spanID, operationName]).sort(), expected.map(({spanId, name}) => [spanId, name]).sort());
    equal((await data(`/api/traces/${own.toUpperCase()}`))[0].traceID, own);

    // Unknown traces are 404: Grafana reads data[0] of what is not.
    for (const path of ['/api/traces/00000000000000000000000000000abc', '/api/traces/abc']) {
      const {status, body} = await ask(path);
      equal([status, body.data, body.errors], [404, null, [{code: 404, msg: 'trace not found'}]]);
    }
    for (const query of ['', '?service=shop&start=2&end=1', '?service=shop&start=x', '?service=shop&minDuration=1', '?service=shop&limit=0', '?service=shop&tags=x', '?traceID=xyz']) {
      const {status, body} = await ask(`/api/traces${query}`);
      equal([query, status, body.data, body.errors.length], [query, 400, null, 1]);
    }
    equal((await ask('/api/traces/xyz')).status, 400);

    // Who calls whom.
    equal(await data(`/api/dependencies?endTs=${now + 60_000}&lookback=3600000`), [{parent: 'shop', child: 'bank', callCount: 1}]);
    equal(await data(`/api/dependencies?endTs=${now - 7_200_000}&lookback=3600000`), []);

    // Version 3, times not encoded as Grafana has them.
    equal((await ask('/api/v3/services')).body, {services: ['bad', 'bank', 'good', 'shop']});
    equal((await ask('/api/v3/operations?service=bank')).body, {operations: [{name: 'pay', spanKind: 'client'}]});
    const {body: v3} = await ask(`/api/v3/traces?query.service_name=shop&query.start_time_min=${new Date(now - 3_600_000).toISOString()}&query.start_time_max=${new Date(now + 60_000).toISOString()}`);
    equal(spansOfJson(JSON.stringify(v3.result)), spansOfJson(weir.ask(0, 'export', 'otlp')).filter(({traceId}) => traceId === TRACE));
    const {body: one} = await ask(`/api/v3/traces/${own}`);
    equal(spansOfJson(JSON.stringify(one.result)), expected);
    const unknown = await ask('/api/v3/traces/abc');
    equal([unknown.status, unknown.body], [404, {error: {httpCode: 404, message: 'trace not found'}}]);

    // Of another tenant there is nothing.
    equal(await data('/api/services', globex), []);
    equal((await ask(`/api/traces/${own}`, globex)).status, 404);
    equal((await ask(`/api/traces/${TRACE}`, globex)).status, 404);
    equal(await data('/api/traces?service=shop', globex), []);
    equal((await server.ask('/jaeger/api/services')).status, 401);

    // A trace of 100 000 spans.
    for (let at = 0; at < SPANS; at += 10_000) {
      await send(server, globex, 'many', Array.from({length: 10_000}, (_, i) =>
        otlpSpan(MANY, hex(at + i + 1), at + i === 0 ? '' : hex(Math.floor((at + i - 1) / 10) + 1), `step ${(at + i) % 100}`, now - 1000 + (at + i) / 1000, 1)));
    }
    const begun = Date.now();
    const [many] = await data(`/api/traces/${MANY}`, globex);
    const tookMs = Date.now() - begun;
    equal([many.spans.length, new Set(many.spans.map(({spanID}) => spanID)).size], [SPANS, SPANS]);
    const known = new Set(many.spans.map(({spanID}) => spanID));
    check(many.spans.every(({references}) => references.every(({spanID}) => known.has(spanID))), 'a parent is missing');
    equal((await data('/api/services/many/operations', globex)).length, 100);
    console.log(`100 000 spans in ${tookMs} ms`);
    equal(await server.stop(), 0);
  } finally {
    await server.kill();
  }
});
