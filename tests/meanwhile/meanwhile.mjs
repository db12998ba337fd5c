// Three processes record while one compacts all the time and another asks: whatever was acknowledged
// before a question began is in its answer, once.
//
//   node meanwhile.mjs WEIR FOLLOWING_PROCESS TIDYING_PROCESS
//
//   WEIR_MEANWHILE_SECONDS  how long  default: 20

import {spawn} from 'node:child_process';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {check} from '../lib/check.mjs';
import {Weir, withFolder} from '../lib/weir.mjs';

const [program, recording, tidying] = process.argv.slice(2);
const RECORDERS = 3;
const SECONDS = Number(process.env.WEIR_MEANWHILE_SECONDS ?? 20);
/// What was replaced stays for those who read it now, longer than a question takes from its look at the
/// manifest to its look at the segments.
const KEEP_SECONDS = '4';
/// Of a recorder after each five events: some thousand in a second are enough for three of them.
const PAUSE_MS = '15';
const BETWEEN_COMPACTIONS_MS = 200;

class Processes {
  started = [];

  start(command, ...words) {
    const child = spawn(command, words, {stdio: ['pipe', 'pipe', 'inherit']});
    this.started.push(child);
    const one = {onText: () => {}};
    child.stdin.on('error', () => {});  // it may have ended
    child.stdout.setEncoding('utf8').on('data', (text) => one.onText(text));
    one.ended = new Promise((done, failed) => {
      child.on('error', failed);
      child.on('close', (code, signal) => done(signal ?? code));
    });
    one.stop = async () => { child.stdin.end(); return one.ended; };
    return one;
  }

  killAll() {
    for (const child of this.started) {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    }
  }
}

/// A process that records. `run` and `number`: the last event that was acknowledged to it.
function startRecorder(processes, store) {
  const recorder = processes.start(recording, store, 'record', PAUSE_MS);
  let rest = '';
  recorder.onText = (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    const last = /^committed (\S+) (\d+)$/.exec(lines.at(-1) ?? '');
    if (last) [recorder.run, recorder.number] = [last[1], Number(last[2])];
  };
  return recorder;
}

/// What was acknowledged, by run.
const acknowledged = (recorders) => new Map(recorders.filter(({run}) => run !== undefined)
    .map(({run, number}) => [run, number]));

const QUESTIONS = [
  // All of them at once, of one view.
  `SELECT run_id, count(*) AS events, count(DISTINCT run_seq) AS numbers, max(run_seq) AS last
   FROM events GROUP BY run_id`,
  // The same of two views, which must not see a compaction in between.
  `SELECT run_id, e.events, e.numbers, l.last FROM
     (SELECT run_id, count(*) AS events, count(DISTINCT run_seq) AS numbers FROM events GROUP BY run_id) e
     JOIN (SELECT run_id, max(run_seq) AS last FROM logs GROUP BY run_id) l USING (run_id)`,
];

/// `isOne`: the question looks once, so that nothing comes between its parts.
function checkAnswer(rows, expected, isOne) {
  const found = new Map(rows.map((row) => [row.run_id, row]));
  for (const [run, number] of expected) {
    const {events, numbers, last} = found.get(run) ?? {events: 0, numbers: 0, last: 0};
    check(events === numbers, `run ${run}: ${events} events, but ${numbers} different ones`);
    check(events >= number, `run ${run}: ${number} acknowledged, ${events} in the answer`);
    check(!isOne || events === last, `run ${run}: ${events} events, the last is number ${last}`);
    check(last >= number, `run ${run}: ${number} acknowledged, ${last} is the last in the answer`);
  }
}

async function askUntil(weir, recorders, isOver) {
  let questions = 0, events = 0;
  while (!isOver()) {
    const which = questions % QUESTIONS.length;
    const expected = acknowledged(recorders);
    const {status, stdout, stderr} =
        await weir.start('sql', '--format', 'json', QUESTIONS[which]).ended;
    check(status === 0 && stderr === '', `weir sql: exit ${status}: ${stderr}`);
    checkAnswer(JSON.parse(stdout), expected, which === 0);
    ++questions;
    events = [...expected.values()].reduce((sum, number) => sum + number, 0);
  }
  return {questions, events};
}

async function compactUntil(processes, store, isOver) {
  const sums = {compactions: 0, replaced: 0, removed: 0, merged: 0};
  while (!isOver()) {
    const one = processes.start(tidying, store, 'compact', KEEP_SECONDS);
    let text = '';
    one.onText = (more) => { text += more; };
    check(await one.ended === 0, 'a compaction failed');
    const [, replaced, removed, merged] =
        /^compacted (\d+) segments, removed (\d+), merged (\d+) parts$/m.exec(text).map(Number);
    ++sums.compactions;
    sums.replaced += replaced;
    sums.removed += removed;
    sums.merged += merged;
    await sleep(BETWEEN_COMPACTIONS_MS);
  }
  return sums;
}

await withFolder(async (folder) => {
  const store = join(folder, '.weir');
  const weir = new Weir(program, store);
  const processes = new Processes();
  try {
    let over = false;
    const isOver = () => over;
    const recorders = Array.from({length: RECORDERS}, () => startRecorder(processes, store));
    while (acknowledged(recorders).size < RECORDERS) await sleep(10);
    const work = Promise.all([askUntil(weir, recorders, isOver),
                              compactUntil(processes, store, isOver)]);
    await Promise.race([sleep(SECONDS * 1000), work]);  // it may have failed
    over = true;
    const [asked, compacted] = await work;
    for (const recorder of recorders) check(await recorder.stop() === 0, 'a recorder failed');

    checkAnswer(weir.rows(QUESTIONS[0]), acknowledged(recorders), true);
    weir.ask(0, 'verify');
    check(compacted.removed > 0, 'no segment was removed meanwhile');
    check(compacted.merged > 0, 'no parts were merged meanwhile');
    check(asked.questions >= 5, `${asked.questions} questions only`);
    console.log(`${asked.questions} questions over up to ${asked.events} events; `
        + `${compacted.compactions} compactions, ${compacted.replaced} segments replaced, `
        + `${compacted.removed} removed, ${compacted.merged} parts merged: `
        + 'every event acknowledged was there, once');
  } finally {
    processes.killAll();
  }
});
