// Proves that the schedules of a program find what they are for: plants one fault at a time in a copy
// of a source file, builds the program with it, and expects it to be caught.
//
//   node planted_faults.mjs BUILD_FOLDER PROGRAM SCHEDULES [FAULT]
//
// The faults of a program are in faults/PROGRAM.mjs; FAULT is a part of the name of those to try. The
// text that a fault replaces must stand in its file exactly once: whoever changes the code changes the
// fault with it. Its `seed` is that of a schedule which finds it, tried first, as all would take long:
// when it does not any more, all are tried, and the one that does is named.

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

const commands = JSON.parse(readFileSync(join(build, 'compile_commands.json')));

/// The command that compiles `file`: by itself, or with others that the build has joined to it.
function commandOf(file) {
  const path = join(source, file);
  const command = commands.find((one) => one.file === path || (one.file.includes('/Unity/') &&
    readFileSync(one.file, 'utf8').includes(`"${path}"`)));
  if (command === undefined) throw new Error(`nothing compiles ${file}`);
  return command;
}

/// Compiles another input by a command. Half the optimisation is a third of the time.
function compile(command, input, output) {
  const words = command.command.split(' ').filter((word) => word !== '')
    .map((word) => (word === '-O3' ? '-O1' : word));
  words[words.indexOf('-o') + 1] = output;
  words[words.indexOf('-c') + 1] = input;
  execFileSync(words[0], [...words.slice(1), '-Wno-unused'], { cwd: command.directory, stdio: 'inherit' });
}

/// Compiles the sources of a fault, changed, and gives their objects: `also` is a change of the same
/// file or of another.
function plant(fault) {
  const texts = new Map();
  for (const { file, from, to } of [fault, ...(fault.also ? [fault.also] : [])]) {
    const text = texts.get(file) ?? readFileSync(join(source, file), 'utf8');
    if (text.split(from).length !== 2) throw new Error(`${file} has not exactly one: ${from}`);
    texts.set(file, text.replace(from, () => to));
  }
  const inputs = new Map();  // of a command
  for (const [file, text] of texts) {
    const changed = join(folder, basename(file));
    writeFileSync(changed, text);
    const command = commandOf(file);
    const input = inputs.get(command) ?? (command.file === join(source, file)
      ? `#include "${command.file}"\n` : readFileSync(command.file, 'utf8'));
    inputs.set(command, input.replace(`"${join(source, file)}"`, `"${changed}"`));
  }
  return [...inputs].map(([command, text], at) => {
    const input = join(folder, `changed_${at}.cc`);
    writeFileSync(input, text);
    compile(command, input, `${input}.o`);
    return `${input}.o`;
  });
}

/// What the program says when it is run with so many schedules, from this one on.
function find(program, count, first) {
  const ran = spawnSync(program, [`${count}`, `${first}`], { encoding: 'utf8' });
  return { isCaught: ran.status === 1 && ran.stderr.startsWith('seed '), said: (ran.stderr || ran.stdout).trim() };
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
  const program = join(folder, name);
  link(plant(fault), program);
  // Of one alone it would print each step.
  let found = fault.seed === undefined ? { isCaught: false } : find(program, 2, fault.seed);
  if (!found.isCaught) found = find(program, schedules, 1);
  if (!found.isCaught) missed += 1;
  console.log(`${found.isCaught ? 'caught' : 'MISSED'}  ${fault.name}: ${found.said}`);
}
rmSync(folder, { recursive: true, force: true });
console.log(`${faults.length - missed} of ${faults.length} planted faults caught`);
process.exit(missed === 0 ? 0 : 1);
