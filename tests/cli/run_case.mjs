// Runs cases of the command line: one text file a case, with the files that it needs, its commands,
// and what they print.
//
//   node run_case.mjs [--update] WEIR CASE…
//
// A case is made of sections, each begun by a line of its own:
//
//   # Text before the first section says what the case is about.
//   --- file NAME        the lines that follow are this file
//   --- fixture PATH     a copy of this file or folder of the project
//   --- run              shell commands; `weir` is the program
//   --- stdout           what they print; no section: nothing
//   --- stderr
//   --- exit N           no section: 0
//
// All of a case happens in one fresh folder, with the store in its .weir. What differs between two
// runs is replaced (see `normalise`). The actual case is then written as a text in the same form:
// it must equal the file, or with --update it becomes the file.

import {spawnSync} from 'node:child_process';
import {
  cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {basename, dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const HEADER = /^--- (file|fixture|run|stdout|stderr|exit)\b ?(.*)$/;
// Long enough for a sanitizer build on a busy machine; short enough to say which command hangs.
const COMMAND_TIMEOUT_MS = 240_000;

function parse(text) {
  const intro = [];
  const sections = [];
  for (const line of text.split('\n')) {
    const header = HEADER.exec(line);
    if (header) sections.push({kind: header[1], name: header[2], lines: []});
    else (sections.at(-1)?.lines ?? intro).push(line);
  }
  const trimmed = (lines) => lines.join('\n').replace(/\n+$/, '');
  return {
    intro: trimmed(intro),
    sections: sections.map(({kind, name, lines}) => ({kind, name, body: trimmed(lines)})),
  };
}

/// Takes out what no two runs have in common.
function normalise(text, folder) {
  let result = text.replaceAll(folder, '<DIR>')
      .replace(/\b[0-9a-f]{24}-(\d{6}\.jsonl)/g, '<WRITER>-$1')
      .replace(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, '<RUN>')
      // Of this decade and later: times that a case writes itself are older, and stay.
      .replace(/\b20[2-9]\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00)?/g, '<TIME>')
      .replace(/\b(trace_id\W+)[0-9a-f]{32}\b/g, '$1<TRACE>')
      .replace(/\b((?:parent_)?span_id\W+)[0-9a-f]{16}\b/g, '$1<SPAN>')
      .replace(/("\w+_ms": ?)[-+.\de]+/g, '$1<MS>')
      .replace(/("(?:memory|read|written)_bytes": ?)\d+/g, '$1<BYTES>')
      // What a node read and wrote is only told where it is anything.
      .replace(/(cpu \d.*, memory )[\d.]+ \w?B(, (read|written) [\d.]+ \w?B)*/g, '$1<BYTES>')
      .replace(/\b(read|written) [\d.]+ \w?B\b/g, '$1 <BYTES>')
      // A result's Parquet file is another one with another DuckDB.
      .replace(/("artifact": ?)"[0-9a-f]{64}"/g, '$1"<SHA256>"')
      .replace(/(anchor"?:? "?)[0-9a-f]{64}/g, '$1<ANCHOR>')
      .replace(/\b\d+ commits?, /g, '<N> commits, ')
      .replace(/( artifacts, )\d+ bytes/g, '$1<N> bytes');
  const widths = /\b\d+(\.\d+)? (µs|ms|s|min|h)\b( \d+ (s|min))?|<RUN>|<TIME>/;
  // Where a width varies, so do the columns around it.
  if (widths.test(result)) {
    result = result.replace(/ *━+/g, ' ━').replace(new RegExp(widths, 'g'),
        (found) => found.startsWith('<') ? found : '<DURATION>')
        .replace(/(\S) {2,}/g, '$1  ');
  }
  return result;
}

function execute(command, folder, program) {
  const {status, signal, stdout, stderr, error} = spawnSync(
      '/bin/sh', ['-c', `weir() { "$WEIR" "$@"; }\n${command}`], {
        cwd: folder,
        env: environment(folder, program),
        timeout: COMMAND_TIMEOUT_MS,
        killSignal: 'SIGKILL',
        maxBuffer: 1 << 28,
        input: '',
      });
  if (error) throw new Error(`${error.message} in: ${command}`);
  return {
    exit: signal ?? status,
    stdout: normalise(stdout.toString(), folder),
    stderr: normalise(stderr.toString(), folder),
  };
}

function environment(folder, program) {
  const env = {
    ...process.env, HOME: folder, LC_ALL: 'C.UTF-8', SHELL: '/bin/sh', WEIR: program, WEIR_STORE: '.weir',
  };
  env.PATH = `${dirname(process.execPath)}:${env.PATH}`;
  delete env.NO_COLOR;
  return env;
}

/// Does all that a case says and gives the case as it should have been.
function play(text, program) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'weir-case-')));
  try {
    const {intro, sections} = parse(text);
    const parts = [intro];
    for (const {kind, name, body} of sections) {
      const head = `--- ${kind}${name && ` ${name}`}`;
      if (kind === 'file') {
        mkdirSync(dirname(join(folder, name)), {recursive: true});
        writeFileSync(join(folder, name), `${body}\n`);
        parts.push(`\n${head}\n${body}`);
      } else if (kind === 'fixture') {
        cpSync(join(ROOT, name), join(folder, basename(name)), {recursive: true});
        parts.push(`\n${head}`);
      } else if (kind === 'run') {
        parts.push(`\n${head}\n${body}`, ...results(execute(body, folder, program)));
      }
    }
    return `${parts.join('\n')}\n`;
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}

function results({exit, stdout, stderr}) {
  const shown = (text) => text.endsWith('\n') ? text.slice(0, -1) : `${text}\n(no newline)`;
  const parts = [];
  if (stdout !== '') parts.push(`--- stdout\n${shown(stdout)}`);
  if (stderr !== '') parts.push(`--- stderr\n${shown(stderr)}`);
  if (exit !== 0) parts.push(`--- exit ${exit}`);
  return parts;
}

const words = process.argv.slice(2);
const update = words[0] === '--update' && words.shift() !== undefined;
const [program, ...cases] = words;
if (cases.length === 0) {
  console.error('usage: run_case.mjs [--update] WEIR CASE…');
  process.exit(2);
}
for (const path of cases) {
  const expected = readFileSync(path, 'utf8');
  const actual = play(expected, resolve(program));
  if (actual === expected) continue;
  const {stdout} = spawnSync('diff', ['-u', '--label', path, '--label', 'actual', path, '-'],
      {input: actual});
  console.log(stdout.toString());
  if (update) writeFileSync(path, actual);
  else process.exitCode = 1;
}
if (process.exitCode) {
  console.log('If the new text is right: node tests/cli/run_case.mjs --update WEIR CASE…');
}
