// A file in the repository that a command prints must be what the command prints now.
//
//   node is_current.mjs WEIR FILE WORD…

import {readFileSync} from 'node:fs';
import {relative} from 'node:path';
import {ROOT, Weir} from '../lib/weir.mjs';

const [program, file, ...words] = process.argv.slice(2);
const printed = new Weir(program, '').ask(0, ...words);
let kept = '';
try {
  kept = readFileSync(file, 'utf8');
} catch (error) {
  console.log(error.message);
}
if (printed === '' || kept !== printed) {
  const name = relative(ROOT, file);
  console.log(`${name} is out of date. To renew it:`);
  console.log(`  build/release/weir ${words.join(' ')} > ${name}`);
  process.exitCode = 1;
}
