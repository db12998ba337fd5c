// Kills runs at random moments and goes on with them, until they end: as the run that nobody killed
// ends, and no tool runs again whose end had been committed.
//
//   node kill_resume.mjs WEIR [ROUNDS]
//
//   WEIR_CRASH_ROUNDS  how many to resume  default: ROUNDS, or 6
//   WEIR_CRASH_SEED    of the random moments, printed by every run of this test

import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {check} from '../lib/check.mjs';
import {Weir, withFolder} from '../lib/weir.mjs';
import {listRuns, randomNumbers, verify, waitForOrphansToEnd} from './kill.mjs';

const [program, rounds = '6'] = process.argv.slice(2);
const ROUNDS = Number(process.env.WEIR_CRASH_ROUNDS ?? rounds);
const SEED = Number(process.env.WEIR_CRASH_SEED ?? Date.now() % 1_000_000);
const JOBS = ['--jobs', '3'];
const MAX_KILLS = 4;

// Each call of a tool is a line of the file `called`: its key, which says what it is for.
const CALL = 'echo "$WEIR_IDEMPOTENCY_KEY" >>called; sleep 0.02; ';
const tool = (command) => ({plugin_id: 'process', tool_id: 'run', with: {command: ['sh', '-c', CALL + command]}});

const INNER = {
  id: 'inner',
  nodes: [
    {id: 'first', ...tool('echo "{\\"inner_first\\": 1}"')},
    {id: 'second', needs: ['first'], ...tool('echo "{\\"inner_second\\": 2}"')},
  ],
};

/// Two chains, a list, one that fails at first, a pipeline inside, and what gathers all of them.
function outer() {
  const nodes = Array.from({length: 24}, (_, i) => ({
    id: `n${i}`,
    needs: i < 2 ? [] : [`n${i - 2}`],
    ...tool(`echo "{\\"n${i}\\": ${i}}"`),
  }));
  nodes.push(
      {id: 'list', needs: ['n3'], ...tool('echo "{\\"items\\": [1, 2, 3, 4, 5]}"')},
      {
        id: 'each',
        needs: ['list'],
        for_each: '${nodes.list.items}',
        ...tool('echo "{\\"made\\": \\"${item}\\"}"'),
      },
      // Fails until it has been called twice.
      {
        id: 'shy',
        needs: ['n5'],
        retry: {max_attempts: 20, delay: '10ms'},
        ...tool('echo x >>shy; test $(wc -l <shy) -gt 1 && echo "{\\"shy\\": true}"'),
      },
      {id: 'nested', needs: ['n7'], pipeline: 'inner'},
      {id: 'end', needs: ['n22', 'n23', 'each', 'shy', 'nested'], ...tool('echo "{\\"end\\": 1}"')});
  return {id: 'outer', nodes};
}

/// A store and its pipelines in a folder of their own.
function prepare(folder) {
  mkdirSync(join(folder, 'flows'), {recursive: true});
  writeFileSync(join(folder, 'weir.yaml'), 'pipelines: [flows]\n');
  writeFileSync(join(folder, 'flows/inner.json'), JSON.stringify(INNER));
  const pipeline = join(folder, 'flows/outer.json');
  writeFileSync(pipeline, JSON.stringify(outer()));
  const weir = new Weir(program, join(folder, '.weir'));
  return {weir, pipeline};
}

/// The keys of the calls so far, of all runs in the folder, without the ids of runs.
function callsOf(folder) {
  let text = '';
  try {
    text = readFileSync(join(folder, 'flows/called'), 'utf8');
  } catch {
    // none yet
  }
  const counts = new Map();
  for (const line of text.split('\n').filter(Boolean)) counts.set(line, (counts.get(line) ?? 0) + 1);
  return counts;
}

