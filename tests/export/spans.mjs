// Spans as others read them: protobuf with protobufjs and OpenTelemetry's own definitions.

import {createRequire} from 'node:module';
import {join} from 'node:path';
import {ROOT} from '../lib/weir.mjs';

const load = createRequire(join(ROOT, 'tests/clients/package.json'));
const {opentelemetry} = load('@opentelemetry/otlp-transformer/build/src/generated/root');
const Request = opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;

const hex = (bytes) => Buffer.from(bytes ?? []).toString('hex');
const number = (value) => value === undefined || value === null ? '0' : value.toString();

function plain(value) {
  if (value === null || value === undefined) return null;
  if (value.kvlistValue) return Object.fromEntries((value.kvlistValue.values ?? []).map((one) => [one.key, plain(one.value)]));
  if (value.arrayValue) return (value.arrayValue.values ?? []).map(plain);
  for (const name of ['stringValue', 'boolValue', 'doubleValue']) if (value[name] !== undefined && value[name] !== null) return value[name];
  return value.intValue === undefined || value.intValue === null ? null : `int ${value.intValue}`;
}

const attributes = (list) => Object.fromEntries((list ?? []).map(({key, value}) => [key, plain(value)]));

/// A span in one form, whatever it came in; ids and numbers as texts.
function span(one, resource, scope, id) {
  return {
    traceId: id(one.traceId), spanId: id(one.spanId), parentSpanId: id(one.parentSpanId), traceState: one.traceState ?? '',
    name: one.name, kind: one.kind ?? 0, start: number(one.startTimeUnixNano), end: number(one.endTimeUnixNano),
    attributes: attributes(one.attributes),
    events: (one.events ?? []).map((event) => ({time: number(event.timeUnixNano), name: event.name, attributes: attributes(event.attributes)})),
    links: (one.links ?? []).map((link) => ({traceId: id(link.traceId), spanId: id(link.spanId), attributes: attributes(link.attributes)})),
    status: {code: one.status?.code ?? 0, message: one.status?.message ?? ''},
    droppedEvents: one.droppedEventsCount ?? 0,
    resource: attributes(resource?.attributes), scope: {name: scope?.name ?? '', version: scope?.version ?? ''},
  };
}

const all = (request, id) => (request.resourceSpans ?? []).flatMap(({resource, scopeSpans}) =>
  (scopeSpans ?? []).flatMap(({scope, spans}) => (spans ?? []).map((one) => span(one, resource, scope, id))));

const sorted = (spans) => spans.sort((a, b) => (a.spanId + a.start + a.end < b.spanId + b.start + b.end ? -1 : 1));

/// Of a file or a request: sorted.
export function spansOfProtobuf(bytes) {
  const message = Request.decode(bytes);
  const problem = Request.verify(message);
  if (problem) throw new Error(problem);
  return sorted(all(Request.toObject(message, {longs: String, bytes: Buffer, enums: Number}), hex));
}

/// Of lines that are a request each.
export function spansOfJson(text) {
  return sorted(text.split('\n').filter((line) => line !== '').flatMap((line) => all(JSON.parse(line), (id) => id ?? '')));
}
