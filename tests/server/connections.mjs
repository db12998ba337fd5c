// Many connections, and those that are slow: ten thousand that do nothing, two hundred that all send,
// some that send or take a byte now and then. Those that are busy are answered, those that stall are
// cut off, and what was acknowledged is there. Where the system lets a process have fewer
// descriptors, there are fewer idle ones.
//
//   node connections.mjs WEIR

import {execSync} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {Agent, request} from 'node:http';
import {connect} from 'node:net';
import {join} from 'node:path';
import {check, equal} from '../lib/check.mjs';
import {startServer} from '../lib/server.mjs';
import {Weir, withFolder} from '../lib/weir.mjs';

const BUSY = 200;
const REQUESTS = 20;  // of each
const EVENTS = 5;     // in each
const limit = execSync('ulimit -Hn', {shell: '/bin/sh', encoding: 'utf8'}).trim();
const IDLE = Math.min(10_000, Math.floor((limit === 'unlimited' ? 1e6 : Number(limit)) * 0.7) - 1000);

const residentMiB = (server) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.child.pid}/status`, 'utf8'))[1]) / 1024;

function open(server) {
  const {hostname, port} = new URL(server.url);
  return new Promise((done, failed) => {
    const socket = connect(Number(port), hostname, () => done(socket));
    socket.on('error', failed);
  });
}

/// One client: its requests one after the other on one connection. Gives how long each took.
async function work(server, client) {
  const agent = new Agent({keepAlive: true, maxSockets: 1});
  const took = [];
  for (let i = 0; i < REQUESTS; ++i) {
    const lines = Array.from({length: EVENTS}, (_, at) => JSON.stringify({
      timestamp: '2026-11-30T12:00:00Z', event_type: 'log', pipeline_id: 'p', message: 'm',
      run_id: '0195e0a0-0000-7000-8000-00000000000a', event_id: `${client}-${i}-${at}`})).join('\n');
    const begun = performance.now();
    const status = await new Promise((done, failed) => {
      const asked = request(`${server.url}/api/v1/events`, {method: 'POST', agent,
        headers: {'Content-Type': 'application/x-ndjson', 'Content-Length': Buffer.byteLength(lines)}}, (answer) => {
        answer.resume().on('end', () => done(answer.statusCode)).on('error', failed);
      });
      asked.on('error', failed).end(lines);
    });
    equal(status, 200);
    took.push(performance.now() - begun);
  }
  agent.destroy();
  return took;
}

/// How long until the server closes the connection on which somebody does `what`.
async function untilCutOff(server, what) {
  const socket = await open(server);
  socket.on('error', () => {});
  const begun = performance.now();
  const closed = new Promise((done) => socket.on('close', done));
  const timer = what(socket);
  let late;
  await Promise.race([closed, new Promise((_, failed) => {
    late = setTimeout(() => failed(new Error('a slow client was not cut off')), 60_000);
  })]);
  clearTimeout(late);
  clearInterval(timer);
  return performance.now() - begun;
}

await withFolder(async (folder) => {
  const weir = new Weir(process.argv[2], join(folder, '.weir'));
  writeFileSync(join(folder, 'weir.yaml'), 'server: {stalled: 2s, idle: 5m}\n');
  const server = await startServer(weir);
  try {
    const before = residentMiB(server);
    const idle = [];
    let lost = 0;
    for (let begun = 0; begun < IDLE; begun += 500) {
      const some = await Promise.all(Array.from({length: Math.min(500, IDLE - begun)}, () => open(server)));
      for (const socket of some) socket.on('close', () => { lost += 1; });
      idle.push(...some);
    }
    const took = (await Promise.all(Array.from({length: BUSY}, (_, client) => work(server, client)))).flat();
    took.sort((a, b) => a - b);
    equal(lost, 0);
    const with_all = residentMiB(server);

    // A head, a body, an answer: each slower than anybody needs.
    const slow = await Promise.all([
      untilCutOff(server, (socket) => setInterval(() => socket.write('G'), 10_000)),
      untilCutOff(server, (socket) => {
        socket.write('POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n[');
        return setInterval(() => socket.write(' '), 200);
      }),
      untilCutOff(server, (socket) => {  // asks for more than the kernel holds for it, and takes none
        socket.pause();
        const ask = JSON.stringify({query: "SELECT repeat('x', 1000000) FROM range(30)"});
        socket.write(`POST /api/v1/sql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${ask.length}\r\n\r\n${ask}`);
        // A socket that is paused is not told that it is closed: it looks by writing.
        return setInterval(() => socket.write('\r\n'), 500);
      })]);
    for (const time of slow) check(time > 1000 && time < 30_000, `cut off after ${time} ms`);

    equal((await server.ask('/healthz')).status, 200);
    const [[stored]] = (await server.ask('/api/v1/sql', {json: {query: "SELECT count(*) FROM logs WHERE run_id LIKE '%00a'"}})).body.rows;
    equal(stored, BUSY * REQUESTS * EVENTS);
    for (const socket of idle) socket.destroy();
    equal(await server.stop(), 0);
    console.log(`figures: ${IDLE} idle and ${BUSY} busy connections, ${BUSY * REQUESTS} requests, p50 ${took[took.length >> 1].toFixed(1)} ms, ` +
      `p99 ${took[Math.floor(took.length * 0.99)].toFixed(1)} ms; ${before.toFixed(0)} MiB, with all ${with_all.toFixed(0)} MiB; ` +
      `slow ones cut off after ${slow.map((time) => (time / 1000).toFixed(1)).join(', ')} s`);
    const isSanitized = before > 150;  // a sanitizer's memory is not ours
    check(isSanitized || with_all - before < 250, `the connections take ${with_all - before} MiB`);
  } finally {
    await server.kill();
  }
});
