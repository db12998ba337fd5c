// A server with a certificate: HTTPS and gRPC over TLS to those who trust it, nothing to those who
// speak no TLS or an old one, and a certificate that is none is said before it listens.
//
//   node tls.mjs WEIR

import {execFileSync, spawnSync} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {request} from 'node:https';
import {connect} from 'node:net';
import {join} from 'node:path';
import {check, equal} from '../lib/check.mjs';
import {startServer} from '../lib/server.mjs';
import {ROOT, Weir, withFolder} from '../lib/weir.mjs';

const load = createRequire(join(ROOT, 'tests/clients/package.json'));

function makeCertificate(folder, name) {
  const [key, certificate] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
    '-nodes', '-days', '2', '-subj', '/CN=localhost',
    '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', certificate],
               {stdio: 'ignore'});
  return {key, certificate};
}

/// {status, text} of a request over TLS.
function ask(url, {certificate, key, body, path}) {
  return new Promise((done, failed) => {
    const sent = request(url + path, {
      method: body === undefined ? 'GET' : 'POST',
      ca: readFileSync(certificate),
      servername: 'localhost',
      headers: {Authorization: `Bearer ${key}`, 'Content-Type': 'application/x-ndjson'},
    }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (piece) => { text += piece; });
      answer.on('end', () => done({status: answer.statusCode, text}));
    });
    sent.on('error', failed);
    sent.end(body);
  });
}

const event = (message) => JSON.stringify({
  event_type: 'log', timestamp: new Date().toISOString(), run_id: 'secret-run', pipeline_id: 'tls',
  level: 'INFO', message}) + '\n';

/// What comes back to one who speaks HTTP where TLS is spoken.
function speakPlainly(url) {
  return new Promise((done) => {
    const {hostname, port} = new URL(url);
    let got = '';
    const socket = connect(Number(port), hostname, () => {
      socket.write('GET /api/v1/runs HTTP/1.1\r\nHost: localhost\r\n\r\n');
    });
    socket.setEncoding('latin1').on('data', (text) => { got += text; });
    socket.on('error', () => {});  // it may be reset
    socket.on('close', () => done(got));
  });
}

async function sendSpan(url, certificate, key) {
  const {BasicTracerProvider, SimpleSpanProcessor} = load('@opentelemetry/sdk-trace-base');
  const {OTLPTraceExporter} = load('@opentelemetry/exporter-trace-otlp-grpc');
  const {credentials, Metadata} = load('@grpc/grpc-js');
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${key}`);
  const provider = new BasicTracerProvider({spanProcessors: [new SimpleSpanProcessor(
      new OTLPTraceExporter({url, metadata, credentials: credentials.createSsl(certificate)}))]});
  provider.getTracer('steps').startSpan('over-tls').end();
  await provider.forceFlush();
  await provider.shutdown();
}

await withFolder(async (folder) => {
  const weir = new Weir(process.argv[2], join(folder, '.weir'));
  const own = makeCertificate(folder, 'own'), other = makeCertificate(folder, 'other');
  const key = weir.ask(0, 'key', 'create', 'tls', '--scope', 'admin').trim();

  // What is wrong with the files is said, and nothing listens.
  const broken = join(folder, 'broken.pem');
  writeFileSync(broken, 'no certificate');
  for (const [certificate, its_key] of [
    [broken, own.key], [join(folder, 'none.pem'), own.key], [own.certificate, broken],
    [own.certificate, other.key]]) {
    const refused = weir.call('serve', '--port', '0', '--otlp-port', '0', '--otlp-grpc-port', '0',
                              '--tls-certificate', certificate, '--tls-key', its_key);
    check(refused.status !== 0 && (refused.stderr.includes('.pem') || refused.stderr.includes('.key')),
          `${certificate} with ${its_key}: ${refused.status}, ${refused.stderr}`);
  }

  const server = await startServer(weir, '--tls-certificate', own.certificate, '--tls-key', own.key);
  try {
    check(server.url.startsWith('https://'), server.said);
    const trusting = {certificate: own.certificate, key};
    const taken = await ask(server.url, {...trusting, path: '/api/v1/events', body: event('over TLS')});
    check(taken.status === 200, taken.text);

    // curl, with the certificate, without, and with TLS 1.1.
    const curl = (...words) => spawnSync('curl', ['-sS', '-H', `Authorization: Bearer ${key}`, ...words,
      `${server.url}/api/v1/runs`], {encoding: 'utf8'});
    equal(curl('--cacert', own.certificate).status, 0);
    check(curl('--cacert', other.certificate).status === 60, 'a certificate of somebody else');
    const old = curl('--cacert', own.certificate, '--tls-max', '1.1', '--ciphers', 'DEFAULT@SECLEVEL=0');
    check(old.status === 35 && /alert|version/.test(old.stderr), `TLS 1.1: ${old.status} ${old.stderr}`);

    // Without TLS nothing is said.
    for (const url of [server.url, server.otlp]) {
      check(!(await speakPlainly(url)).includes('200 OK'), 'plain HTTP was answered');
    }

    await sendSpan(server.grpc, readFileSync(own.certificate), key);
    await sendSpan(server.grpc, readFileSync(other.certificate), key).catch(() => {});

    // The commands.
    weir.env.WEIR_KEY = key;
    const distrusting = weir.call('--server', server.url, 'runs');
    check(distrusting.status !== 0 && distrusting.stderr.includes('certificate'), distrusting.stderr);
    weir.env.SSL_CERT_FILE = own.certificate;
    check(weir.ask(0, '--server', server.url, 'runs').includes('tls'), 'no run over TLS');
    check(await server.stop() === 0, server.complained);
  } finally {
    await server.kill();
  }
  equal(weir.rows(`SELECT message FROM events WHERE pipeline_id = 'tls'`), [{message: 'over TLS'}]);
  // Of the two clients one trusted the server.
  equal(weir.rows(`SELECT name FROM spans WHERE name = 'over-tls'`), [{name: 'over-tls'}]);
  const log = execFileSync('sh', ['-c', `grep -rl "BEGIN.*PRIVATE" "${weir.store}" || true`], {encoding: 'utf8'});
  check(log === '', `a private key in the store: ${log}`);
});
