// Checks that docs/reference/sql.md has every table of `weir sql` with its columns, and the sentences
// that sql/views says of each; with --update, writes them.
//
//   node sql_tables.mjs [--update] WEIR

import {execFileSync} from 'node:child_process';
import {mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const PAGE = join(ROOT, 'docs/reference/sql.md');
const MARK = '--update build/release/weir`. -->\n';

const words = process.argv.slice(2);
const update = words[0] === '--update' && words.shift() !== undefined;
const program = resolve(words[0]);

/// [[view, comment]…] in the order of the files.
function views() {
  const folder = join(ROOT, 'sql/views');
  const found = [];
  for (const file of readdirSync(folder).sort()) {
    const text = readFileSync(join(folder, file), 'utf8');
    for (const [, comment, name] of text.matchAll(/((?:^--.*\n)*)^CREATE VIEW (\w+)/gm)) {
      found.push([name, comment.replace(/^-- ?/gm, '').trim().replaceAll('\n', ' ')]);
    }
  }
  return found;
}

/// By view: [[name, type]…].
function columns() {
  const folder = mkdtempSync(join(tmpdir(), 'weir-tables-'));
  try {
    const store = join(folder, '.weir');
    execFileSync(program, ['exec', '--quiet', '--store', store, '--', 'true']);
    const query = 'SELECT table_name, column_name, data_type FROM duckdb_columns() ' +
        'WHERE NOT internal ORDER BY table_name, column_index';
    const rows = JSON.parse(execFileSync(program, ['sql', '--store', store, '--format', 'json', query]));
    const tables = new Map();
    for (const row of rows) {
      tables.set(row.table_name, [...(tables.get(row.table_name) ?? []), row]);
    }
    return tables;
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}

function section(name, comment, columns) {
  // Those of events are the catalogue's, and have a page.
  const listed = name === 'events' || name === 'logs' ?
      'Columns: the fields of [events](events.md).' :
      columns.map((row) => `\`${row.column_name}\` ${row.data_type}`).join(', ');
  return `### ${name}\n\n${comment}\n\n${listed}\n`;
}

const all = columns();
const expected = views().map(([name, comment]) => section(name, comment, all.get(name))).join('\n');
const page = readFileSync(PAGE, 'utf8');
const head = page.slice(0, page.indexOf(MARK) + MARK.length);
if (page === `${head}\n${expected}`) process.exit(0);
if (update) {
  writeFileSync(PAGE, `${head}\n${expected}`);
} else {
  console.log(`${PAGE} is not what sql/views says: ` +
      'node tests/generated/sql_tables.mjs --update build/release/weir');
  process.exit(1);
}
