// Plays a case and compares what it left with what it must leave.

import {join} from 'node:path';
import {withFolder} from '../lib/weir.mjs';
import {checkRun, isTold, OF_PROCESSES, told} from './holds.mjs';
import {check, Place} from './place.mjs';

/// A list within the list: these, in any order.
function compare(expected, actual) {
  let at = 0;
  for (const one of expected) {
    const together = Array.isArray(one) ? one : [one];
    const found = actual.slice(at, at + together.length);
    if ([...together].sort().join('\n') !== [...found].sort().join('\n')) return false;
    at += together.length;
  }
  return at === actual.length;
}

function checkEvents(name, expected, rows) {
  const actual = rows.filter(isTold).map(told);
  if (compare(expected, actual)) return;
  const show = (lines) => lines.flat().map((line) => `    ${line}`).join('\n');
  throw new Error(`'${name}' left\n${show(actual)}\n  and not\n${show(expected)}`);
}

/// Whether it is tried again, its failure says.
function checkRetryable({retried}, rows) {
  if (retried === undefined) return;
  for (const {event_type: type, retryable} of rows) {
    check(type !== 'pipeline_node_failed' || retryable === (retried !== 'no'),
        `it says that it is ${retryable ? '' : 'not '}retryable`);
  }
}

/// A case has a name and what of these it needs:
///
///   files     texts by name, which are written before
///   words     of `weir run`, behind the others
///   exit      1, unless it says another
///   stdout    nothing, unless it says something
///   pipeline  the definition, of which 'pipeline.json' is made
///   act       how it is run, if not by `weir run pipeline.json`: what that run printed
///   events    what its run must have left
///   at        `failed_node_id` of its end
///   left      ids of the pipelines whose runs nobody has ended
///   isStoppedAtOnce  what ran in it was not waited for
///   others    events by id of the other pipelines that ran in it
///   also      further checks, with its events
///   instead   another case, if this machine cannot play this one
export async function play(wanted, program, shared) {
  await withFolder(async (folder) => {
    const place = new Place(program, folder, shared);
    try {
      for (const [name, text] of Object.entries(wanted.files?.(place) ?? {})) {
        place.write(name, text);
      }
      const one = await wanted.instead?.(place) ?? wanted;
      const pipeline = typeof one.pipeline === 'function' ? one.pipeline(place) : one.pipeline;
      const id = one.id ?? pipeline?.id;
      place.file = join(folder, 'pipeline.json');
      if (pipeline) place.write('pipeline.json', pipeline);
      const act = one.act ?? (() =>
        place.call('run', place.file, '--quiet', '--jobs', '1', ...(one.words ?? [])));
      const done = await act(place);

      check(done.status === (one.exit ?? 1), `exit ${done.status}:\n${done.stderr}`);
      check(done.stdout === (one.stdout ?? ''), `it printed: ${done.stdout}`);

      const all = await place.runs();
      const runs = all.filter(([first]) => first.pipeline_id !== OF_PROCESSES);
      // Of a pipeline that ran twice, the first.
      const byPipeline = new Map(all.map((rows) => [rows[0].pipeline_id, rows]).reverse());
      for (const rows of runs) {
        checkRun(rows, place, {isLost: one.left?.includes(rows[0].pipeline_id),
          isStoppedAtOnce: one.isStoppedAtOnce});
      }
      const rows = byPipeline.get(id);
      check(rows !== undefined, `there is no run of '${id}'`);
      checkEvents(id, one.events, rows);
      checkRetryable(one, rows);
      const end = rows.find(({event_type: type}) => type === 'pipeline_failed');
      check((end?.failed_node_id ?? null) === (one.at ?? null),
          `it failed at ${end?.failed_node_id}, not at ${one.at}`);
      for (const [other, events] of Object.entries(one.others ?? {})) {
        const found = byPipeline.get(other);
        check(found !== undefined, `there is no run of '${other}'`);
        checkEvents(other, events, found);
      }
      await one.also?.(place, rows, runs);
    } finally {
      place.killAll();
    }
  });
}
