// Proves that the schedules of a program find what they are for: plants one fault at a time in a copy
// of a source file, builds the program with it, and expects it to be caught.
//
//   node planted_faults.mjs BUILD_FOLDER PROGRAM SCHEDULES [FAULT]
//
// The faults of a program are in faults/PROGRAM.mjs; FAULT is a part of the name of those to try. The
// text that a fault replaces must stand in its file exactly once: whoever changes the code changes the
// fault with it.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const build = resolve(process.argv[2]);
const [name, schedules, wanted = ''] = process.argv.slice(3);
const source = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const faults = (await import(`./faults/${name}.mjs`)).faults.filter((fault) => fault.name.includes(wanted));

/// What the build runs to make `target`, as words.
const commandsOf = (target) => execFileSync('ninja', ['-C', build, '-t', 'commands', target], { encoding: 'utf8' })
  .trim().split('\n').map((line) => line.split(' ').filter((word) => word !== ''));

/// The command that compiles `file`, with another input and output.
function compile(file, input, output) {
  const commands = JSON.parse(readFileSync(join(build, 'compile_commands.json')));
  const entry = commands.find((command) => command.file === join(source, file));
  const words = entry.command.split(' ').filter((word) => word !== '');
  words[words.indexOf('-o') + 1] = output;
  words[words.indexOf('-c') + 1] = input;
  execFileSync(words[0], [...words.slice(1), '-Wno-unused'], { cwd: entry.directory, stdio: 'inherit' });
}

/// Writes the sources of a fault, changed, and gives their names: `also` is a change of the same file
/// or of another.
function plant(fault) {
  const texts = new Map();
  for (const { file, from, to } of [fault, ...(fault.also ? [fault.also] : [])]) {
    const text = texts.get(file) ?? readFileSync(join(source, file), 'utf8');
    if (text.split(from).length !== 2) throw new Error(`${file} has not exactly one: ${from}`);
    texts.set(file, text.replace(from, () => to));
  }
  for (const [file, text] of texts) writeFileSync(join(folder, basename(file)), text);
  return [...texts.keys()];
}

/// The command that links the program, of what stands around it: ": && c++ … && :".
const whole = commandsOf(`tests/disk/${name}`).at(-1);
const linking = whole.slice(whole.indexOf('&&') + 1, whole.lastIndexOf('&&'));

/// Links before the libraries what stands for one of their objects.
function link(objects, program) {
  const words = [...linking];
  words[words.indexOf('-o') + 1] = program;
  words.splice(words.findIndex((word) => word.endsWith('.a')), 0, ...objects);
  execFileSync(words[0], words.slice(1), { cwd: build, stdio: 'inherit' });
}

const folder = join(build, `planted-${name}`);
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
let missed = 0;
for (const fault of faults) {
  const objects = plant(fault).map((file) => {
    const input = join(folder, basename(file));
    compile(file, input, `${input}.o`);
    return `${input}.o`;
  });
  const program = join(folder, name);
  link(objects, program);
  const ran = spawnSync(program, [schedules], { encoding: 'utf8' });
  const caught = ran.status === 1 && ran.stderr.startsWith('seed ');
  if (!caught) missed += 1;
  console.log(`${caught ? 'caught' : 'MISSED'}  ${fault.name}: ${(ran.stderr || ran.stdout).trim()}`);
}
rmSync(folder, { recursive: true, force: true });
console.log(`${faults.length - missed} of ${faults.length} planted faults caught`);
process.exit(missed === 0 ? 0 : 1);
