// What one tenant asks for leaves room for others: answers of SQL and lists have a size, questions
// stand in line by tenant, commands and streams have places by tenant and kind; one who follows costs
// what he is sent; and a key that is revoked gets no more of what it follows.
//
//   node sharing.mjs WEIR

import {spawn} from 'node:child_process';
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {check, equal} from '../lib/check.mjs';
import {startServer} from '../lib/server.mjs';
import {Weir, withFolder} from '../lib/weir.mjs';

const STREAM = '/api/v1/events/stream';
const NDJSON = {'Content-Type': 'application/x-ndjson'};
const bearer = (key) => ({Authorization: `Bearer ${key}`});
const runId = (number) => `0195e0a0-0000-7000-8000-${String(number).padStart(12, '0')}`;
const event = (run, message, more = {}) => JSON.stringify({
  timestamp: '2026-11-30T12:00:00Z', event_type: 'log', pipeline_id: 'p', run_id: runId(run), message, ...more}) + '\n';

async function post(server, key, body) {
  const answer = await server.ask('/api/v1/events', {method: 'POST', body, headers: {...NDJSON, ...bearer(key)}});
  check(answer.status === 200 && answer.body.rejected === 0, answer.text.slice(0, 500));
}

async function until(what, holds, ms = 30_000) {
  const deadline = performance.now() + ms;
  for (let found; !(found = await holds()); await sleep(50)) check(performance.now() < deadline, `${what}: not within ${ms} ms`);
}

const sql = (server, key, query, more = {}) => server.ask('/api/v1/sql', {headers: bearer(key), json: {query, ...more}});
const slow = (server, key, timeout) =>
  sql(server, key, 'SELECT count(*) FROM range(100000) a, range(100000) b WHERE (a.range * b.range) % 7 = 1', {timeout});

async function answersHaveASize(server, key) {
  const large = await sql(server, key, "SELECT repeat('x', 100000) AS x FROM range(2000)");
  equal([large.status, large.body.is_all], [200, false]);
  check(large.body.reason.includes('64MiB'), large.body.reason);
  check(large.text.length > 50e6 && large.text.length < 70e6, `${large.text.length} bytes`);
  const many = await sql(server, key, 'SELECT range FROM range(20)', {max_rows: 10});
  equal([many.body.is_all, many.body.rows.length, many.body.reason], [false, 10, 'there are more than 10 rows']);
  equal((await sql(server, key, 'SELECT 1')).body.is_all, true);
  const csv = await server.ask('/api/v1/sql', {headers: {...bearer(key), Accept: 'text/csv'},
    json: {query: 'SELECT range FROM range(20)', max_rows: 10}});
  equal(csv.headers.get('weir-not-all'), 'there are more than 10 rows');

  // A page of large events is shorter, and the next one goes on.
  const EVENTS = 160;
  const padding = 'x'.repeat(500_000);
  for (let i = 0; i < EVENTS; i += 40) {
    await post(server, key, Array.from({length: 40}, (_, at) => event(1, `${i + at}`, {attributes: {padding}})).join(''));
  }
  const sizes = [], seen = new Set();
  for (let cursor = ''; ;) {
    const page = await server.ask(`/api/v1/runs/${runId(1)}/events?limit=1000${cursor}`, {headers: bearer(key)});
    check(page.status === 200, page.text.slice(0, 500));
    sizes.push(page.body.items.length);
    for (const item of page.body.items) seen.add(item.message);
    if (page.body.next === null) break;
    cursor = `&cursor=${encodeURIComponent(page.body.next)}`;
  }
  equal([seen.size, sizes.reduce((sum, size) => sum + size, 0)], [EVENTS, EVENTS]);
  check(sizes.length > 1, `all in ${sizes} events`);
}

