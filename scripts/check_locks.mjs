// Checks that the npm lock files in the given folders pin every package by its hash, name no server
// to get it from (that is the choice of whoever installs), and bring no tools that would compile it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

let failed = false;
for (const folder of process.argv.slice(2)) {
  const file = join(folder, 'package-lock.json');
  const { lockfileVersion, packages } = JSON.parse(readFileSync(file, 'utf8'));
  const problems = lockfileVersion === 3 ? [] : ['lockfileVersion is not 3'];
  for (const [name, entry] of Object.entries(packages)) {
    if (name === '') continue; // the folder itself
    if (!entry.integrity?.startsWith('sha512-')) problems.push(`${name} has no sha512 hash`);
    if (name.endsWith('gyp')) problems.push(`${name} must be struck: docs/dependencies.md, DuckDB`);
    if (entry.resolved) problems.push(`${name} names a server: ${entry.resolved}`);
  }
  for (const problem of problems) console.error(`${file}: ${problem}`);
  failed ||= problems.length > 0;
}
process.exit(failed ? 1 : 0);
