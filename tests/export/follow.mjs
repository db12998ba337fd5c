// `weir serve` sends the traces of runs that end to a receiver that is not ours, and goes on where it
// was: a receiver that is down, or busy, and a server that is killed meanwhile cost nothing but delay.
// All traces with an error are sent, of the others the part that is wanted.
//
//   node follow.mjs WEIR

import {writeFileSync} from 'node:fs';
import {createServer} from 'node:net';
import {join} from 'node:path';
import {check, equal} from '../lib/check.mjs';
import {startServer} from '../lib/server.mjs';
import {Weir, withFolder} from '../lib/weir.mjs';
import {writePipelines} from './pipelines.mjs';
import {startReceiver} from './receiver.mjs';
import {spansOfJson} from './spans.mjs';

async function freePort() {
  const server = createServer();
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const {port} = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

async function until(what, holds, seconds = 60) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
    if (holds()) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`not in time: ${what}`);
}

const ids = (spans) => [...new Set(spans.map(({spanId}) => spanId))].sort();
const roots = (spans) => [...new Set(spans.filter(({name}) => name.startsWith('RUN ')).map(({attributes}) => attributes.runId))].sort();

await withFolder(async (folder) => {
  const weir = new Weir(process.argv[2], join(folder, '.weir'));
  const {good, bad} = writePipelines(folder);
  const port = await freePort();
  const config = (sampling) => writeFileSync(join(folder, 'weir.yaml'), `export:
  - {name: jaeger, endpoint: 'http://127.0.0.1:${port}', sampling: ${sampling}, settle: 100ms, headers: {X-Team: night}}
`);
  config(1);
  // Nobody listens. The server is killed, and another takes over.
  let server = await startServer(weir);
  weir.ask(0, 'run', good, '--quiet');
  weir.ask(1, 'run', bad, '--quiet');
  await until('that nobody listens is said', () => server.complained.includes("export 'jaeger'"));
  check(server.complained.split('\n').length <= 3, server.complained);
  await server.kill();
  server = await startServer(weir);
  weir.ask(1, 'run', bad, '--quiet');
  // Somebody listens, and is busy at first.
  const busy = {1: {status: 503, headers: {'Retry-After': '1'}}, 2: {status: 429}};
  const receiver = await startReceiver(port, (number) => busy[number]);
  const expected = spansOfJson(weir.ask(0, 'export', 'otlp'));
  await until('all spans are there', () => ids(receiver.spans).length === expected.length);
  equal(ids(receiver.spans), ids(expected));
  check(receiver.times[1] - receiver.times[0] >= 1000, 'it came back before it was asked to');
  equal([receiver.path, receiver.headers['x-team'], receiver.headers['content-encoding']], ['/v1/traces', 'night', 'gzip']);
  // Each is as the export has it.
  const first = new Map(receiver.spans.map((span) => [span.spanId, span]));
  equal(expected.map(({spanId}) => first.get(spanId)), expected);

  // What was delivered is not sent again by the next server.
  const before = receiver.spans.length;
  equal(await server.stop(), 0);
  config(0);
  server = await startServer(weir);
  weir.ask(0, 'run', good, '--quiet');  // without an error now, since it was tried before
  weir.ask(1, 'run', bad, '--quiet');
  await until('the failed one is there', () => receiver.spans.length > before);
  await new Promise((done) => setTimeout(done, 1500));
  const later = receiver.spans.slice(before);
  equal(later.filter(({name}) => name.startsWith('RUN ')).map(({name, status}) => [name, status.code]), [['RUN bad', 2]]);
  equal(await server.stop(), 0);
  await receiver.stop();

  // By hand: what is there, once; a receiver that refuses it for good is an answer, too.
  const strict = await startReceiver(0, () => ({status: 400}));
  const refused = weir.start('export', 'otlp', '--endpoint', strict.url);
  equal((await refused.ended).status, 1);
  await strict.stop();
  const wide = await startReceiver();
  const followed = weir.start('export', 'otlp', '--endpoint', wide.url, '--follow', '--name', 'hand', '--sampling', '1');
  await until('all runs have come', () => roots(wide.spans).length === 5);
  followed.process.kill('SIGINT');
  equal((await followed.ended).status, 0);
  await wide.stop();
});
