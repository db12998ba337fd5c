// OTLP over gRPC without a library: HTTP/2 of Node, and as much of protobuf as a message of strings takes.

import {connect} from 'node:http2';

export const exportPath = (signal) => {
  const service = {traces: 'trace.v1.Trace', logs: 'logs.v1.Logs', metrics: 'metrics.v1.Metrics'}[signal];
  return `/opentelemetry.proto.collector.${service}Service/Export`;
};

function varint(number) {
  const bytes = [];
  for (; number > 127; number = Math.floor(number / 128)) bytes.push(number % 128 | 128);
  return Buffer.from([...bytes, number]);
}

/// A field of bytes: of a message, a text or an id.
export function field(number, ...contents) {
  const bytes = Buffer.concat(contents.map((content) => Buffer.from(content)));
  return Buffer.concat([varint(number << 3 | 2), varint(bytes.length), bytes]);
}
export function fixed64(number, value) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return Buffer.concat([varint(number << 3 | 1), bytes]);
}
export const text = (value) => field(1, value);  // AnyValue.string_value

/// A connection: {session, closed}, the second a promise.
export function dial(url) {
  const session = connect(url);
  session.on('error', () => {});
  return {session, closed: new Promise((done) => session.on('close', done))};
}

/// A call: {stream, ended}, the second a promise of its status as a number; none: there was none.
export function begin(session, path, headers = {}) {
  if (session.closed || session.destroyed) {
    return {stream: {write() {}, end() {}}, ended: Promise.resolve({status: undefined, message: 'no connection'})};
  }
  const stream = session.request({':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers', ...headers});
  let status, message = '';
  const take = (given) => {
    if (given['grpc-status'] === undefined) return;
    status = Number(given['grpc-status']);
    message = decodeURIComponent(given['grpc-message'] ?? '');
  };
  stream.on('response', take).on('trailers', take).on('error', () => {}).resume();
  return {stream, ended: new Promise((done) => stream.on('close', () => done({status, message})))};
}

/// The frame of a message, or of the beginning of one.
export function frame(message, length = message.length) {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
}

/// The status of a whole call.
export function call(session, path, message, headers = {}) {
  const {stream, ended} = begin(session, path, headers);
  stream.end(frame(message));
  return ended;
}
