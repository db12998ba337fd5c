// Kills the deletion of old runs in its middle, at random moments: a run is there as it was, or it is
// gone, and none that nothing says of goes.
//
//   node kill_gc.mjs WEIR TIDYING_PROCESS [ROUNDS]
//
//   WEIR_CRASH_ROUNDS  how often  default: ROUNDS, or 12
//   WEIR_CRASH_SEED    of the random moments, printed by every run of this test

import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {check} from '../lib/check.mjs';
import {Weir, withFolder} from '../lib/weir.mjs';
import {randomNumbers} from './kill.mjs';
import {filesOf, killProgram, PIPELINE, runs} from './tidying.mjs';

const [program, tidying, rounds = '12'] = process.argv.slice(2);
const ROUNDS = Number(process.env.WEIR_CRASH_ROUNDS ?? rounds);
const SEED = Number(process.env.WEIR_CRASH_SEED ?? Date.now() % 1_000_000);
/// So many may stay; together in larger parts they have fewer bytes, and more do.
const KEPT_RUNS = 3.5;

const manifestText = (weir) => readFileSync(join(weir.store, 'manifest.json'), 'utf8');

function partBytes(weir) {
  const {parts} = JSON.parse(manifestText(weir)).manifest;
  return parts.reduce((sum, part) => sum + part.bytes, 0);
}

/// Those that are there are as they were, and the newest is. Gives how many went.
function checkRuns(weir, before) {
  const were = new Map(before.map((run) => [run.run_id, JSON.stringify(run)]));
  const left = runs(weir);
  for (const run of left) {
    check(were.get(run.run_id) === JSON.stringify(run), `run ${run.run_id} is not as it was`);
  }
  check(left.at(-1)?.run_id === before.at(-1).run_id, 'the newest run is gone');
  check(left.length >= Math.min(before.length, Math.floor(KEPT_RUNS)),
        `${left.length} of ${before.length} runs are left`);
  weir.ask(0, 'verify');
  return before.length - left.length;
}

await withFolder(async (folder) => {
  console.log(`seed ${SEED}, ${ROUNDS} rounds; to repeat: `
      + `WEIR_CRASH_SEED=${SEED} WEIR_CRASH_ROUNDS=${ROUNDS}`);
  const random = randomNumbers(SEED);
  const weir = new Weir(program, join(folder, '.weir'));
  weir.env.WEIR_SEGMENT_SIZE = '1MiB';
  const pipeline = join(folder, 'pipeline.yaml');
  writeFileSync(pipeline, PIPELINE);
  const run = () => weir.ask(0, 'run', pipeline, '--quiet');

  // Whole, so that what is killed has runs to delete.
  const compact = async () => check(
      await killProgram(weir, [tidying, weir.store, 'compact', '0']) === 0, 'compaction failed');

  run();
  await compact();
  const bytes = partBytes(weir);
  const maxBytes = Math.floor(KEPT_RUNS * bytes);
  const words = [tidying, weir.store, 'gc', '0', String(maxBytes)];
  for (let count = 0; count < 4; ++count) run();
  await compact();
  const start = performance.now();
  check(await killProgram(weir, words) === 0, 'the first deletion failed');
  const wholeMs = performance.now() - start;

  let killed = 0, deleting = 0;
  for (let round = 0; round < ROUNDS; ++round) {
    run();
    run();
    await compact();
    const before = runs(weir);
    // Every second one when it has changed the manifest: nobody sees the runs any more, and they are
    // still there.
    const manifest = manifestText(weir);
    const status = round % 2 === 0
        ? await killProgram(weir, words, (0.1 + 0.9 * random()) * wholeMs)
        : await killProgram(weir, words, 0.3 * random() ** 2 * wholeMs,
                            () => manifestText(weir) !== manifest);
    const gone = checkRuns(weir, before);
    if (status !== 'SIGKILL') continue;
    ++killed;
    deleting += gone > 0 ? 1 : 0;
  }
  check(killed >= ROUNDS / 2, `only ${killed} of ${ROUNDS} deletions were hit in their middle`);
  check(deleting > 0, 'no deletion was hit after runs were hidden');

  run();
  run();
  const before = runs(weir);
  check(await killProgram(weir, words) === 0, 'the last deletion failed');
  checkRuns(weir, before);
  const left = runs(weir).length;
  check(left < before.length, `all of ${left} runs are left`);
  check(partBytes(weir) <= maxBytes * 1.1, `${partBytes(weir)} bytes are left, not ${maxBytes}`);
  const {segments, parts} = filesOf(weir);
  check(segments === 0, `${segments} segments are there still`);
  console.log(`${killed} of ${ROUNDS} deletions killed, ${deleting} of them after runs were hidden; `
      + `${left} runs in ${parts} parts are left`);
});
