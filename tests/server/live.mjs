// Following a server: events come as they are committed, whoever records them, in order and once, also
// to one who was away; and pages of lists that grow meanwhile.
//
//   node live.mjs WEIR

import {readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {check, equal} from '../lib/check.mjs';
import {startServer, withServer} from '../lib/server.mjs';
import {Weir, withFolder} from '../lib/weir.mjs';

const NDJSON = {'Content-Type': 'application/x-ndjson'};
const PATH = '/api/v1/events/stream';
const WAIT_MS = 30_000;
const runId = (number) => `0195e0a0-0000-7000-8000-${String(number).padStart(12, '0')}`;

function lines(run, messages, more = {}) {
  return messages.map((message) => JSON.stringify({
    timestamp: '2026-11-30T12:00:00Z', event_type: 'log', level: 'INFO', pipeline_id: 'night',
    run_id: runId(run), message, event_id: `${run}-${message}`, ...more}) + '\n').join('');
}

async function post(server, body, headers = {}) {
  const answer = await server.ask('/api/v1/events', {method: 'POST', body, headers: {...NDJSON, ...headers}});
  check(answer.status === 200 && answer.body.rejected === 0, answer.text);
}

async function until(holds, what) {
  const deadline = performance.now() + WAIT_MS;
  while (!holds()) {
    check(performance.now() < deadline, `${what()}: not within ${WAIT_MS / 1000} s`);
    await sleep(10);
  }
}

/// What comes over a stream: {events: [{type, data}], last, ended, close()}.
async function follow(server, query = '', headers = {}) {
  const control = new AbortController();
  const response = await fetch(server.url + PATH + query, {headers, signal: control.signal});
  check(response.status === 200, `${response.status}: ${query}`);
  equal(response.headers.get('content-type'), 'text/event-stream');
  const stream = {events: [], last: undefined, isConnected: false};
  const read = async () => {
    let text = '';
    const decoder = new TextDecoder();
    for await (const piece of response.body) {
      text += decoder.decode(piece, {stream: true});
      for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) {
        const fields = Object.fromEntries(text.slice(0, end).split('\n')
            .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]));
        if (fields['']) stream.isConnected = true;
        if (fields.data) stream.events.push({type: fields.event, data: JSON.parse(fields.data)});
        if (fields.id) stream.last = fields.id;
      }
    }
  };
  stream.ended = read().catch((error) => {
    if (error.name !== 'AbortError') stream.cutOff = error;
  });
  stream.close = () => {
    control.abort();
    return stream.ended;
  };
  stream.messages = () => stream.events.map(({data}) => data.message);
  await until(() => stream.isConnected, () => 'the first piece');
  return stream;
}

const count = (stream, number) =>
  until(() => stream.events.length >= number, () => `${stream.events.length} of ${number} events`);

async function showsWhatIsCommitted(server, weir, folder) {
  const all = await follow(server);
  await post(server, lines(1, ['a', 'b']));
  await post(server, lines(1, ['c']));
  await count(all, 3);
  equal(all.messages(), ['a', 'b', 'c']);
  equal(all.events[0].type, 'log');

  // A run in another process, beside it.
  const pipeline = join(folder, 'beside.yaml');
  writeFileSync(pipeline, `id: beside
nodes:
  - {id: first, plugin_id: process, tool_id: run, with: {command: [sh, -c, 'echo said >&2; echo {}']}}
  - {id: second, plugin_id: process, tool_id: run, needs: [first], with: {command: [echo, '{}']}}
`);
  weir.ask(0, 'run', pipeline, '--quiet');
  const ofRun = () => all.events.map(({data}) => data).filter((event) => event.pipeline_id === 'beside');
  await until(() => ofRun().some((event) => event.event_type === 'pipeline_completed'), () => 'the end of the run');
  equal(ofRun().map((event) => [event.run_seq, event.event_type]),
        weir.rows(`SELECT run_seq, event_type FROM events WHERE pipeline_id = 'beside' ORDER BY run_seq`)
            .map(Object.values));
  await all.close();
}

async function goesOnWhereOneWas(server) {
  const first = await follow(server, `?run_id=${runId(2)}`);
  for (const name of ['a', 'b', 'c']) await post(server, lines(2, [name]));
  await count(first, 3);
  await first.close();
  for (const name of ['d', 'e']) await post(server, lines(2, [name]));
  await post(server, lines(3, ['of another run']));
  const second = await follow(server, `?run_id=${runId(2)}`, {'Last-Event-ID': first.last});
  await post(server, lines(2, ['f']));
  await count(second, 3);
  equal(second.messages(), ['d', 'e', 'f']);
  await second.close();
}

async function showsWhatIsWanted(server) {
  const warnings = await follow(server, '?level=WARNING');
  const failures = await follow(server, '?topic=stage.*.failed');
  await post(server, lines(4, ['quiet']) + lines(4, ['loud'], {level: 'ERROR'}));
  await post(server, lines(4, ['failed'], {
    event_type: 'pipeline_node_failed', level: 'ERROR', node_id: 'n', error_type: 'E', error_message: 'm'}));
  await count(warnings, 2);
  await count(failures, 1);
  equal(warnings.messages(), ['loud', 'failed']);
  equal(failures.messages(), ['failed']);
  await Promise.all([warnings.close(), failures.close()]);
  for (const [query, headers] of [['?level=LOUD', {}], ['?run_id=x', {}], ['?topic=..', {}], ['', {'Last-Event-ID': 'x'}]]) {
    const refused = await server.ask(PATH + query, {headers});
    check(refused.status === 400 && refused.body.detail !== '', `${query}: ${refused.text}`);
  }
}