async function questionsStandInLine(server, acme, globex) {
  let answered = 0;
  const begun = performance.now();
  const others = Array.from({length: 2}, () => slow(server, globex, '8s').then(() => { answered += 1; }));
  await sleep(500);
  equal((await server.ask('/api/v1/runs', {headers: bearer(acme)})).status, 200);
  equal((await sql(server, acme, 'SELECT 1')).status, 200);
  check(answered === 0, `after ${answered} questions of another tenant, ${(performance.now() - begun).toFixed(0)} ms`);
  await Promise.all(others);

  const many = await Promise.all(Array.from({length: 60}, () => slow(server, globex, '100ms')));
  const refused = many.filter(({status}) => status === 503);
  check(refused.length > 0 && refused.length < 60, `${refused.length} of 60 refused`);
  check(refused.every(({headers}) => headers.get('retry-after') === '1'), 'no delay');
}

/// `tail -f` as a client of the server: {child, text(), ended}.
function tail(weir, server, key) {
  const child = spawn(weir.program, ['--server', server.url, 'tail', '-f'], {env: {...weir.env, WEIR_KEY: key}});
  let text = '', said = '';
  child.stdout.setEncoding('utf8').on('data', (piece) => { text += piece; });
  child.stderr.setEncoding('utf8').on('data', (piece) => { said += piece; });
  return {child, text: () => text, said: () => said, ended: new Promise((done) => child.on('close', done))};
}

async function followersLeavePlaces(weir, server, acme, globex) {
  const run = (key) => server.ask('/api/v1/pipelines/quick/runs', {headers: bearer(key), json: {}});
  const status = (key) => server.ask('/api/v1/status', {headers: bearer(key)});
  const followers = Array.from({length: 8}, () => tail(weir, server, acme));
  try {
    const count = () => followers.filter((one) => one.text().includes('all see this')).length;
    await until('all follow', async () => {
      await post(server, acme, event(2, 'all see this'));
      return count() === followers.length;
    });
    equal([(await run(acme)).status, (await status(acme)).status], [202, 200]);
    equal([(await run(globex)).status, (await status(globex)).status], [202, 200]);
    const other = tail(weir, server, globex);
    followers.push(other);
    await until('another tenant follows', async () => {
      await post(server, globex, event(3, 'of globex'));
      return other.text().includes('of globex');
    });
    const tooMany = tail(weir, server, acme);
    equal(await tooMany.ended, 3);
    check(tooMany.said().includes('too many'), tooMany.said());
  } finally {
    for (const {child} of followers) child.kill();
    await Promise.all(followers.map(({ended}) => ended));
  }
}

/// A stream: {status, text(), close(), ended}.
async function follow(server, key, query = '') {
  const control = new AbortController();
  const response = await fetch(server.url + STREAM + query, {headers: bearer(key), signal: control.signal});
  let text = '';
  const read = async () => {
    const decoder = new TextDecoder();
    for await (const piece of response.body) text += decoder.decode(piece, {stream: true});
  };
  const ended = read().catch(() => {});
  return {status: response.status, text: () => text, ended, close: () => { control.abort(); return ended; }};
}

async function streamsAreShared(server, acme, globex) {
  const ours = [];
  for (let i = 0; i < 64; ++i) ours.push(await follow(server, globex, `?run_id=${runId(4)}`));
  check(ours.every(({status}) => status === 200), 'a stream was refused');
  equal((await follow(server, globex)).status, 503);
  const other = await follow(server, acme);
  equal(other.status, 200);
  await Promise.all([other, ...ours].map((stream) => stream.close()));
}

