// A disk that is full: compaction says so, blames nothing and loses nothing, and `weir gc` frees room.
// On a small disk in memory, which only root may mount: without it the test is skipped.
//
//   node full_disk.mjs WEIR

import {existsSync, readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {check} from '../lib/check.mjs';
import {withSmallDisk} from '../lib/disk.mjs';
import {Weir, withFolder} from '../lib/weir.mjs';

const DISK = '160m';
/// The reserve is 8 MiB: what a run becomes must not fit into it.
const RUN_BYTES = 11 << 20;
const PIPELINE = `id: noisy
nodes:
  - id: n
    plugin_id: process
    tool_id: run
    with: {command: [sh, -c, 'head -c ${RUN_BYTES} /dev/urandom | base64 -w 1000 >&2; echo {}']}
`;

const program = process.argv[2];

/// Events by run, and something that changes with each of them.
function contents(weir) {
  return weir.rows(`
    SELECT run_id, count(*) AS events, bit_xor(hash(run_seq, message)) AS sum
    FROM logs GROUP BY run_id ORDER BY run_id`);
}

const text = (rows) => JSON.stringify(rows);

function partFiles(weir) {
  return readdirSync(join(weir.store, 'events'), {recursive: true})
      .filter((name) => name.endsWith('.parquet'));
}

function compactsNothing(weir, disk) {
  const before = text(contents(weir));
  disk.fill();
  const {status, stderr} = weir.call('compact');
  check(status === 3, `compaction on a full disk: exit ${status}`);
  check(stderr.includes('No space left on device'), `compaction does not say why: ${stderr}`);
  check(!stderr.includes('stays as it is'), `compaction blames the store: ${stderr}`);
  check(!existsSync(join(weir.store, 'cache', 'compaction')), 'what was begun is there still');
  check(text(contents(weir)) === before, 'the events are not those from before');
  weir.ask(0, 'verify');
  disk.empty();
  weir.ask(0, 'compact');
  check(text(contents(weir)) === before, 'with room, the events are not those from before');
  check(existsSync(join(weir.store, 'reserve')), 'the reserve was not made again');
}

/// Three runs are in parts, of which one may stay, and the one that came last is in segments.
function collects(weir, disk, settings) {
  const before = new Map(contents(weir).map((run) => [run.run_id, text(run)]));
  check(before.size === 4, `${before.size} runs`);
  const parts = partFiles(weir);
  disk.fill();
  const {status, stderr} = weir.call('gc', '--config', settings);
  check(status === 0, `weir gc on a full disk: exit ${status}: ${stderr}`);
  const left = contents(weir);
  const newest = [...before.keys()].sort().slice(-2);
  check(text(left.map((run) => run.run_id)) === text(newest), `${left.length} runs are left`);
  for (const run of left) {
    check(before.get(run.run_id) === text(run), `run ${run.run_id} is not as it was`);
  }
  // What was retired went at once, and so there was room to compact the last run.
  const stay = new Set(partFiles(weir));
  check(parts.filter((part) => stay.has(part)).length === 1, 'files of deleted runs are there still');
  const [{tail}] = weir.rows('SELECT count(*)::INTEGER AS tail FROM weir_tail()');
  check(tail === 0, 'the last run was not compacted with the room that there was');
  check(stderr === '', `weir gc says: ${stderr}`);
  weir.ask(0, 'verify');
  check(existsSync(join(weir.store, 'reserve')), 'the reserve was not made again');
  console.log(`${before.size - left.length} of ${before.size} runs deleted on a full disk, `
      + 'and the last one compacted with their room');
}

await withFolder((folder) => withSmallDisk(folder, DISK, (disk) => {
  const weir = new Weir(program, join(disk.folder, '.weir'));
  const pipeline = join(folder, 'pipeline.yaml');
  writeFileSync(pipeline, PIPELINE);
  const settings = join(folder, 'weir.yaml');
  writeFileSync(settings, 'retention: {max_bytes: 12MiB}\n');

  weir.ask(0, 'run', pipeline, '--quiet');
  compactsNothing(weir, disk);
  for (let count = 0; count < 2; ++count) {
    weir.ask(0, 'run', pipeline, '--quiet');
    weir.ask(0, 'compact');
  }
  weir.ask(0, 'run', pipeline, '--quiet');
  collects(weir, disk, settings);
}));
