// Kills runs at random moments, and looks whether everything is there that anybody has seen before.
//
//   node kill_run.mjs WEIR
//
//   WEIR_CRASH_ROUNDS  how often  default: 12
//   WEIR_CRASH_SEED    of the random moments, printed by every run of this test

import {readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {committedLines, readStore} from '../lib/segment.mjs';
import {ROOT, Weir, withFolder} from '../lib/weir.mjs';

const ROUNDS = Number(process.env.WEIR_CRASH_ROUNDS ?? 12);
const SEED = Number(process.env.WEIR_CRASH_SEED ?? Date.now() % 1_000_000);
const TERMINAL = /^pipeline_(completed|failed|cancelled)$/;
const EVENTS = 'SELECT run_id, run_seq, event_type FROM events ORDER BY run_id, run_seq';
const POLL_MS = 5;
// The kernel ends orphans at once; a busy machine may take its time.
const ORPHANS_MS = 30_000;

/// Mulberry32: numbers in [0, 1) that a seed repeats.
function randomNumbers(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function check(holds, what) {
  if (!holds) throw new Error(what);
}

/// 150 nodes in two chains that talk much and take no time; with a sleeper beside them no run ends.
function manyNodes(id, {sleeper}) {
  const node = (name, needs, ...command) =>
      ({id: name, plugin_id: 'process', tool_id: 'run', needs, with: {command}});
  const talk = 'echo one >&2; echo two >&2; echo three >&2; echo "{\\"$WEIR_NODE_ID\\": 1}"';
  const nodes = Array.from({length: 150}, (_, i) =>
      node(`n${i}`, i < 2 ? [] : [`n${i - 2}`], 'sh', '-c', talk));
  if (sleeper) nodes.unshift(node('sleeper', [], 'sleep', '600'));
  return JSON.stringify({id, nodes});
}

/// Runs a pipeline and kills it after `afterMs`. Gives the committed lines seen before, by this
/// process in the files and by another one in SQL: {lines, rows}. Nothing if it ended by itself.
async function killRun(weir, pipeline, afterMs) {
  const {process: run, ended} = weir.start('run', pipeline, '--jobs', '3', '--quiet');
  const killAt = performance.now() + afterMs;
  await sleep(afterMs / 2);
  const query = weir.start('sql', '--format', 'json', EVENTS);
  let lines = [];
  do {
    lines = committedLines(weir.store);
    await sleep(Math.min(POLL_MS, Math.max(0, killAt - performance.now())));
  } while (performance.now() < killAt);
  run.kill('SIGKILL');
  // The other process may have seen more than was there when this one looked last.
  const [{status}, answer] = await Promise.all([ended, query.ended]);
  check(answer.status === 0, `weir sql beside the run: ${answer.stderr}`);
  if (status !== 'SIGKILL') return undefined;
  return {lines, rows: JSON.parse(answer.stdout)};
}

/// Processes that were started for a store, dead ones that nobody has collected aside.
function processesOf(store) {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).filter((pid) => {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
      return environment.includes(`WEIR_STORE=${store}`);
    } catch {
      return false;  // gone meanwhile, or another user's
    }
  });
}

async function waitForOrphansToEnd(store) {
  const deadline = performance.now() + ORPHANS_MS;
  while (processesOf(store).length > 0) {
    check(performance.now() < deadline, `still running: ${processesOf(store).join(', ')}`);
    await sleep(20);
  }
}

