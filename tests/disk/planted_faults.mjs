// Proves that the schedules of weir_disk find what they are for: plants one fault at a time in a copy
// of a source file, builds weir_disk with it, and expects it to be caught.
//
//   node planted_faults.mjs BUILD_FOLDER SCHEDULES
//
// The text that a fault replaces must stand in its file exactly once: whoever changes the code
// changes the fault with it.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const [build, schedules] = [resolve(process.argv[2]), process.argv[3]];
const source = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

const faults = [
  { name: 'a commit is not synced',
    file: 'src/log/segment.cc',
    from: 'if (result) result = file_.sync();', to: '' },
  { name: 'a commit is acknowledged before it is synced',
    file: 'src/log/segment.cc',
    from: 'auto result = is_aligned ? file_.write_direct(lines.view()) : file_.write(lines.view());\n  if (result) result = file_.sync();',
    to: 'auto result = file_.sync();\n  if (result) result = is_aligned ? file_.write_direct(lines.view()) : file_.write(lines.view());' },
  { name: 'a failed commit is acknowledged',
    file: 'src/log/segment.cc',
    from: 'size_bytes_ + lines.size());\n    return result;',
    to: 'size_bytes_ + lines.size());\n    return {};' },
  { name: 'the checksum is ignored',
    file: 'src/log/segment.cc',
    from: 'crc32c(lines) == read->crc &&', to: '' },
  { name: 'the commit line stands before its events',
    file: 'src/log/segment.cc',
    from: '  lines.append(line);',
    to: '  CommitBuffer turned;\n  turned.append(line);\n  turned.append(lines.view());\n  lines.swap(turned);' },
  { name: "a new segment's name is not synced",
    file: 'src/log/segment.cc',
    from: 'if (ready) ready = sync_directory(path.parent_path(), files);', to: '' },
  { name: 'a reader delivers what is not durable',
    file: 'src/log/segment.cc',
    from: 'WEIR_TRY(make_durable(buffer_offset_ + line_begin_));', to: '' },
  { name: 'a short write counts as a whole one',
    file: 'src/base/file.cc',
    from: 'bytes.remove_prefix(static_cast<std::size_t>(written));\n  }\n  return {};\n}\n\nResult<void> File::write_direct',
    to: 'bytes = {};\n  }\n  return {};\n}\n\nResult<void> File::write_direct' },
  { name: 'a short direct write counts as a whole one',
    file: 'src/base/file.cc',
    from: 'bytes.remove_prefix(static_cast<std::size_t>(written));\n  }\n  leave_direct();',
    to: 'bytes = {};\n  }\n  leave_direct();' },
  { name: 'a writer goes on after a failed commit',
    file: 'src/log/segment.cc', from: 'failure_ = result.error();', to: '',
    also: { file: 'src/log/log_writer.cc', from: 'failure_ = done.error();\n    close();', to: '' } },
  { name: 'a torn tail is not cut off',
    file: 'src/log/sealing.cc',
    from: 'WEIR_TRY(file.truncate(committed));', to: '' },
  { name: 'a segment is sealed while it is written',
    file: 'src/log/sealing.cc',
    from: 'if (!finished) return {};', to: 'static_cast<void>(finished);' },
  { name: 'the last commit is sealed though it may be in memory alone',
    file: 'src/log/sealing.cc',
    from: 'WEIR_TRY(write_again(file, last_commit, committed));', to: '' },
  { name: 'a segment counts as finished though a commit of it failed',
    file: 'src/log/log_writer.cc',
    from: 'if (segment_ && !failure_) {', to: 'if (segment_) {' },
  { name: 'a segment is sealed whose name may be lost',
    file: 'src/log/sealing.cc',
    from: 'WEIR_TRY(sync_directory(store_.log(), files_));', to: '' },
  { name: "the store's folders may be lost",
    file: 'src/log/store_directory.cc',
    from: 'WEIR_TRY(sync_directory(parent.empty() ? "." : parent, files));\n    WEIR_TRY(sync_directory(root, files));',
    to: '' },
];

/// The command that compiles `file`, with another input and output.
function compile(file, input, output) {
  const commands = JSON.parse(readFileSync(join(build, 'compile_commands.json')));
  const entry = commands.find((command) => command.file === join(source, file));
  const words = entry.command.split(' ').filter((word) => word !== '');
  words[words.indexOf('-o') + 1] = output;
  words[words.indexOf('-c') + 1] = input;
  execFileSync(words[0], [...words.slice(1), '-Wno-unused'], { cwd: entry.directory, stdio: 'inherit' });
  return words[0];
}

function plant({ file, from, to }) {
  const text = readFileSync(join(source, file), 'utf8');
  if (text.split(from).length !== 2) throw new Error(`${file} has not exactly one: ${from}`);
  return text.replace(from, () => to);
}

/// Links before the libraries what stands for one of their objects.
function link(compiler, objects, program) {
  const folder = join(build, 'tests/disk/CMakeFiles/weir_disk.dir');
  const own = readdirSync(folder).filter((name) => name.endsWith('.o')).map((name) => join(folder, name));
  execFileSync(compiler, [...own, ...objects, '-o', program, join(build, 'src/libweir_log.a'),
    join(build, 'src/libweir_base.a'), '-lsimdjson', '-lyaml-cpp', '-lcrypto'], { stdio: 'inherit' });
}

const folder = join(build, 'planted');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
let missed = 0;
for (const fault of faults) {
  let compiler;
  const objects = [fault, ...(fault.also ? [fault.also] : [])].map((edit) => {
    const input = join(folder, basename(edit.file));
    writeFileSync(input, plant(edit));
    const object = `${input}.o`;
    compiler = compile(edit.file, input, object);
    return object;
  });
  const program = join(folder, 'weir_disk');
  link(compiler, objects, program);
  const ran = spawnSync(program, [schedules], { encoding: 'utf8' });
  const caught = ran.status === 1 && ran.stderr.startsWith('seed ');
  if (!caught) missed += 1;
  console.log(`${caught ? 'caught' : 'MISSED'}  ${fault.name}: ${(ran.stderr || ran.stdout).trim()}`);
}
rmSync(folder, { recursive: true, force: true });
console.log(`${faults.length - missed} of ${faults.length} planted faults caught`);
process.exit(missed === 0 ? 0 : 1);
