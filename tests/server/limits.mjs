// What strangers and slow clients may take of a server: over gRPC no more time, connections and memory
// than over HTTP; a body is counted as it comes; and who is refused gets to read why.
//
//   node limits.mjs WEIR

import {execFileSync} from 'node:child_process';
import {chmodSync, readFileSync, writeFileSync} from 'node:fs';
import {connect} from 'node:net';
import {join, resolve} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {connect as connectTls} from 'node:tls';
import {check, equal} from '../lib/check.mjs';
import {begin, call, dial, exportPath, frame} from '../lib/otlp_grpc.mjs';
import {startServer} from '../lib/server.mjs';
import {Weir, withFolder} from '../lib/weir.mjs';

const MIB = 1 << 20;
const NDJSON = {'Content-Type': 'application/x-ndjson'};
const bearer = (key) => ({Authorization: `Bearer ${key}`});
const UNAUTHENTICATED = 16;
const event = (message) => JSON.stringify({
  timestamp: '2026-11-30T12:00:00Z', event_type: 'log', pipeline_id: 'p', message, event_id: message,
  run_id: '0195e0a0-0000-7000-8000-00000000000a'}) + '\n';

const residentMiB = (server) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.child.pid}/status`, 'utf8'))[1]) / 1024;

async function within(ms, what, promise) {
  let timer;
  const late = new Promise((_, failed) => { timer = setTimeout(() => failed(new Error(`${what}: not within ${ms} ms`)), ms); });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/// The head of a POST, and a body that never ends.
function beginBody(server, key, length) {
  const {hostname, port} = new URL(server.url);
  const socket = connect(Number(port), hostname);
  let got = '';
  socket.setEncoding('latin1').on('data', (piece) => { got += piece; }).on('error', () => {});
  const closed = new Promise((done) => socket.on('close', () => done(got)));
  socket.write(`POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${key}\r\n`
      + `Content-Type: application/x-ndjson\r\nContent-Length: ${length}\r\n\r\n`);
  return {socket, closed, answer: () => got};
}

async function endsWhatGoesOnOverGrpc(server, key) {
  const before = residentMiB(server);
  const path = exportPath('traces');
  const half = frame(Buffer.alloc(1.5 * MIB), 3 * MIB);
  const all = Array.from({length: 100}, () => dial(server.grpc));
  let open = all;
  for (let i = 0; i < 30 && (i < 10 || open.length > 50); ++i) {
    await sleep(100);
    open = all.filter(({session}) => !session.closed && !session.destroyed);
  }
  check(open.length >= 12 && open.length <= 50, `${open.length} connections, where 50 may be`);

  // A call without a key is refused before its message is read; one with a key and half of it ends.
  const strangers = open.slice(0, 10).flatMap(({session}) => [1, 2, 3, 4].map(() => begin(session, path)));
  for (const {stream} of strangers) stream.write(half);
  for (const {ended} of strangers) {
    equal((await within(5000, 'a stranger\'s call', ended)).status, UNAUTHENTICATED);
  }
  const ours = begin(open[10].session, path, {authorization: `Bearer ${key}`});
  ours.stream.write(half);
  await within(10_000, 'half a message', ours.ended);
  const whole = await within(5000, 'a whole call', call(open[11].session, path, Buffer.alloc(0), {authorization: `Bearer ${key}`}));
  equal(whole.status, 0);
  equal((await call(open[11].session, '/nothing.Of/OtherServices', Buffer.alloc(0))).status, 12);
  await within(15_000, 'idle connections', Promise.all(all.map(({closed}) => closed)));
  const grown = residentMiB(server) - before;
  check(before > 150 || grown < 60, `${grown} MiB more`);  // a sanitizer's memory is not ours
  // There is room again.
  const again = dial(server.grpc);
  equal((await call(again.session, path, Buffer.alloc(0), {authorization: `Bearer ${key}`})).status, 0);
  again.session.destroy();
}

/// More than the least that a client may send in a second, and for ever.
async function endsABodyThatTakesTooLong(server, key) {
  const body = beginBody(server, key, 64 * MIB);
  const timer = setInterval(() => body.socket.write(Buffer.alloc(2048, ' ')), 200);
  await within(25_000, 'a body of 10 KiB/s', body.closed);
  clearInterval(timer);
}

async function leavesDescriptorsToHttp(folder, program) {
  const limited = join(folder, 'weir-of-200');
  writeFileSync(limited, `#!/bin/sh\nulimit -n 200\nexec '${resolve(program)}' "$@"\n`);
  chmodSync(limited, 0o755);
  const server = await startServer(new Weir(limited, join(folder, '.of-200')));
  try {
    for (const base of [server.grpc, server.otlp]) {
      const {hostname, port} = new URL(base);
      const sockets = Array.from({length: 220}, () => connect(Number(port), hostname).on('error', () => {}));
      await sleep(500);
      for (const socket of sockets) socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0');
      await sleep(500);
      if (base === server.grpc) {
        equal((await within(5000, 'HTTP beside 220 connections over gRPC', server.ask('/healthz'))).status, 200);
      }
      for (const socket of sockets) socket.destroy();
    }
    await sleep(500);
    equal((await within(5000, 'HTTP afterwards', server.ask('/healthz'))).status, 200);
  } finally {
    await server.kill();
  }
}

