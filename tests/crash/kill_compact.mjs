// Kills `weir compact` in its middle, at random moments, and looks whether every event is there once.
//
//   node kill_compact.mjs WEIR [ROUNDS]
//
//   WEIR_CRASH_ROUNDS  how often  default: ROUNDS, or 12
//   WEIR_CRASH_SEED    of the random moments, printed by every run of this test

import {readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {Weir, withFolder} from '../lib/weir.mjs';
import {check, randomNumbers} from './kill.mjs';

const [program, rounds = '12'] = process.argv.slice(2);
const ROUNDS = Number(process.env.WEIR_CRASH_ROUNDS ?? rounds);
const SEED = Number(process.env.WEIR_CRASH_SEED ?? Date.now() % 1_000_000);
/// A run of some 20 000 events, 8 MB.
const PIPELINE = `id: talks
nodes:
  - id: talker
    plugin_id: process
    tool_id: run
    with: {command: [sh, -c, 'seq 20000 >&2; echo {}']}
`;

/// What the store holds, event by event: how many, and something that changes with each of them.
function contents(weir) {
  return JSON.stringify(weir.rows(`
    SELECT run_id, count(*) AS events, count(DISTINCT run_seq) AS numbers,
           bit_xor(hash(run_seq, message)) AS sum
    FROM events GROUP BY run_id ORDER BY run_id`));
}

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

  weir.ask(0, 'run', pipeline, '--quiet');
  const start = performance.now();
  weir.ask(0, 'compact');
  const wholeMs = performance.now() - start;

  let killed = 0;
  for (let round = 0; round < ROUNDS; ++round) {
    weir.ask(0, 'run', pipeline, '--quiet');
    const before = contents(weir);
    const {process, ended} = weir.start('compact');
    await sleep((0.05 + 0.95 * random()) * wholeMs);
    process.kill('SIGKILL');
    const {status} = await ended;
    if (status === 'SIGKILL') ++killed;
    check(contents(weir) === before, `round ${round}: the events are not those from before`);
    check(rollupsAgree(weir), `round ${round}: the rollups do not count every event once`);
    weir.ask(0, 'verify');
  }
  check(killed >= ROUNDS / 2, `only ${killed} of ${ROUNDS} compactions were hit in their middle`);

  const before = contents(weir);
  weir.ask(0, 'compact');
  check(contents(weir) === before, 'the events are not those from before');
  check(rollupsAgree(weir), 'the rollups do not count every event once');
  weir.ask(0, 'verify');
  const tail = weir.rows('SELECT count(*) AS events FROM weir_tail()');
  check(tail[0].events === 0, `${tail[0].events} events are in segments still`);
  const parts = readdirSync(join(weir.store, 'events'), {recursive: true})
      .filter((name) => name.endsWith('.parquet'));
  console.log(`${killed} of ${ROUNDS} compactions killed; ${parts.length} parts, every event once`);
});
