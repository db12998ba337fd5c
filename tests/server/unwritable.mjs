// A server whose log cannot be written says so to whoever sends something, and to whoever asks whether it
// is ready, without saying where the log is; and it goes on when the log can be written again.
//
//   node unwritable.mjs WEIR

import {createRequire} from 'node:module';
import {renameSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {check, equal} from '../lib/check.mjs';
import {withServer} from '../lib/server.mjs';
import {ROOT, Weir, withFolder} from '../lib/weir.mjs';

const load = createRequire(join(ROOT, 'tests/clients/package.json'));
const grpc = load('@grpc/grpc-js');
const TRACE = Buffer.from('0a2c122a12280a10' + '01'.repeat(16) + '1208' + '02'.repeat(8) + '2a016e41004aabd99e157d18', 'hex');

function export_(server, bytes) {
  return new Promise((done) => {
    const client = new grpc.Client(server.grpc.replace('http://', ''), grpc.credentials.createInsecure());
    const same = (message) => message;
    client.makeUnaryRequest('/opentelemetry.proto.collector.trace.v1.TraceService/Export', same, same, bytes, new grpc.Metadata(),
        {deadline: Date.now() + 30_000}, (error) => {
      client.close();
      done(error ? {code: error.code, text: error.details + JSON.stringify(error.metadata.getMap(), (_, value) =>
        value?.type === 'Buffer' ? Buffer.from(value.data).toString('latin1') : value)} : {code: 0, text: ''});
    });
  });
}

await withFolder(async (folder) => {
  const weir = new Weir(process.argv[2], join(folder, 'my night', '.weir'));
  weir.ask(0, 'exec', '--quiet', '--', 'true');
  const log = join(weir.store, 'log'), away = join(weir.store, 'away');
  await withServer(weir, [], async (server) => {
    let number = 0;
    const native = () => server.ask('/api/v1/events', {json: {timestamp: '2026-11-30T12:00:00Z', event_type: 'log', pipeline_id: 'p',
      run_id: '0195e0a0-0000-7000-8000-000000000001', message: `m${++number}`}});
    const otlp = (type) => server.ask('/v1/traces', {base: server.otlp, method: 'POST', headers: {'Content-Type': type},
      body: type === 'application/json' ? JSON.stringify({resourceSpans: [{scopeSpans: [{spans: [{traceId: 'a'.repeat(32),
        spanId: String(++number).padStart(16, '0'), name: 'n', endTimeUnixNano: '1764590401000000000'}]}]}]}) : TRACE});
    equal((await server.ask('/readyz')).status, 200);
    renameSync(log, away);
    writeFileSync(log, '');
    const silent = (text) => check(!text.includes(folder) && !text.includes('my night'), `it says where: ${text}`);
    for (const answer of [await native(), await otlp('application/json'), await otlp('application/x-protobuf')]) {
      equal([answer.status, answer.headers.get('retry-after')], [503, '1']);
      silent(answer.text);
    }
    const refused = await export_(server, TRACE);
    equal(refused.code, grpc.status.UNAVAILABLE);
    silent(refused.text);
    const ready = await server.ask('/readyz');
    equal(ready.status, 503);
    silent(ready.text);
    equal((await server.ask('/healthz')).status, 200);
    rmSync(log);
    renameSync(away, log);
    // Who is told nothing of it is ready again before anybody has sent anything.
    equal((await server.ask('/readyz')).status, 200);
    equal((await native()).status, 200);
    equal((await export_(server, TRACE)).code, 0);
    equal((await server.ask('/readyz')).status, 200);
    await server.stop();
  });
});
