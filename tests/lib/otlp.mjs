// OTLP as a client says it: requests of few words, and what is in an answer.

import {createRequire} from 'node:module';
import {join} from 'node:path';
import {ROOT} from './weir.mjs';

const load = createRequire(join(ROOT, 'tests/clients/package.json'));

export const JSON_TYPE = {'Content-Type': 'application/json'};
export const PROTOBUF_TYPE = {'Content-Type': 'application/x-protobuf'};
const SERVICES = {traces: 'trace.v1.TraceService', logs: 'logs.v1.LogsService', metrics: 'metrics.v1.MetricsService'};

const attributes = (object) => Object.entries(object).map(([key, value]) => ({key, value: {stringValue: value}}));

/// Spans of one resource, of which `of` says more.
export const traces = (spans, of = {'service.name': 'svc'}) =>
  ({resourceSpans: [{resource: {attributes: attributes(of)}, scopeSpans: [{spans}]}]});
export const logs = (logRecords, of = {'service.name': 'svc'}) =>
  ({resourceLogs: [{resource: {attributes: attributes(of)}, scopeLogs: [{logRecords}]}]});
export const gauge = (name, dataPoints, of = {'service.name': 'svc'}) =>
  ({resourceMetrics: [{resource: {attributes: attributes(of)}, scopeMetrics: [{metrics: [{name, gauge: {dataPoints}}]}]}]});

/// The fields of a message of protobuf: numbers, and what has a length as bytes.
function fieldsOf(bytes) {
  const fields = [];
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(value);
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const value = varint();
    if ((tag & 7) === 0) {
      fields.push([tag >> 3, value]);
    } else if ((tag & 7) === 2) {
      fields.push([tag >> 3, bytes.subarray(at, at += value)]);
    } else {
      throw new Error(`wire type ${tag & 7}`);
    }
  }
  return fields;
}

/// {code, message, details} of a google.rpc.Status, the details by their types.
export function statusOf(bytes) {
  const status = {code: 0, message: '', details: []};
  for (const [number, value] of fieldsOf(bytes)) {
    if (number === 1) status.code = value;
    if (number === 2) status.message = value.toString();
    if (number === 3) status.details.push(fieldsOf(value)[0][1].toString().replace(/.*\//, ''));
  }
  return status;
}

/// A field of bytes, with its length, in front of `bytes`.
export function field(number, bytes) {
  const head = [number << 3 | 2];
  let size = bytes.length;
  for (; size >= 0x80; size = Math.floor(size / 128)) head.push(size % 128 | 0x80);
  head.push(size);
  return Buffer.concat([Buffer.from(head), bytes]);
}

/// A client over gRPC: `send` gives {code, message, details} as a Status has them, code 0 of a success.
export function grpcClient(server, headers = {}) {
  const {Client, Metadata, credentials} = load('@grpc/grpc-js');
  const client = new Client(server.grpc.replace('http://', ''), credentials.createInsecure(),
                            {'grpc.max_send_message_length': -1});
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name.toLowerCase(), value);
  const same = (bytes) => bytes;
  return {
    send: (signal, body) => new Promise((done) => {
      const method = `/opentelemetry.proto.collector.${SERVICES[signal]}/Export`;
      client.makeUnaryRequest(method, same, same, body, metadata, (error) => {
        if (!error) return done({code: 0, message: '', details: []});
        const [details] = error.metadata.get('grpc-status-details-bin');
        done(details === undefined ? {code: error.code, message: error.details, details: []} : statusOf(details));
      });
    }),
    close: () => client.close(),
  };
}
