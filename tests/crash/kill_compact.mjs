// Kills a compaction in its middle, at random moments, and looks whether every event is there once: by
// turns `weir compact`, and one that keeps nothing of what it has replaced, so that segments and small
// parts are removed by it, too.
//
//   node kill_compact.mjs WEIR TIDYING_PROCESS [ROUNDS]
//
//   WEIR_CRASH_ROUNDS  how often  default: ROUNDS, or 16
//   WEIR_CRASH_SEED    of the random moments, printed by every run of this test

import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {check} from '../lib/check.mjs';
import {Weir, withFolder} from '../lib/weir.mjs';
import {randomNumbers} from './kill.mjs';
import {contents, filesOf, killProgram, PIPELINE} from './tidying.mjs';

const [program, tidying, rounds = '16'] = process.argv.slice(2);
const ROUNDS = Number(process.env.WEIR_CRASH_ROUNDS ?? rounds);
const SEED = Number(process.env.WEIR_CRASH_SEED ?? Date.now() % 1_000_000);

/// Whether the rollups count every event once, whichever of their files are there.
function rollupsAgree(weir) {
  const [{events, minutes, hours}] = weir.rows(`
    SELECT (SELECT count(*) FROM events) AS events,
           (SELECT sum(events)::BIGINT FROM rollup_minutes) AS minutes,
           (SELECT sum(events)::BIGINT FROM rollup_hours) AS hours`);
  return events === minutes && events === hours;
}

await withFolder(async (folder) => {
  console.log(`seed ${SEED}, ${ROUNDS} rounds; to repeat: `
      + `WEIR_CRASH_SEED=${SEED} WEIR_CRASH_ROUNDS=${ROUNDS}`);
  const random = randomNumbers(SEED);
  const weir = new Weir(program, join(folder, '.weir'));
  weir.env.WEIR_SEGMENT_SIZE = '1MiB';
  const pipeline = join(folder, 'pipeline.yaml');
  writeFileSync(pipeline, PIPELINE);
  const kinds = [
    {words: [program, 'compact'], ms: 0},
    {words: [tidying, weir.store, 'compact', '0'], ms: 0},
  ];
  for (const kind of kinds) {
    weir.ask(0, 'run', pipeline, '--quiet');
    const start = performance.now();
    const status = await killProgram(weir, kind.words);
    check(status === 0, `${kind.words.join(' ')}: exit ${status}`);
    kind.ms = performance.now() - start;
  }

  let killed = 0, removing = 0, merging = 0;
  for (let round = 0; round < ROUNDS; ++round) {
    const kind = kinds[round % kinds.length];
    weir.ask(0, 'run', pipeline, '--quiet');
    const before = contents(weir);
    const files = filesOf(weir);
    const status = await killProgram(weir, kind.words, (0.05 + 0.95 * random()) * kind.ms);
    if (status === 'SIGKILL') {
      const left = filesOf(weir);
      ++killed;
      removing += left.segments < files.segments ? 1 : 0;
      merging += left.parts < files.parts ? 1 : 0;
    }
    check(contents(weir) === before, `round ${round}: the events are not those from before`);
    check(rollupsAgree(weir), `round ${round}: the rollups do not count every event once`);
    weir.ask(0, 'verify');
  }
  check(killed >= ROUNDS / 2, `only ${killed} of ${ROUNDS} compactions were hit in their middle`);

  const before = contents(weir);
  check(await killProgram(weir, kinds[1].words) === 0, 'the last compaction failed');
  check(contents(weir) === before, 'the events are not those from before');
  check(rollupsAgree(weir), 'the rollups do not count every event once');
  weir.ask(0, 'verify');
  const tail = weir.rows('SELECT count(*) AS events FROM weir_tail()');
  check(tail[0].events === 0, `${tail[0].events} events are in segments still`);
  const {segments, parts} = filesOf(weir);
  check(segments === 0, `${segments} segments are there still`);
  console.log(`${killed} of ${ROUNDS} compactions killed, ${removing} of them after segments were `
      + `removed, ${merging} after parts were; ${parts} parts, every event once`);
});