const cpuSeconds = (server) => {
  const fields = readFileSync(`/proc/${server.child.pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
};

/// Who looks at one run does not pay for what happens in all others, nor does anybody else.
async function oneReadsForAll(server, key) {
  const load = async (name) => {
    const before = cpuSeconds(server);
    for (let i = 0; i < 5; ++i) {
      await post(server, key, Array.from({length: 10_000}, (_, at) => event(5, `${name} ${i} ${at}`)).join(''));
    }
    await sleep(1500);
    return cpuSeconds(server) - before;
  };
  await load('warm');
  const alone = await load('alone');
  const streams = [];
  for (let i = 0; i < 60; ++i) streams.push(await follow(server, key, `?run_id=${runId(6)}`));
  await sleep(1000);
  const followed = await load('followed');
  await post(server, key, event(6, 'what they wait for'));
  await until('all get it', () => streams.every((stream) => stream.text().includes('what they wait for')));
  await Promise.all(streams.map((stream) => stream.close()));
  check(followed < 3 * alone + 0.5, `${alone} s of processor time alone, ${followed} s with ${streams.length} streams`);
  return [alone, followed];
}

/// A client that takes nothing for a while gets what it has missed, in order.
async function whoIsBehindMissesNothing(server, key) {
  const control = new AbortController();
  const response = await fetch(`${server.url}${STREAM}?run_id=${runId(7)}`, {headers: bearer(key), signal: control.signal});
  await sleep(500);
  const padding = 'x'.repeat(2000);
  const COUNT = 40_000;
  for (let i = 0; i < COUNT; i += 5000) {
    await post(server, key, Array.from({length: 5000}, (_, at) => event(7, `${i + at} `, {attributes: {padding}})).join(''));
  }
  let text = '', next = 0;
  const decoder = new TextDecoder();
  for await (const piece of response.body) {
    text += decoder.decode(piece, {stream: true});
    for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) {
      const message = /"message":"(\d+) "/.exec(text.slice(0, end));
      if (message !== null) equal(Number(message[1]), next++);
    }
    if (next === COUNT) break;
  }
  control.abort();
}

async function revokedKeysGetNoMore(weir, server, name, key, other) {
  const stream = await follow(server, key);
  const command = tail(weir, server, key);
  await until('both follow', async () => {
    await post(server, other, event(8, 'before it is revoked'));
    return stream.text().includes('before it') && command.text().includes('before it');
  });
  weir.ask(0, 'key', 'revoke', name);
  await Promise.race([Promise.all([stream.ended, command.ended]), sleep(15_000)]);
  await post(server, other, event(8, 'after it was revoked'));
  await sleep(500);
  for (const text of [stream.text(), command.text()]) check(!text.includes('after it was'), 'a revoked key reads on');
  check(/event: end\ndata: \{"reason":"key \w+ was revoked/.test(stream.text()), stream.text().slice(-300));
  equal(await command.ended, 3);
  check(command.said().includes('was revoked'), command.said());
}

await withFolder(async (folder) => {
  const weir = new Weir(process.argv[2], join(folder, '.weir'));
  mkdirSync(join(folder, 'pipelines'));
  writeFileSync(join(folder, 'pipelines/quick.json'), JSON.stringify({
    id: 'quick', nodes: [{id: 'x', plugin_id: 'process', tool_id: 'run', with: {command: ['echo', '{}']}}]}));
  writeFileSync(join(folder, 'weir.yaml'), 'pipelines: [pipelines]\n');
  const key = (name, tenant) => weir.ask(0, 'key', 'create', name, '--tenant', tenant, '--scope', 'read', '--scope', 'write',
                                         '--scope', 'operate').trim();
  const acme = key('acme', 'acme'), globex = key('globex', 'globex'), revoked = key('revoked', 'acme');
  const server = await startServer(weir);
  try {
    await answersHaveASize(server, acme);
    await questionsStandInLine(server, acme, globex);
    await followersLeavePlaces(weir, server, acme, globex);
    await streamsAreShared(server, acme, globex);
    const [alone, followed] = await oneReadsForAll(server, acme);
    await whoIsBehindMissesNothing(server, acme);
    await revokedKeysGetNoMore(weir, server, 'revoked', revoked, acme);
    equal(await server.stop(), 0);
    console.log(`figures: 50 000 events cost the server ${alone.toFixed(2)} s of processor time, with 60 streams ${followed.toFixed(2)} s`);
  } finally {
    await server.kill();
  }
});
