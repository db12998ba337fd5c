// What the recorder promises holds however the process ends.
//
//   node process_end.mjs RECORDING_PROCESS ENDING DURABILITY [ROUNDS]
//
// Reads what the process was promised while it runs, lets it end, or kills it, and looks for it in
// the log with a reader of its own.

import {spawn} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {committedLines, readStore} from '../lib/segment.mjs';

const [program, ending, durability] = process.argv.slice(2);
const rounds = Number(process.env.WEIR_KILL_ROUNDS ?? process.argv[5] ?? 1);
const EXPECTED = {return: 0, exit: 0, fork: 0, abort: 'SIGABRT', fault: 'SIGSEGV',
                  fault_in_text: 'SIGSEGV', fault_in_emit: 'SIGSEGV', until_killed: 'SIGKILL',
                  killed_later: 'SIGKILL'};
const IS_KILLED = EXPECTED[ending] === 'SIGKILL';
// What `emit` has taken is promised by the table at record::Durability: of memory only where the
// recorder is destroyed, of batch but for kill -9, of commit always.
const PROMISED = {memory: ending === 'return', batch: !IS_KILLED, commit: true}[durability];
// The sanitizers take faults for themselves, and end the process with this code.
const SANITIZED = new Set([1, 66]);
// How long a process that is killed may live. Its first milliseconds are the start.
const MAX_LIFE_MS = 400;

function check(holds, what) {
  if (!holds) throw new Error(what);
}

async function runProcess(store) {
  const child = spawn(program, [store, ending, durability], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {...process.env, ASAN_OPTIONS: 'detect_leaks=0'},  // it ends as it stands, that is the point
  });
  let said = '';
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (text) => { said += text; });
  if (ending === 'until_killed') setTimeout(() => child.kill('SIGKILL'), Math.random() * MAX_LIFE_MS);
  const status = await new Promise((done) => child.on('close', (code, signal) => done(signal ?? code)));
  return {status, said};
}

/// By run: its events' numbers, which must be 1, 2, 3…, and the events.
function runsOf(store) {
  for (const {path, damage, torn} of readStore(store)) {
    check(damage.length === 0, `${path}: damaged`);
    check(IS_KILLED || torn === 0, `${path}: ${torn} bytes after the last commit`);
  }
  const runs = new Map();
  for (const event of committedLines(store).map((line) => JSON.parse(line))) {
    if (!runs.has(event.run_id)) runs.set(event.run_id, []);
    const events = runs.get(event.run_id);
    events.push(event);
    check(event.run_seq === events.length, `run ${event.run_id}: ${event.run_seq} is event ${events.length}`);
  }
  return runs;
}

let promised = 0;
for (let round = 0; round < rounds; ++round) {
  const store = mkdtempSync(join(tmpdir(), 'weir-process-end-'));
  try {
    const {status, said} = await runProcess(store);
    check(status === EXPECTED[ending] || (typeof EXPECTED[ending] === 'string' && SANITIZED.has(status)),
          `ended with ${status}, ${EXPECTED[ending]} was expected`);
    const runs = runsOf(store);
    for (const [, word, run, number] of said.matchAll(/^(emitted|committed|aged) (\S+) (\d+)$/gm)) {
      if (word === 'emitted' && !PROMISED) continue;
      const found = runs.get(run)?.length ?? 0;
      check(found >= Number(number), `run ${run}: ${number} events were ${word}, ${found} are there`);
      promised += word === 'committed' ? 10 : Number(number);
    }
    for (const [run, events] of runs) {
      check(said.includes(`run ${run} `), `nobody recorded run ${run}`);
      if (ending === 'fork') {
        check(events.every((event) => event.message === 'an event'), 'the child wrote into its parent\'s run');
      }
    }
    if (ending === 'fork' && PROMISED) check(runs.size === 2, `${runs.size} runs, the parent's and the child's were expected`);
    // What had a number and could not be written is said; everything else is what was emitted.
    const unwritten = [...runs.values()].flat().filter((event) => event.level === 'FATAL');
    const last = [...runs.values()][0]?.at(-1);
    if (ending === 'fault_in_emit' && PROMISED) {
      check(unwritten.length === 1 && unwritten[0] === last, `${unwritten.length} events could not be written`);
    } else if (ending !== 'fault_in_emit') {
      check(unwritten.length === 0, `${unwritten.length} events were lost: ${JSON.stringify(unwritten[0])}`);
    }
  } finally {
    rmSync(store, {recursive: true, force: true});
  }
}
check(promised > 0 || !PROMISED || ending === 'until_killed', 'nothing was promised');
console.log(`${ending}, ${durability}: ${rounds} times, ${promised} events promised, every one is there`);
