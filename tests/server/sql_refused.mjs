// Who may only read, and of one tenant, tries to get at more by SQL and by hashes: files, the log, other
// tenants' parts, settings, whatever writes. All of it is refused, nothing is said of it, and nothing is
// written.
//
//   node sql_refused.mjs WEIR

import {mkdirSync, readFileSync, readdirSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {check, equal} from '../lib/check.mjs';
import {startServer} from '../lib/server.mjs';
import {Weir, withFolder} from '../lib/weir.mjs';

const SECRET = 'what-only-globex-may-see';
const RUN = '0195e0a0-0000-7000-8000-000000000009';
const bearer = (key) => ({Authorization: `Bearer ${key}`});

/// Names and sizes of all files below a folder, without the log and what a session puts aside.
function contents(folder) {
  return readdirSync(folder, {recursive: true}).map((name) => [name, statSync(join(folder, name))])
      .filter(([name, entry]) => entry.isFile() && !/^\.weir\/(log|cache\/sql-[^/]*)/.test(name)).map(([name, entry]) => `${name} ${entry.size}`).sort();
}

await withFolder(async (folder) => {
  const weir = new Weir(process.argv[2], join(folder, '.weir'));
  weir.env.WEIR_SEGMENT_SIZE = '1MiB';
  mkdirSync(join(folder, 'pipelines'));
  writeFileSync(join(folder, 'weir.yaml'), 'pipelines: [pipelines]\n');
  writeFileSync(join(folder, 'pipelines/w.json'), JSON.stringify({id: 'w', nodes: [{id: 'x', plugin_id: 'process',
    tool_id: 'run', with: {command: ['sh', '-c', 'echo hello >&2; echo {}']}}]}));
  const outside = join(folder, 'outside.txt');
  writeFileSync(outside, SECRET);
  const key = (tenant) => weir.ask(0, 'key', 'create', tenant, '--tenant', tenant, '--scope', 'read', '--scope', 'write').trim();
  const reader = weir.ask(0, 'key', 'create', 'reader', '--tenant', 'acme', '--scope', 'read').trim();
  const [acme, globex] = [key('acme'), key('globex')];
  let server = await startServer(weir);
  try {
    for (const who of [acme, globex]) {
      const event = {timestamp: '2026-11-30T12:00:00Z', event_type: 'log', pipeline_id: 'p', run_id: RUN};
      const body = Array.from({length: 2500}, (_, i) => JSON.stringify(
          {...event, message: `${who === globex ? SECRET : 'ours'} ${i} ${'x'.repeat(900)}`}) + '\n').join('');
      const answer = await server.ask('/api/v1/events', {method: 'POST', body, headers: {...bearer(who), 'Content-Type': 'application/x-ndjson'}});
      equal(answer.body.stored, 2500);
    }
    equal(await server.stop(), 0);
    weir.ask(0, 'compact');
    weir.ask(0, 'run', 'w', '--quiet', '--tenant', 'globex');
    const parts = readdirSync(join(weir.store, 'events'), {recursive: true}).filter((name) => name.endsWith('.parquet'))
        .map((name) => join(weir.store, 'events', name));
    const [ours, theirs] = ['tenant=acme', 'tenant=globex'].map((tenant) => parts.find((path) => path.includes(tenant)));
    check(ours && theirs, `parts: ${parts}`);
    const hashes = weir.rows(`SELECT DISTINCT unnest([definition_sha256, input_sha256, output_sha256, artifact_sha256]) AS hash
                              FROM events WHERE tenant_id = 'globex' AND pipeline_id = 'w'`).map((row) => row.hash).filter(Boolean);
    check(hashes.length > 0, 'the run kept nothing');
    const target = join(folder, 'written.csv');
    const log = join(weir.store, 'log'), spill = join(weir.store, 'cache');
    server = await startServer(weir);
    const ask = (query, who = reader) => server.ask('/api/v1/sql', {headers: bearer(who), json: {query}});
    equal((await ask("SELECT count(*)::INTEGER, count(*) FILTER (tenant_id <> 'acme')::INTEGER FROM logs WHERE event_type = 'log'")).body.rows, [[2500, 0]]);

    const attempts = [
      // Files.
      `SELECT * FROM read_text('${outside}')`, `SELECT * FROM read_blob('${outside}')`, `SELECT * FROM read_csv('${outside}')`,
      `SELECT * FROM read_json('${outside}')`, `FROM '${outside}'`, `SELECT * FROM sniff_csv('${outside}')`,
      `SELECT * FROM read_text('${join(weir.store, 'keys.json')}')`, `SELECT * FROM read_text('${join(weir.store, 'manifest.json')}')`,
      `SELECT * FROM read_text('${log}/*')`, `SELECT * FROM read_text('${ours}/../../../../keys.json')`,
      "SELECT * FROM read_text('/etc/passwd')", "SELECT * FROM read_csv_auto('/proc/self/environ')", "FROM 'http://127.0.0.1:1/x.csv'",
      // Other tenants' parts, and the way to them.
      `SELECT * FROM read_parquet('${theirs}')`, `SELECT * FROM parquet_scan(['${ours}', '${theirs}'])`, `FROM '${theirs}'`,
      `SELECT * FROM parquet_metadata('${theirs}')`, `SELECT * FROM parquet_kv_metadata('${theirs}')`, `SELECT * FROM read_blob('${theirs}')`,
      `SELECT * FROM read_parquet('${join(weir.store, 'events')}/*/*/*.parquet')`, `SELECT * FROM read_parquet('${ours}/../../tenant=globex/*.parquet')`,
      'SELECT weir_part_files(NULL)', `SELECT * FROM read_parquet(weir_part_files(NULL))`,
      // What writes.
      `COPY (SELECT 1) TO '${target}'`, `COPY events TO '${target}'`, `COPY (SELECT 1) TO '${ours}'`, `COPY (SELECT 1) TO '${spill}/x.csv'`,
      `EXPLAIN ANALYZE COPY (SELECT 1) TO '${target}'`, `EXPLAIN ANALYZE (COPY (SELECT 1) TO '${target}')`,
      `EXPLAIN (ANALYZE) COPY (SELECT 1) TO '${target}'`, `EXPLAIN /* ( */ ANALYZE /* ) */ COPY (SELECT 1) TO '${target}'`,
      `EXPLAIN (/* ) */ ANALYZE) COPY (SELECT 1) TO '${target}'`, `EXPLAIN -- (\nANALYZE COPY (SELECT 1) TO '${target}'`,
      'EXPLAIN ANALYZE CREATE TABLE t AS SELECT 1', 'EXPLAIN ANALYZE DROP VIEW events', 'EXPLAIN ANALYZE DELETE FROM events',
      'WITH x AS (INSERT INTO y VALUES (1) RETURNING *) SELECT * FROM x', 'CREATE TABLE x(a INTEGER)', 'INSERT INTO events SELECT * FROM events',
      'DROP VIEW events', 'CREATE OR REPLACE VIEW events AS SELECT 1', `EXPORT DATABASE '${folder}/export'`, `ATTACH '${folder}/x.db'`,
      `ATTACH '${theirs}' AS p`, 'DETACH memory', 'CHECKPOINT', 'VACUUM',
      // Settings and what is loaded.
      "SELECT current_setting('allowed_paths')", 'SELECT "current_setting"(\'allowed_paths\')', "SELECT system.main.current_setting('temp_directory')",
      'SELECT * FROM duckdb_settings()', 'SELECT * FROM pg_catalog.pg_settings', 'SELECT * FROM duckdb_temporary_files()',
      'SELECT macro_definition FROM duckdb_functions()', 'SET threads = 1', "SET allowed_paths = ['/']", 'RESET lock_configuration',
      'PRAGMA enable_profiling', 'INSTALL httpfs', "LOAD 'httpfs'", "SELECT getenv('HOME')", 'CALL pragma_version()',
      // Several at once, and what runs a text.
      `SELECT 1; COPY (SELECT 1) TO '${target}'`, `SELECT * FROM query('COPY (SELECT 1) TO ''${target}''')`,
      `PREPARE p AS COPY (SELECT 1) TO '${target}'`, 'EXECUTE p', "SELECT * FROM json_execute_serialized_sql('{}')",
      "CALL enable_logging(storage := 'file')", "SELECT * FROM U&\"\\0072ead_text\"('/etc/passwd')",
    ];
    // That it was refused is said in the log, of a run of the server's own.
    const written = () => contents(folder).filter((name) => !/^\.weir\/(log\/|runs\/|cache\/sql-)/.test(name));
    const before = written();
    for (const query of attempts) {
      const {status, text} = await ask(query);
      check(status === 400, `${query}: ${status} ${text.slice(0, 300)}`);
      check(!text.includes(SECRET), `${query}: ${text}`);
    }
    // What may be asked does not tell where the store is, and a glob does not tell what is there.
    for (const query of ['EXPLAIN SELECT * FROM events', 'EXPLAIN ANALYZE SELECT count(*) FROM events', 'SELECT * FROM duckdb_databases()',
                         'SELECT * FROM duckdb_views()', 'SELECT * FROM pragma_database_list()', 'SELECT * FROM duckdb_logs',
                         `SELECT * FROM glob('${weir.store}/**')`, `SELECT * FROM glob('/etc/*')`, `SELECT * FROM glob('${spill}/*')`]) {
      const {status, text} = await ask(query);
      check(status === 200 || status === 400, `${query}: ${status}`);
      // What the question itself says may be quoted.
      const said = text.replaceAll(query, '').replaceAll(JSON.stringify(query).slice(1, -1), '');
      check(!said.includes(`${weir.store}/events`) && !said.includes('passwd') && !said.includes('keys.json') && !said.includes(SECRET),
            `${query} says: ${said.slice(0, 1000)}`);
    }
    equal(written(), before);
    check(readFileSync(ours).subarray(0, 4).toString() === 'PAR1', 'the part was written over');

    for (const hash of hashes) {
      equal((await server.ask(`/api/v1/artifacts/${hash}`, {headers: bearer(globex)})).status, 200);
      for (const who of [reader, acme]) {
        const {status, text} = await server.ask(`/api/v1/artifacts/${hash}`, {headers: bearer(who)});
        check(status === 404 && !text.includes('hello'), `${hash}: ${status} ${text}`);
      }
      for (const path of [`/api/v1/artifacts/${hash.toUpperCase()}`, `/api/v1/artifacts/..%2Fartifacts%2F${hash.slice(0, 2)}%2F${hash}`]) {
        equal((await server.ask(path, {headers: bearer(reader)})).status, 404);
      }
    }
    equal((await ask("SELECT count(*)::INTEGER FROM events WHERE tenant_id = 'globex'")).body.rows, [[0]]);
    equal(await server.stop(), 0);
    console.log(`figures: ${attempts.length} statements were refused`);
  } finally {
    await server.kill();
  }
});
