// OTLP over gRPC asked wrongly: other methods, sizes, encodings, keys. It answers what is wrong, and
// stores nothing of it; what a key sends is its tenant's.
//
//   node grpc.mjs WEIR

import {connect} from 'node:http2';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {check, equal} from '../lib/check.mjs';
import {startServer} from '../lib/server.mjs';
import {ROOT, Weir, withFolder} from '../lib/weir.mjs';

const load = createRequire(join(ROOT, 'tests/clients/package.json'));
const grpc = load('@grpc/grpc-js');
const {OK, INVALID_ARGUMENT, PERMISSION_DENIED, RESOURCE_EXHAUSTED, UNIMPLEMENTED, UNAUTHENTICATED} = grpc.status;
const service = (signal, name) => `/opentelemetry.proto.collector.${signal}.v1.${name}Service/Export`;
const TRACES = service('trace', 'Trace');
const MAX = 64 << 20;

/// A field of protobuf that has bytes.
function field(number, bytes) {
  check(bytes.length < 128, 'a short one');
  return Buffer.concat([Buffer.from([number << 3 | 2, bytes.length]), bytes]);
}

/// An ExportTraceServiceRequest with one span of this name.
function spanOf(name, number) {
  const end = Buffer.alloc(9);
  end[0] = 8 << 3 | 1;
  end.writeBigUInt64LE(1764590401000000000n, 1);
  const span = Buffer.concat([field(1, Buffer.alloc(16, number)), field(2, Buffer.alloc(8, number)), field(5, Buffer.from(name)), end]);
  return field(1, field(2, field(2, span)));
}

await withFolder(async (folder) => {
  const weir = new Weir(process.argv[2], join(folder, '.weir'));
  const key = (name, ...words) => weir.ask(0, 'key', 'create', name, ...words).trim();
  const acme = key('acme', '--tenant', 'acme', '--scope', 'write', '--scope', 'read');
  const globex = key('globex', '--tenant', 'globex', '--scope', 'write');
  const reader = key('reader', '--tenant', 'acme', '--scope', 'read');
  const server = await startServer(weir);
  const address = server.grpc.replace('http://', '');

  /// {code, details} of a call.
  const call = (path, bytes, who = acme, options = {}) => new Promise((done) => {
    const client = new grpc.Client(address, grpc.credentials.createInsecure(), {'grpc.max_send_message_length': -1, ...options});
    const metadata = new grpc.Metadata();
    if (who) metadata.set('authorization', `Bearer ${who}`);
    const same = (message) => message;
    client.makeUnaryRequest(path, same, same, bytes, metadata, {deadline: Date.now() + 60_000}, (error) => {
      client.close();
      done(error ? {code: error.code, details: error.details} : {code: OK, details: ''});
    });
  });
  /// The same of a request that no client makes, by its headers and one message.
  const raw = (payload, isCompressed, headers) => new Promise((done) => {
    const session = connect(server.grpc);
    session.on('error', () => done('closed'));
    const request = session.request({':method': 'POST', ':path': TRACES, 'content-type': 'application/grpc', te: 'trailers',
                                     authorization: `Bearer ${acme}`, ...headers});
    let status;
    const see = (found) => { status = found['grpc-status'] ?? status ?? `HTTP ${found[':status']}`; };
    request.on('response', see).on('trailers', see).on('error', () => {}).on('close', () => {
      session.close();
      done(status ?? 'closed');
    });
    request.resume();
    const head = Buffer.from([isCompressed ? 1 : 0, 0, 0, 0, 0]);
    head.writeUInt32BE(payload.length, 1);
    request.end(Buffer.concat([head, payload]));
  });
  const code = async (expected, ...words) => {
    const {code: found, details} = await call(...words);
    check(found === expected, `${words[0]} of ${words[1].length} bytes: ${found} ${details}, not ${expected}`);
    check(found === OK || details !== '', 'a reason is missing');
    check(!details.includes(weir.store), details);
  };
  try {
    for (const path of [TRACES, service('logs', 'Logs'), service('metrics', 'Metrics')]) {
      await code(OK, path, Buffer.alloc(0));
      await code(INVALID_ARGUMENT, path, Buffer.from('zzzzzz'));
      await code(INVALID_ARGUMENT, path, Buffer.from([0x0a, 0x7f, 0x01]));
      await code(UNAUTHENTICATED, path, Buffer.alloc(0), null);
      await code(UNAUTHENTICATED, path, Buffer.alloc(0), 'weir_00000000_x');
      await code(PERMISSION_DENIED, path, Buffer.alloc(0), reader);
      await code(RESOURCE_EXHAUSTED, path, Buffer.alloc(MAX + 1));
    }
    for (const path of ['/x.Y/Z', '/', service('profiles', 'Profiles'), '/opentelemetry.proto.collector.trace.v1.TraceService/Import']) {
      await code(UNIMPLEMENTED, path, Buffer.alloc(3));
    }
    await code(OK, TRACES, spanOf('of-acme', 1));
    await code(OK, TRACES, spanOf('of-globex', 2), globex);
    await code(OK, TRACES, spanOf('packed', 3), acme, {'grpc.default_compression_algorithm': 2});
    equal(await raw(gzipSync(Buffer.alloc(MAX + (6 << 20))), true, {'grpc-encoding': 'gzip'}), String(RESOURCE_EXHAUSTED));
    for (const [payload, headers] of [[Buffer.from('no gzip'), {'grpc-encoding': 'gzip'}], [Buffer.from('x'), {'grpc-encoding': 'br'}],
                                      [Buffer.alloc(0), {':method': 'GET'}], [Buffer.from('{}'), {'content-type': 'application/json'}]]) {
      const status = await raw(payload, 'grpc-encoding' in headers, headers);
      check(status !== '0' && !/^HTTP 200/.test(status), `${JSON.stringify(headers)}: ${status}`);
    }
    const names = async (who) => (await server.ask('/api/v1/sql', {headers: {Authorization: `Bearer ${who}`},
      json: {query: "SELECT operation FROM events WHERE event_type = 'span' ORDER BY ALL"}})).body.rows.flat();
    equal((await names(acme)).length, 2);
    equal((await server.ask('/healthz')).status, 200);
    equal(await server.stop(), 0);
    equal(weir.rows(`SELECT tenant_id, count(*)::INTEGER AS n FROM events WHERE event_type = 'span' GROUP BY 1 ORDER BY 1`),
          [{tenant_id: 'acme', n: 2}, {tenant_id: 'globex', n: 1}]);
  } finally {
    await server.kill();
  }
});
