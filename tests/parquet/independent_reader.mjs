// Reads the parts of a store in which a run is going on with a reader of Parquet that is not DuckDB's,
// and holds each of their events to what `weir sql` says of it.
//
//   node independent_reader.mjs WEIR

import {readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {ROOT, Weir, withFolder} from '../lib/weir.mjs';

const packages = join(ROOT, 'deps/node_modules');
const {asyncBufferFromFile, parquetReadObjects} =
    await import(join(packages, 'hyparquet/src/node.js'));
const {compressors} = await import(join(packages, 'hyparquet-compressors/src/index.js'));

const PIPELINE = `id: sales
nodes:
  - {id: read, plugin_id: process, tool_id: run, with: {command: [echo, '{"rows": 3, "path": "ä\\\\u0000"}']}}
  - {id: count, plugin_id: process, tool_id: run, with: {command: [echo, '{"n": [1, 2.5, null]}']}, needs: [read]}
  - {id: fail, plugin_id: process, tool_id: run, with: {command: [sh, -c, 'echo "no such row" >&2; exit 3']}, needs: [read, count]}
`;

/// Times as `weir sql` prints them.
const READ = {timestampFromMicroseconds: timeText};

function timeText(us) {
  const [seconds, rest] = [us / 1_000_000n, us % 1_000_000n];
  const text = new Date(Number(seconds) * 1000).toISOString().slice(0, 19).replace('T', ' ');
  return rest === 0n ? text : `${text}.${String(rest).padStart(6, '0')}`;
}

function plain(value, isObject) {
  if (typeof value === 'bigint') return Number(value);
  return isObject && typeof value === 'string' ? JSON.parse(value) : value ?? null;
}

function check(condition, what) {
  if (!condition) throw new Error(what);
}

await withFolder(async (folder) => {
  const weir = new Weir(process.argv[2], join(folder, '.weir'));
  writeFileSync(join(folder, 'sales.yaml'), PIPELINE);
  weir.ask(1, 'run', join(folder, 'sales.yaml'), '--quiet');
  weir.ask(0, 'exec', '--', 'sh', '-c', 'seq 3000');
  const living = weir.start('exec', '--name', 'living', '--', 'sh', '-c', 'echo here; sleep 600');
  try {
    while (weir.rows("SELECT 1 FROM events WHERE message = 'here'").length === 0) await sleep(50);
    weir.ask(0, 'compact');
    await compare(weir);
  } finally {
    living.process.kill('SIGTERM');
    await living.ended;
  }
});

async function compare(weir) {
  const expected = new Map(weir.rows('SELECT * FROM events').map((row) => [key(row), row]));
  const folder = join(weir.store, 'events');
  const files = readdirSync(folder, {recursive: true}).filter((name) => name.endsWith('.parquet'));
  check(files.length > 0, 'there are no parts');
  let count = 0;
  for (const name of files) {
    const file = await asyncBufferFromFile(join(folder, name));
    const rows = await parquetReadObjects({file, compressors, parsers: READ, utf8: true});
    for (const row of rows) compareRow(row, expected.get(key(row)));
    count += rows.length;
  }
  // All but those of the run that is going on.
  const [{events}] = weir.rows(`SELECT count(*) AS events FROM events WHERE run_id NOT IN
      (SELECT run_id FROM events WHERE message = 'here')`);
  check(events > 3000 && count >= events, `parts have ${count} events, runs that ended ${events}`);
  console.log(`${count} events of ${files.length} parts are as \`weir sql\` says`);
}

function key(row) {
  return `${row.run_id} ${row.run_seq}`;
}

function compareRow(row, expected) {
  check(expected, `${key(row)} is in a part alone`);
  for (const [name, value] of Object.entries(expected)) {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    const [ours, theirs] = [value, plain(row[name], isObject)].map((one) => JSON.stringify(one));
    check(ours === theirs, `${key(row)}: ${name} is ${theirs} in its part, ${ours} in SQL`);
  }
}
