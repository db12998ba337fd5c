// What the tests share that kill those who compact a store and delete old runs.

import {spawn} from 'node:child_process';
import {existsSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';

/// A run of some 20 000 events, 8 MB.
export const PIPELINE = `id: talks
nodes:
  - id: talker
    plugin_id: process
    tool_id: run
    with: {command: [sh, -c, 'seq 20000 >&2; echo {}']}
`;

/// What the store holds: a run a row, with how many events, and something that changes with each.
export function runs(weir) {
  return weir.rows(`
    SELECT run_id, count(*) AS events, count(DISTINCT run_seq) AS numbers,
           bit_xor(hash(run_seq, message)) AS sum
    FROM events WHERE pipeline_id = 'talks' GROUP BY run_id ORDER BY run_id`);
}

export const contents = (weir) => JSON.stringify(runs(weir));

/// How many segments and parts there are.
export function filesOf(weir) {
  const count = (folder, end) => !existsSync(join(weir.store, folder)) ? 0
      : readdirSync(join(weir.store, folder), {recursive: true})
          .filter((name) => name.endsWith(end)).length;
  return {segments: count('log', '.jsonl'), parts: count('events', '.parquet')};
}

/// Starts a program, kills it after so many milliseconds, if that is given, and says how it ended. The
/// milliseconds are counted from when `hasBegun` says so, if it has not ended by then.
export async function killProgram(weir, [program, ...words], afterMs, hasBegun = () => true) {
  const process = spawn(program, words, {env: weir.env, stdio: ['ignore', 'ignore', 'inherit']});
  const ended = new Promise((done, failed) => {
    process.on('error', failed);
    process.on('close', (code, signal) => done(signal ?? code));
  });
  if (afterMs !== undefined) {
    while (process.exitCode === null && !hasBegun()) await sleep(1);
    await Promise.race([sleep(afterMs), ended]);
    process.kill('SIGKILL');
  }
  return ended;
}
