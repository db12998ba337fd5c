// Kills runs at random moments, and looks whether everything is there that anybody has seen before.
//
//   node kill_run.mjs WEIR [ROUNDS]
//
//   WEIR_CRASH_ROUNDS  how often  default: ROUNDS, or 12
//   WEIR_CRASH_SEED    of the random moments, printed by every run of this test

import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {check} from '../lib/check.mjs';
import {ROOT, Weir, withFolder} from '../lib/weir.mjs';
import {killRound, listRuns, printFigures, randomNumbers, verify} from './kill.mjs';

const [program, rounds = '12'] = process.argv.slice(2);
const ROUNDS = Number(process.env.WEIR_CRASH_ROUNDS ?? rounds);
const SEED = Number(process.env.WEIR_CRASH_SEED ?? Date.now() % 1_000_000);
// Each round reads the whole store several times: a store for all of 300 rounds takes half an hour.
const ROUNDS_A_STORE = 50;
const JOBS = ['--jobs', '3'];

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

/// So many rounds with one store, a new one in `folder`. Gives what was kept of each round, and what
/// `weir verify` says at the end.
async function killRuns(folder, random, rounds) {
  const weir = new Weir(program, join(folder, '.weir'));
  const [whole, endless] = [join(folder, 'whole.json'), join(folder, 'endless.json')];
  writeFileSync(whole, manyNodes('whole', {sleeper: false}));
  writeFileSync(endless, manyNodes('endless', {sleeper: true}));

  // How long a run takes here says when to kill one.
  const start = performance.now();
  weir.ask(0, 'run', whole, ...JOBS, '--quiet');
  const wholeMs = performance.now() - start;

  const kept = [];
  for (let i = 0; i < rounds; ++i) {
    const failing = i % 6 === 5;
    const pipeline = failing ? join(ROOT, 'examples/failing/pipeline.yaml') : endless;
    const afterMs = random() * (failing ? 1200 : 1.2 * wholeMs);
    kept.push(await killRound(weir, pipeline, JOBS, afterMs));
    console.log(`killed after ${afterMs.toFixed(0)} ms: ${kept.at(-1) ?? 'too late,'} events`);
  }

  // The store goes on.
  weir.ask(0, 'run', whole, '--quiet');
  check(/^whole +completed/.test(weir.ask(0, 'show', 'last')), 'the last run did not complete');
  const states = listRuns(weir).map((run) => run.state);
  const count = (word) => states.filter((state) => state === word).length;
  const interrupted = kept.filter((events) => events > 0).length;
  check(count('interrupted') === interrupted && count('completed') === 2, `states: ${states}`);
  return {kept, verified: verify(weir)};
}

console.log(`seed ${SEED}, ${ROUNDS} rounds; to repeat: `
    + `WEIR_CRASH_SEED=${SEED} WEIR_CRASH_ROUNDS=${ROUNDS}`);
const random = randomNumbers(SEED);
const stores = [];
for (let left = ROUNDS; left > 0; left -= ROUNDS_A_STORE) {
  const rounds = Math.min(left, ROUNDS_A_STORE);
  stores.push(await withFolder((folder) => killRuns(folder, random, rounds)));
}
const kept = stores.flatMap((store) => store.kept);
check(kept.some((events) => events > 0),
    'every run was killed before its first commit, or after its end');
printFigures(kept, stores.map(({verified}) => verified));
