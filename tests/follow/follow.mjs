// A follower in one process gets every event that was acknowledged to another, once, in order, and
// nothing that was not committed: while they record and begin segments, and one is killed.
//
//   node follow.mjs FOLLOWING_PROCESS
//
// One follower goes from its beginning to the end. Another one ends now and then, and the next goes
// on from its registered cursor; a third is killed, and may repeat what its cursor had not seen.

import {spawn} from 'node:child_process';
import {mkdtempSync, readdirSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {readStore} from '../lib/segment.mjs';

const program = process.argv[2];
const WRITERS = 3;
const RECORD_MS = 1200;
const ALL = '1000000000';

function check(holds, what) {
  if (!holds) throw new Error(what);
}

const started = [];  // whatever happens, none is left

function start(...words) {
  const child = spawn(program, words, {stdio: ['pipe', 'pipe', 'inherit']});
  started.push(child);
  const one = {child, said: ''};
  child.stdin.on('error', () => {});  // it may have ended
  child.stdout.setEncoding('utf8').on('data', (text) => { one.said += text; });
  one.ended = new Promise((done, failed) => {
    child.on('error', failed);
    child.on('close', (code, signal) => done(signal ?? code));
  });
  one.stop = async () => { child.stdin.end(); return one.ended; };
  return one;
}

/// By writer, in the order in which they were said.
function eventsOf(...texts) {
  const events = new Map();
  for (const [, writer, line] of texts.join('').matchAll(/^event (\S+) (.*)$/gm)) {
    if (!events.has(writer)) events.set(writer, []);
    events.get(writer).push(line);
  }
  return events;
}

function committedByWriter(store) {
  const events = new Map();
  for (const {path, commits} of readStore(store)) {
    const writer = path.split('/').at(-1).slice(0, 24);
    const lines = commits.flatMap((commit) => commit.lines);
    events.set(writer, [...(events.get(writer) ?? []), ...lines]);
  }
  return events;
}

function checkSame(found, expected, who) {
  check(found.size === expected.size, `${who}: ${found.size} writers, not ${expected.size}`);
  for (const [writer, lines] of expected) {
    const got = found.get(writer) ?? [];
    const at = lines.findIndex((line, index) => line !== got[index]);
    check(at < 0 && got.length === lines.length,
          `${who}: writer ${writer}: ${got.length} events, not ${lines.length}; other from ${at} on`);
  }
}

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

async function followInParts(store, stopped) {
  const texts = [];
  while (!stopped()) {
    const part = start(store, 'follow', 'parts', String(1 + Math.floor(Math.random() * 40)));
    while (part.child.exitCode === null && !stopped()) await sleep(5);
    check(await part.stop() === 0, 'a follower failed');
    texts.push(part.said);
  }
  const last = start(store, 'follow', 'parts', ALL);
  check(await last.stop() === 0, 'the last follower failed');
  return [...texts, last.said];
}

async function followKilled(store, stopped) {
  const texts = [];
  while (!stopped()) {
    const part = start(store, 'follow', 'killed', ALL);
    await sleep(50 + Math.random() * 300);
    part.child.kill('SIGKILL');
    await part.ended;
    texts.push(part.said.slice(0, part.said.lastIndexOf('\n') + 1));
  }
  const last = start(store, 'follow', 'killed', ALL);
  check(await last.stop() === 0, 'the last follower failed');
  return [...texts, last.said];
}

const store = mkdtempSync(join(tmpdir(), 'weir-follow-'));
try {
  let over = false;
  const whole = start(store, 'follow', 'whole', ALL);
  const inParts = followInParts(store, () => over);
  const killed = followKilled(store, () => over);
  const writers = Array.from({length: WRITERS}, () => start(store, 'record'));
  await sleep(RECORD_MS / 2);
  writers[0].child.kill('SIGKILL');
  writers.push(start(store, 'record'));  // one that comes later
  await sleep(RECORD_MS / 2);
  const statuses = await Promise.all(writers.map((writer) => writer.stop()));
  for (const [index, writer] of writers.entries()) {
    const status = statuses[index];
    check(status === (writer === writers[0] ? 'SIGKILL' : 0), `a writer ended with ${status}`);
  }
  over = true;
  check(await whole.stop() === 0, 'the follower failed');
  const partsSaid = await inParts, killedSaid = await killed;

  const committed = committedByWriter(store);
  const segments = readdirSync(join(store, 'log')).length;
  check(committed.size === WRITERS + 1 && segments > 3 * WRITERS, `${segments} segments only`);
  checkSame(eventsOf(whole.said), committed, 'the follower');
  checkSame(eventsOf(...partsSaid), committed, 'followers one after the other');
  const said = partsSaid.join('');
  check((said.match(/^restarted /gm) ?? []).length === 1, 'a cursor was lost');
  // Killed ones may say again what they have said, and then in order.
  const everSaid = eventsOf(...killedSaid);
  checkSame(new Map([...everSaid].map(([writer, lines]) => [writer, [...new Set(lines)]])), committed,
            'killed followers');

  let acknowledged = 0;
  const seen = new Map();  // by run, how many
  for (const line of [...eventsOf(whole.said).values()].flat()) {
    const event = JSON.parse(line);
    check(event.run_seq === (seen.get(event.run_id) ?? 0) + 1, `run ${event.run_id}: out of order`);
    seen.set(event.run_id, event.run_seq);
  }
  for (const writer of writers) {
    const [, run, number] = [...writer.said.matchAll(/^committed (\S+) (\d+)$/gm)].at(-1);
    check(seen.get(run) >= Number(number), `run ${run}: ${number} acknowledged, ${seen.get(run)} seen`);
    acknowledged += Number(number);
  }
  console.log(`${acknowledged} events acknowledged, ${segments} segments, ` +
              `${partsSaid.length} followers one after the other, ${killedSaid.length} killed: all are there, once`);
} finally {
  for (const child of started) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  rmSync(store, {recursive: true, force: true});
}