/// What the nodes of all runs have put out, and how their runs ended.
function endOf(weir) {
  const outputs = weir.rows(`
    SELECT pipeline_id, node_id, output FROM events WHERE event_type = 'pipeline_node_completed'
    ORDER BY ALL`);
  const ends = weir.rows(`
    SELECT pipeline_id, event_type FROM events
    WHERE event_type IN ('pipeline_completed', 'pipeline_failed', 'pipeline_cancelled') ORDER BY ALL`);
  return JSON.stringify({outputs, ends});
}

/// The nodes whose end is committed, by the key of their tool's call.
function committedOf(weir) {
  return new Set(weir.rows(`
    SELECT run_id || '/' || node_id AS node FROM events
    WHERE event_type = 'pipeline_node_completed' AND plugin_id = 'process'`).map(({node}) => node));
}

const nodeOf = (key) => key.split('/').slice(0, 2).join('/');

async function killAfter({process: run, ended}, ms) {
  await Promise.race([sleep(ms), ended]);
  run.kill('SIGKILL');
  return (await ended).status === 'SIGKILL';
}

function outerRun(weir) {
  if (!existsSync(join(weir.store, 'log'))) return undefined;
  return listRuns(weir).find(({pipeline_id: id}) => id === 'outer');
}

/// Gives how often the run was killed after its first commit, and how many calls were made twice.
async function round(folder, random, wholeMs, expected) {
  const {weir, pipeline} = prepare(folder);
  const kills = 1 + Math.floor(random() * MAX_KILLS);
  let resumed = 0;
  let words = ['run', pipeline, ...JOBS];
  let [committed, before] = [new Set(), new Map()];
  const checkCalls = (after) => {
    for (const [key, count] of after) {
      if (!committed.has(nodeOf(key))) continue;
      check(count === before.get(key), `${key} had completed, and was called again`);
    }
  };
  for (let kill = 0; kill < kills; ++kill) {
    // The later ones come earlier: less is left.
    const killed = await killAfter(weir.start(...words, '--quiet'), (0.1 + 0.7 * random()) * wholeMs / (1 + kill / 2));
    await waitForOrphansToEnd(weir.store);
    checkCalls(callsOf(folder));
    const run = outerRun(weir);
    if (run === undefined) continue;  // before its first commit: it is begun anew
    verify(weir);
    if (!killed || run.state !== 'interrupted') break;
    ++resumed;
    [committed, before] = [committedOf(weir), callsOf(folder)];
    words = ['resume', run.run_id, ...JOBS];
  }
  for (const key of before.keys()) check(/^[^/]+\/[^/]+$/.test(key), `no RUN/NODE: ${key}`);
  const run = outerRun(weir);
  if (run?.state !== 'completed') weir.ask(0, ...words, '--quiet');
  const after = callsOf(folder);
  checkCalls(after);
  check(endOf(weir) === expected, `it ended otherwise:\n${endOf(weir)}\nand not:\n${expected}`);
  verify(weir);
  return {resumed, again: [...after.values()].filter((count) => count > 1).length};
}

console.log(`seed ${SEED}, ${ROUNDS} rounds; to repeat: `
    + `WEIR_CRASH_SEED=${SEED} WEIR_CRASH_ROUNDS=${ROUNDS}`);
const random = randomNumbers(SEED);
const {expected, wholeMs} = await withFolder((folder) => {
  const {weir, pipeline} = prepare(folder);
  const start = performance.now();
  weir.ask(0, 'run', pipeline, ...JOBS, '--quiet');
  return {expected: endOf(weir), wholeMs: performance.now() - start};
});
let [runs, resumed, again] = [0, 0, 0];
// Some end before they are killed.
for (; resumed < ROUNDS && runs < 5 * ROUNDS; ++runs) {
  const figures = await withFolder((folder) => round(folder, random, wholeMs, expected));
  resumed += figures.resumed;
  again += figures.again;
}
check(resumed >= ROUNDS / 2, `only ${resumed} of ${runs} runs were killed between their first commit and their end`);
console.log(`figures: kill_resume: ${runs} runs, killed and resumed ${resumed} times; `
    + `${again} keys were called more than once, none whose end was committed before`);
