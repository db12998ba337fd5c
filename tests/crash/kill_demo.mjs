// Kills the flights demo in its middle, at random moments, and looks whether everything is there
// that anybody has seen before. Needs the demo's data, which `./dev soak` installs.
//
//   node kill_demo.mjs WEIR [ROUNDS]
//
//   WEIR_DEMO_ROUNDS  how often  default: ROUNDS, or 10
//   WEIR_CRASH_SEED   of the random moments, printed by every run of this test

import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {check} from '../lib/check.mjs';
import {ROOT, Weir, withFolder} from '../lib/weir.mjs';
import {killRound, listRuns, printFigures, randomNumbers, verify} from './kill.mjs';

const [program, rounds = '10'] = process.argv.slice(2);
const ROUNDS = Number(process.env.WEIR_DEMO_ROUNDS ?? rounds);
const SEED = Number(process.env.WEIR_CRASH_SEED ?? Date.now() % 1_000_000);
const FLIGHTS = join(ROOT, 'examples/flights');

check(existsSync(join(FLIGHTS, 'node_modules/vega-datasets')),
    'the data is missing: run npm ci --ignore-scripts in examples/flights');

await withFolder(async (folder) => {
  console.log(`seed ${SEED}, ${ROUNDS} rounds; to repeat: `
      + `WEIR_CRASH_SEED=${SEED} WEIR_DEMO_ROUNDS=${ROUNDS}`);
  const random = randomNumbers(SEED);
  const weir = new Weir(program, join(folder, '.weir'));
  const pipeline = join(FLIGHTS, 'pipeline.yaml');
  const words = ['--input', JSON.stringify({report_dir: join(folder, 'report')})];

  // How long a run takes here says where its middle is.
  const start = performance.now();
  weir.ask(0, 'run', pipeline, ...words, '--quiet');
  const wholeMs = performance.now() - start;

  const kept = [];
  while (kept.length < ROUNDS) {
    const afterMs = (0.05 + 0.85 * random()) * wholeMs;
    kept.push(await killRound(weir, pipeline, words, afterMs));
    console.log(`killed after ${afterMs.toFixed(0)} of ${wholeMs.toFixed(0)} ms: `
        + `${kept.at(-1) ?? 'too late,'} events`);
  }
  const interrupted = kept.filter((events) => events > 0).length;
  check(interrupted >= ROUNDS / 2, `only ${interrupted} of ${ROUNDS} runs were hit in their middle`);

  // The store goes on.
  weir.ask(0, 'run', pipeline, ...words, '--quiet');
  check(/^flights +completed/.test(weir.ask(0, 'show', 'last')), 'the last run did not complete');
  check(listRuns(weir).filter(({state}) => state === 'interrupted').length === interrupted,
      'another number of interrupted runs');
  printFigures(kept, [verify(weir)]);
});
