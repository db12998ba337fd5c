// Does what README.md says, in a copy of what it speaks of, with this program.
//
//   node run_readme.mjs WEIR
//
// Its blocks mean: ```sh is for copying, and every command of it must succeed here; ```yaml is a
// part of examples/takings/pipeline.yaml, word for word; what a command prints is ```console, and
// not looked at. Links must lead to something.

import {spawnSync} from 'node:child_process';
import {cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync} from 'node:fs';
import {dirname, join, resolve} from 'node:path';
import {ROOT, withFolder} from '../lib/weir.mjs';

const TIMEOUT_MS = 240_000;  // a sanitizer build on a busy machine

const text = readFileSync(join(ROOT, 'README.md'), 'utf8');
const blocks = (language) =>
    [...text.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map((found) => found[1]);

function check(holds, what) {
  if (holds) return;
  console.log(`README.md: ${what}`);
  process.exitCode = 1;
}

/// As after `git clone` and `./dev build`, but for ./dev: it does nothing here.
function makeProject(folder, program) {
  cpSync(join(ROOT, 'examples'), join(folder, 'examples'),
      {recursive: true, filter: (path) => !/\/(node_modules|\.weir|report)$/.test(path)});
  writeFileSync(join(folder, 'dev'), '#!/bin/sh\n', {mode: 0o755});
  mkdirSync(join(folder, 'build/release'), {recursive: true});
  symlinkSync(resolve(program), join(folder, 'build/release/weir'));
}

await withFolder(async (folder) => {
  makeProject(folder, process.argv[2]);
  const script = blocks('sh').join('');
  check(/^weir run /m.test(script), 'no command runs a pipeline');
  const {status, signal, stdout, stderr} = spawnSync(
      'bash', ['-euc', `trap 'echo "failed: $BASH_COMMAND" >&2' ERR\n${script}`], {
        cwd: folder,
        // The node that runs this test, and a store that is not one of a folder above.
        env: {...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
          WEIR_STORE: join(folder, '.weir')},
        encoding: 'utf8',
        timeout: TIMEOUT_MS,
        input: '',
      });
  check(status === 0, `its commands: exit ${status ?? signal}\n${stdout}${stderr}`);
});

const pipeline = readFileSync(join(ROOT, 'examples/takings/pipeline.yaml'), 'utf8');
for (const block of blocks('yaml')) {
  check(pipeline.includes(block), `not as in examples/takings/pipeline.yaml:\n${block}`);
}
for (const [, path] of text.matchAll(/\]\((?!https?:)([^)#]+)/g)) {
  check(existsSync(join(ROOT, path)), `a link leads nowhere: ${path}`);
}
