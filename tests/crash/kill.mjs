// What the crash tests share: killing a run, and what must hold of its store afterwards.

import {readdirSync, readFileSync} from 'node:fs';
import {basename} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {check} from '../lib/check.mjs';
import {committedLines, readStore} from '../lib/segment.mjs';

const TERMINAL = /^pipeline_(completed|failed|cancelled)$/;
const EVENTS = 'SELECT run_id, run_seq, event_type, pipeline_id FROM events ORDER BY run_id, run_seq';
const POLL_MS = 5;
// The kernel ends orphans at once; a busy machine may take its time.
const ORPHANS_MS = 30_000;

/// Mulberry32: numbers in [0, 1) that a seed repeats.
export function randomNumbers(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/// Runs a pipeline, with `words` behind it, and kills it after `afterMs`. Gives the committed lines
/// seen before, by this process in the files and by another one in SQL: {lines, rows}. Nothing if
/// it ended by itself.
async function killRun(weir, pipeline, words, afterMs) {
  const {process: run, ended} = weir.start('run', pipeline, ...words, '--quiet');
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

/// Until none of the tools runs any more that a killed process has left.
export async function waitForOrphansToEnd(store) {
  const deadline = performance.now() + ORPHANS_MS;
  while (processesOf(store).length > 0) {
    check(performance.now() < deadline, `still running: ${processesOf(store).join(', ')}`);
    await sleep(20);
  }
}

function checkStore(weir, seen) {
  const key = ({run_id: run, run_seq: seq, event_type: type}) => `${run} ${seq} ${type}`;
  const verified = verify(weir);
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

export function listRuns(weir) {
  return JSON.parse(weir.ask(0, 'runs', '--json', '--limit', '0'));
}

/// One kill and all that must hold after it. Gives how many events the killed run left, 0 if there
/// was none yet, and nothing if the run ended before it was killed, or had committed its end and was
/// killed on its way out.
export async function killRound(weir, pipeline, words, afterMs) {
  const before = new Set(listRuns(weir).map((run) => run.run_id));
  const seen = await killRun(weir, pipeline, words, afterMs);
  if (!seen) return undefined;
  await waitForOrphansToEnd(weir.store);

  const runs = checkStore(weir, seen);
  // What the process says of itself is no run of anybody's.
  const killed = [...runs].filter(([run, [{pipeline_id: pipeline}]]) => !before.has(run) && pipeline !== 'weir')
      .map(([run]) => run);
  check(killed.length <= 1, 'one run became several');
  if (killed.length === 0) return 0;  // killed before its first commit

  const [run] = killed;
  const end = runs.get(run).map(({event_type: type}) => TERMINAL.exec(type)?.[1]).find(Boolean);
  const state = end ?? 'interrupted';
  const listed = listRuns(weir).find(({run_id: id}) => id === run);
  check(listed?.state === state, `weir runs lists a run as ${listed?.state}, it is ${state}`);
  const shown = weir.ask(0, 'show', 'last');
  check(shown.includes(run), 'show last shows another run');
  const [headline] = shown.split('\n');
  check(headline.split(/ +/)[1] === state, `a run that is ${state} is shown as: ${headline}`);
  return end ? undefined : runs.get(run).length;
}

/// The last line of a crash test that found nothing wrong; `./dev soak` repeats it at its end.
/// `kept` has the result of each `killRound`, `verified` what `weir verify` said of each store.
export function printFigures(kept, verified) {
  const count = (value) => kept.filter((each) => each === value).length;
  const sum = (name) => verified.reduce((total, store) => total + store[name], 0);
  const [early, late] = [count(0), count(undefined)];
  const test = basename(process.argv[1], '.mjs');
  console.log(`figures: ${test}: ${kept.length} kills, ${kept.length - early - late} of them in a run, `
      + `${early} before its first commit, ${late} after its end; `
      + `${sum('events')} events committed and there, ${sum('torn_bytes')} bytes torn`);
}

/// What `weir verify` says of a store that is whole.
export function verify(weir) {
  return JSON.parse(weir.ask(0, 'verify', '--json'));
}
