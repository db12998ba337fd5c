// Every failure path leaves the events that docs/reference/failures.md promises: one case each, in
// real runs of the real program.
//
//   node failures.mjs WEIR [CASE…]
//
// Each case says by hand what must be there; holds.mjs says what holds of all of them. The page's
// table and the sources are held to the cases: a type that no case meets, or that the page does not
// have, fails the test.

import {readdirSync, readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {ROOT} from '../lib/weir.mjs';
import {PLUGINS} from './cases_plugins.mjs';
import {RUNS} from './cases_runs.mjs';
import {PATHS} from './cases_paths.mjs';
import {TOOLS} from './cases_tools.mjs';
import {OUTCOMES} from './holds.mjs';
import {check} from './place.mjs';
import {checkPlanted} from './planted.mjs';
import {play} from './play.mjs';
import {serve} from './server.mjs';

const PAGE = join(ROOT, 'docs/reference/failures.md');
const CASES = [...PATHS, ...RUNS, ...TOOLS, ...PLUGINS];

/// Types that no command of `weir` can be made to meet: why, and the test that does, if there is
/// one.
const ELSEWHERE = {
  PipelineNotFound: ['weir run refuses the file before it', 'engine/child_runs_test.cc'],
  InvalidPipeline: ['weir run refuses the file before it', 'engine/child_runs_test.cc'],
  NoThread: ['the system must give no thread', 'engine/streams_test.cc'],
  InterceptorFailed: ['of programs that embed the engine', 'engine/interceptor_test.cc'],
  IdempotencyParamMismatch: ['of programs that embed the engine',
    'engine/idempotency_interceptor_test.cc'],
  Abandoned: ['of tools in C++', 'engine/circuit_test.cc'],
  'std::…': ['of functions in C++', 'engine/control_test.cc'],
  unknown: ['of functions in C++', 'embed_engine/engine_test.cc'],
  // Why a run could not be begun: of those, `weir run` meets IoError.
  Conflict: ['of programs that embed the engine', 'engine/local_adapter_test.cc'],
  ...Object.fromEntries(['InvalidInput', 'NotFound', 'Exhausted', 'Corrupt', 'Unavailable']
      .map((type) => [type, ['as Conflict']])),
};

const SOURCES = ['engine', 'tool', 'plugins', 'pipeline', 'cli'];
/// A text that looks like a type of an error, as all of them do.
const WORDS = ['POLICY_DENIED', 'TIMEOUT', 'OOM', 'Cancelled', 'Abandoned', 'Exhausted', 'Corrupt',
  'Conflict', 'Unavailable'];
const TYPE = new RegExp(`"((?:[A-Z][a-z0-9]+){2,}|[A-Z]+_LIMIT|${WORDS.join('|')})"`, 'g');
/// The others are what hooks do wrong (docs/reference/hooks.md): no node fails by it.
const NO_TYPES = ['ChildRunTracker', 'HookError', 'HookException', 'HookTimeout', 'HookDisabled',
  'HookNested', 'HookNoThread', 'HookStillRunning'];

function typesInSources() {
  const types = new Set();
  const look = (path) => {
    if (statSync(path).isDirectory()) return readdirSync(path).forEach((one) => look(join(path,
      one)));
    if (!/\.(cc|h)$/.test(path) || /_(test|testing|bench|fuzz)\.\w+$/.test(path)) return;
    for (const [, type] of readFileSync(path, 'utf8').matchAll(TYPE)) types.add(type);
  };
  for (const module of SOURCES) look(join(ROOT, 'src', module));
  return [...types].filter((type) => !NO_TYPES.includes(type));
}

/// The page's table: what it says of each type's retry.
function typesInPage() {
  const types = new Map();
  for (const line of readFileSync(PAGE, 'utf8').split('\n')) {
    const cells = line.split('|').map((cell) => cell.trim());
    if (cells.length !== 7 || !cells[1].startsWith('`')) continue;
    for (const [, type] of cells[1].matchAll(/`([^`]+)`/g)) {
      check(!types.has(type), `failures.md has ${type} twice`);
      types.set(type, {retry: cells[3], outcome: cells[4]});
    }
  }
  return types;
}

/// Types that cases expect, by the events that say them.
function typesInCases() {
  const types = new Set();
  for (const {events, others = {}} of CASES) {
    for (const line of [...events, ...Object.values(others).flat()].flat()) {
      if (/_failed /.test(line)) line.split(' ').forEach((word) => types.add(word));
    }
  }
  return types;
}

function checkPage() {
  const page = typesInPage();
  const met = typesInCases();
  const problems = [];
  for (const type of page.keys()) {
    if (!met.has(type) && !(type in ELSEWHERE)) problems.push(`no case meets ${type}`);
  }
  for (const [type, [why, test]] of Object.entries(ELSEWHERE)) {
    if (!page.has(type)) problems.push(`failures.md lacks ${type}`);
    if (met.has(type)) problems.push(`a case meets ${type}: take it from ELSEWHERE`);
    const word = type.replace('…', '');
    if (test === undefined) {
      console.log(`no test meets ${type}: ${why}`);
    } else if (!readFileSync(join(ROOT, 'src', test), 'utf8').includes(word)) {
      problems.push(`${test} does not meet ${type}`);
    }
  }
  for (const type of typesInSources()) {
    if (!page.has(type)) problems.push(`failures.md lacks ${type}, which is in src/`);
  }
  for (const [type, {outcome}] of page) {
    const said = /^`(\w+)`$/.exec(outcome)?.[1];
    if (said !== OUTCOMES[type]) problems.push(`failures.md: outcome '${outcome}' of ${type}`);
  }
  for (const {name, retried, type} of CASES.filter((one) => one.retried !== undefined)) {
    const said = page.get(type)?.retry ?? '';
    const words = said.startsWith('as ') ? retried : said;
    if (words !== retried) problems.push(`failures.md: ${type} is '${said}',
      in '${name}' ${retried}`);
  }
  return problems;
}

const [program, ...wanted] = process.argv.slice(2);
const chosen = wanted.length === 0 ? CASES : CASES.filter(({name}) => wanted.includes(name));
check(chosen.length >= Math.max(1, wanted.length), 'no such case');
checkPlanted();
const shared = await serve();
let failed = 0;
for (const one of chosen) {
  const start = performance.now();
  try {
    await play(one, program, shared);
    console.log(`ok      ${one.name} (${(performance.now() - start).toFixed(0)} ms)`);
  } catch (error) {
    ++failed;
    console.log(`FAILED  ${one.name}: ${error.message}`);
  }
}
shared.close();
console.log(`${chosen.length} cases, ${failed} failed`);
if (failed > 0) process.exitCode = 1;
if (wanted.length === 0) {
  const problems = checkPage();
  problems.forEach((problem) => console.log(problem));
  if (problems.length > 0) process.exitCode = 1;
}