/// Of a list that grows at its head while it is read, page by page.
async function pages(server, path, add, key) {
  const seen = [];
  let cursor = '';
  for (let page = 0; ; ++page) {
    const answer = await server.ask(`${path}limit=7${cursor}`);
    check(answer.status === 200, answer.text);
    seen.push(...answer.body.items.map(key));
    if (answer.body.next === null) return seen;
    cursor = `&cursor=${encodeURIComponent(answer.body.next)}`;
    await add(page);
  }
}

async function pagesAreStable(server) {
  const runs = Array.from({length: 40}, (_, i) => i + 100);
  for (const run of runs) await post(server, lines(run, ['x'], {pipeline_id: 'listed'}));
  const newer = (page) => post(server, lines(500 + page, ['new'], {pipeline_id: 'listed', timestamp: '2026-11-30T13:00:00Z'}));
  const listed = await pages(server, '/api/v1/runs?pipeline_id=listed&', newer, (run) => run.run_id);
  const expected = runs.map(runId);
  equal(listed.filter((id) => expected.includes(id)).sort(), expected);
  equal(new Set(listed).size, listed.length);

  const messages = Array.from({length: 40}, (_, i) => `m${i}`);
  await post(server, lines(600, messages));
  const more = (page) => post(server, lines(600, [`late${page}`]));
  const events = await pages(server, `/api/v1/runs/${runId(600)}/events?`, (page) => page < 10 ? more(page) : undefined,
                             (event) => event.message);
  equal(events.slice(0, 40), messages);
  equal(new Set(events).size, events.length);
}

async function hasRoomForSoMany(server) {
  const streams = [];  // one account has half of all places
  for (let i = 0; i < 64; ++i) streams.push(await follow(server, `?run_id=${runId(5)}`));
  const full = await server.ask(PATH);
  equal([full.status, full.headers.get('retry-after') !== null], [503, true]);
  await post(server, lines(5, ['to all']));
  for (const stream of streams) await count(stream, 1);
  await Promise.all(streams.map((stream) => stream.close()));
  // Their places are given back though nothing is sent that could not be delivered.
  const deadline = performance.now() + 5000;
  for (;;) {
    const response = await fetch(server.url + PATH);
    await response.body.cancel();
    if (response.status === 200) return;
    check(performance.now() < deadline, 'no place is given back');
    await sleep(50);
  }
}

async function keepsTenantsApart(weir) {
  const key = (tenant) => weir.ask(0, 'key', 'create', `of-${tenant}`, '--scope', 'read', '--scope', 'write', '--tenant', tenant).trim();
  const of = (tenant) => ({Authorization: `Bearer ${key(tenant)}`});
  const [one, other] = [of('one'), of('other')];
  const server = await startServer(weir);
  try {
    equal((await server.ask(PATH)).status, 401);
    const stream = await follow(server, '', one);
    await post(server, lines(7, ['of the other']), other);
    await post(server, lines(7, ['ours']), one);
    await count(stream, 1);
    await post(server, lines(7, ['of the other again']), other);
    await post(server, lines(7, ['the end']), one);
    await count(stream, 2);
    equal(stream.messages(), ['ours', 'the end']);
    // A server that stops ends its streams.
    equal(await server.stop(), 0);
    await stream.ended;
    check(stream.cutOff === undefined, `${stream.cutOff}`);
  } finally {
    await server.kill();
  }
}

/// The place of one who was away so long that the log became parts.
async function goesOnAfterCompaction(weir) {
  let last;
  await withServer(weir, [], async (server) => {
    const stream = await follow(server, `?run_id=${runId(8)}`);
    await post(server, lines(8, ['before']));
    await count(stream, 1);
    last = stream.last;
    await stream.close();
    const padding = 'x'.repeat(900);
    for (let i = 0; i < 4; ++i) {
      await post(server, lines(8, Array.from({length: 500}, (_, at) => `${i}-${at} ${padding}`)));
    }
    await server.stop();
  });
  weir.ask(0, 'compact');
  check(readdirSync(join(weir.store, 'events'), {recursive: true}).some((name) => name.endsWith('.parquet')),
        'nothing was compacted');
  await withServer(weir, [], async (server) => {
    const stream = await follow(server, `?run_id=${runId(8)}`, {'Last-Event-ID': last});
    await count(stream, 2000);
    const names = stream.messages().map((message) => message.split(' ')[0]);
    equal(names, Array.from({length: 2000}, (_, at) => `${Math.floor(at / 500)}-${at % 500}`));
    await stream.close();
    await server.stop();
  });
}

await withFolder(async (folder) => {
  const weir = new Weir(process.argv[2], join(folder, '.weir'));
  weir.env.WEIR_SEGMENT_SIZE = '1MiB';
  await withServer(weir, [], async (server) => {
    await showsWhatIsCommitted(server, weir, folder);
    await goesOnWhereOneWas(server);
    await showsWhatIsWanted(server);
    await pagesAreStable(server);
    await hasRoomForSoMany(server);
    equal(await server.stop(), 0);
  });
  await goesOnAfterCompaction(weir);
  await keepsTenantsApart(weir);
});