async function countsBodiesAsTheyCome(server, acme, globex) {
  const post = (key, text) => server.ask('/api/v1/events', {method: 'POST', body: text, headers: {...NDJSON, ...bearer(key)}});
  const declared = Array.from({length: 8}, () => beginBody(server, acme, 64 * MIB));
  for (const {socket} of declared) socket.write('   ');
  await sleep(500);
  equal((await post(globex, event('beside what is declared'))).status, 200);
  equal((await post(acme, event('of the same tenant'))).status, 200);
  for (const {socket} of declared) socket.destroy();
  await sleep(200);

  // What one tenant has really sent leaves room for another.
  const sent = [1, 2, 3].map(() => beginBody(server, acme, 64 * MIB));
  for (const {socket} of sent) socket.write(Buffer.alloc(60 * MIB, ' '));
  const deadline = performance.now() + 15_000;
  while (!sent.some(({answer}) => answer().startsWith('HTTP/1.1 503 '))) {
    check(performance.now() < deadline, 'one tenant may send three bodies of 60 MiB at once');
    await sleep(20);
  }
  equal((await post(globex, event('beside what is sent'))).status, 200);
  const large = await post(globex, event('large') + ' '.repeat(40 * MIB) + '\n');
  equal([large.status, large.body.stored], [200, 1]);
  for (const {socket} of sent) socket.destroy();
}

/// Sends a whole body before it looks at the answer, as many clients do: the status.
function sendAll(url, ca, key, bytes) {
  const {hostname, port} = new URL(url);
  return new Promise((done, failed) => {
    const options = {port: Number(port), host: hostname, servername: 'localhost', ca};
    const socket = ca === undefined ? connect(options) : connectTls(options);
    let got = '', sent = false;
    const look = () => {
      const status = /^HTTP\/1.1 (\d+)/.exec(got);
      if (!sent || status === null) return;
      socket.removeListener('error', failed);
      socket.on('error', () => {}).destroy();
      done(Number(status[1]));
    };
    socket.setEncoding('latin1').on('data', (piece) => { got += piece; look(); }).on('error', failed);
    socket.on('close', () => failed(new Error(`closed after ${got.split('\r\n')[0]}`)));
    socket.write(`POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${key}\r\n`
        + `Content-Type: application/x-ndjson\r\nContent-Length: ${bytes}\r\n\r\n`);
    socket.write(Buffer.alloc(bytes, ' '), (error) => {
      if (error) return;
      sent = true;
      look();
    });
  });
}

async function hearsOutWhomItRefuses(server, ca, key) {
  for (const [bytes, who, status] of [[66 * MIB, key, 413], [8 * MIB, 'weir_00000000_x', 401]]) {
    equal(await within(20_000, `${bytes} bytes`, sendAll(server.url, ca, who, bytes)), status);
  }
}

await withFolder(async (folder) => {
  const program = process.argv[2];
  const weir = new Weir(program, join(folder, '.weir'));
  const key = (tenant) => weir.ask(0, 'key', 'create', tenant, '--tenant', tenant, '--scope', 'write').trim();
  const [acme, globex] = [key('acme'), key('globex')];
  let server = await startServer(weir);
  try {
    await countsBodiesAsTheyCome(server, acme, globex);
    await hearsOutWhomItRefuses(server, undefined, acme);
  } finally {
    await server.kill();
  }
  const [tlsKey, certificate] = [join(folder, 'tls.key'), join(folder, 'tls.pem')];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
    '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', tlsKey, '-out', certificate],
               {stdio: 'ignore'});
  server = await startServer(weir, '--tls-certificate', certificate, '--tls-key', tlsKey);
  try {
    await hearsOutWhomItRefuses(server, readFileSync(certificate), acme);
  } finally {
    await server.kill();
  }
  await leavesDescriptorsToHttp(folder, program);
  writeFileSync(join(folder, 'weir.yaml'), 'server: {stalled: 1s, idle: 5s, max_connections: 50}\n');
  server = await startServer(weir);
  try {
    await Promise.all([endsWhatGoesOnOverGrpc(server, acme), endsABodyThatTakesTooLong(server, acme)]);
    equal(await server.stop(), 0);
  } finally {
    await server.kill();
  }
});
