// Every public header compiles alone, as C++17, with the warnings that strangers have.
//
//   node compile_headers.mjs COMPILER HEADER…
//
// And the mistakes that it promises to find do not compile.

import {spawnSync} from 'node:child_process';
import {basename} from 'node:path';
import {ROOT} from '../lib/weir.mjs';

const [compiler, ...headers] = process.argv.slice(2);
const FLAGS = ['-std=c++17', '-Wall', '-Wextra', '-Wpedantic', '-Wshadow', '-Wconversion', '-Werror',
               '-fsyntax-only', '-I', `${ROOT}/include`, '-x', 'c++', '-'];

function compile(text) {
  const {status, stderr} = spawnSync(compiler, FLAGS, {input: text, encoding: 'utf8'});
  return {compiles: status === 0, stderr};
}

function report(what, stderr = '') {
  console.log(`${what}\n${stderr}`);
  process.exitCode = 1;
}

for (const header of headers) {
  const {compiles, stderr} = compile(`#include "weir/${basename(header)}"\n`);
  if (!compiles) report(`${header} does not compile alone`, stderr);
}

const inFunction = (line) =>
  `#include "weir/weir.h"\nvoid f(weir::Run& run) { using namespace weir; ${line} }\n`;
const RIGHT = [
  'run.emit(EventType::kLog, {{field::kMessage, "m"}, {"mine", 7}});',
  'run.flush().ignore();',
  'run.emit(EventType::kPipelineFailed, {{field::kFailedNodeId, nullptr}});',
];
const WRONG = [
  'run.emit(EventType::kLog, {{field::kRows, "three"}});',       // a text for a number
  'run.emit(EventType::kLog, {{field::kRows, 1.5}});',           // a part of a row
  'run.emit(EventType::kLog, {{field::kMessage, 3}});',          // a number for a text
  'run.emit(EventType::kLog, {{field::kMessage, nullptr}});',    // null where there is none
  'run.emit(EventType::kLog, {{field::kCacheHit, 1}});',         // a number for a boolean
  'run.emit(EventType::kLog, {{field::kParams, "{}"}});',        // a text for an object
  'run.flush();',                                                // a failure that nobody looks at
  'Run copy = run;',
  'Span a = run.span("a"); Span b = std::move(a);',              // would end in any order
];
for (const line of RIGHT) {
  const {compiles, stderr} = compile(inFunction(line));
  if (!compiles) report(`does not compile: ${line}`, stderr);
}
for (const line of WRONG) {
  if (compile(inFunction(line)).compiles) report(`compiles: ${line}`);
}