function checkStore(weir, seen) {
  const key = ({run_id: run, run_seq: seq, event_type: type}) => `${run} ${seq} ${type}`;
  const verified = JSON.parse(weir.ask(0, 'verify', '--json'));
  const segments = readStore(weir.store);
  const lines = segments.flatMap(({commits}) => commits.flatMap(({lines}) => lines));
  const rows = weir.rows(EVENTS);

  // Both readers of the format find the same.
  const sum = (count) => segments.reduce((total, segment) => total + count(segment), 0);
  check(sum(({damage}) => damage.length) === 0, 'damage in the log');
  check(verified.segments === segments.length, 'another number of segments');
  check(verified.commits === sum(({commits}) => commits.length), 'another number of commits');
  check(verified.torn_bytes === sum(({torn}) => torn), 'another number of torn bytes');
  const keys = new Set(rows.map(key));
  check(keys.size === rows.length, 'weir sql shows an event twice');
  check(lines.length === rows.length, `${lines.length} events in the files, ${rows.length} in SQL`);
  check(lines.every((line) => keys.has(key(JSON.parse(line)))), 'weir sql lacks a committed event');

  // What was seen is there.
  const all = new Set(lines);
  check(seen.lines.every((line) => all.has(line)), 'an event seen in the files is lost');
  check(seen.rows.every((row) => keys.has(key(row))), 'an event seen in SQL is lost');

  const runs = groupByRun(rows);
  for (const [run, events] of runs) {
    check(events.every(({run_seq: seq}, index) => seq === index + 1), `run ${run} has a hole`);
  }
  return runs;
}

function groupByRun(rows) {
  const runs = new Map();
  for (const row of rows) {
    if (!runs.has(row.run_id)) runs.set(row.run_id, []);
    runs.get(row.run_id).push(row);
  }
  return runs;
}

function listRuns(weir) {
  return JSON.parse(weir.ask(0, 'runs', '--json', '--limit', '0'));
}

/// One kill and all that must hold after it. Gives how many events the killed run left, 0 if it was
/// too late.
async function round(weir, pipeline, afterMs) {
  const before = new Set(listRuns(weir).map((run) => run.run_id));
  const seen = await killRun(weir, pipeline, afterMs);
  if (!seen) return 0;
  await waitForOrphansToEnd(weir.store);

  const runs = checkStore(weir, seen);
  const killed = [...runs.keys()].filter((run) => !before.has(run));
  check(killed.length <= 1, 'one run became several');
  for (const run of killed) {  // none when it was killed before its first commit
    const ended = runs.get(run).some(({event_type: type}) => TERMINAL.test(type));
    check(!ended, 'a killed run has an end');
    const shown = weir.ask(0, 'show', 'last');
    check(shown.includes(run), 'show last shows another run');
    const [headline] = shown.split('\n');
    check(/^\S+ +interrupted\b/.test(headline), `a killed run is shown as: ${headline}`);
  }
  return killed.length === 0 ? 0 : runs.get(killed[0]).length;
}

await withFolder(async (folder) => {
  console.log(`seed ${SEED}, ${ROUNDS} rounds; to repeat: WEIR_CRASH_SEED=${SEED}`);
  const random = randomNumbers(SEED);
  const weir = new Weir(process.argv[2], join(folder, '.weir'));
  const [whole, endless] = [join(folder, 'whole.json'), join(folder, 'endless.json')];
  writeFileSync(whole, manyNodes('whole', {sleeper: false}));
  writeFileSync(endless, manyNodes('endless', {sleeper: true}));

  // How long a run takes here says when to kill one.
  const start = performance.now();
  weir.ask(0, 'run', whole, '--jobs', '3', '--quiet');
  const wholeMs = performance.now() - start;

  let interrupted = 0;
  for (let i = 0; i < ROUNDS; ++i) {
    const failing = i % 6 === 5;
    const pipeline = failing ? join(ROOT, 'examples/failing/pipeline.yaml') : endless;
    const afterMs = random() * (failing ? 1200 : 1.2 * wholeMs);
    const events = await round(weir, pipeline, afterMs);
    console.log(`killed after ${afterMs.toFixed(0)} ms: ${events} events`);
    interrupted += events > 0 ? 1 : 0;
  }
  check(interrupted > 0, 'every run was killed before its first commit, or after its end');

  // The store goes on.
  weir.ask(0, 'run', whole, '--quiet');
  check(/^whole +completed/.test(weir.ask(0, 'show', 'last')), 'the last run did not complete');
  const states = listRuns(weir).map((run) => run.state);
  const count = (word) => states.filter((state) => state === word).length;
  check(count('interrupted') === interrupted && count('completed') === 2, `states: ${states}`);
});
