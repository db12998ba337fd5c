// The other formats, read by programs that are not ours or by the rules of their documents: Chrome
// traces, OpenLineage (which a server of Weir takes as well), the body of _bulk, JSON lines.
//
//   node formats.mjs WEIR

import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {check, equal} from '../lib/check.mjs';
import {withServer} from '../lib/server.mjs';
import {Weir, withFolder} from '../lib/weir.mjs';
import {writePipelines} from './pipelines.mjs';

const lines = (text) => text.split('\n').filter((line) => line !== '');

/// The trace event format (the document "Trace Event Format"): complete events of a thread are within
/// each other or apart, instants are within the trace, every process and thread that is used has a name.
function readChrome(text) {
  const {traceEvents} = JSON.parse(text);
  const names = new Map(), slices = new Map();
  for (const event of traceEvents) {
    check(typeof event.name === 'string' && event.name !== '' && Number.isInteger(event.pid), JSON.stringify(event));
    if (event.ph === 'M') names.set(`${event.name} ${event.pid} ${event.tid ?? ''}`, event.args.name);
    else check(Number.isFinite(event.ts) && event.ts > 1e15 && Number.isInteger(event.tid), JSON.stringify(event));
    if (event.ph !== 'X') continue;
    check(event.dur >= 0 && typeof event.args === 'object', JSON.stringify(event));
    const thread = `${event.pid} ${event.tid}`;
    slices.set(thread, [...(slices.get(thread) ?? []), event]);
  }
  for (const [thread, events] of slices) {
    const [pid, tid] = thread.split(' ');
    check(names.has(`process_name ${pid} `) && names.has(`thread_name ${pid} ${tid}`), `${thread} has no name`);
    events.sort((a, b) => a.ts - b.ts || b.dur - a.dur);
    const open = [];
    for (const event of events) {
      while (open.length > 0 && open.at(-1) <= event.ts) open.pop();
      const end = event.ts + event.dur;
      check(open.length === 0 || end <= open.at(-1) + 0.001, `${event.name} is not within what is around it`);
      open.push(end);
    }
  }
  return traceEvents;
}

function checkChrome(weir) {
  const events = readChrome(weir.ask(0, 'export', 'chrome'));
  const slices = events.filter(({ph}) => ph === 'X');
  equal(slices.filter(({name}) => name.startsWith('RUN ')).map(({name}) => name).sort(), ['RUN bad', 'RUN good']);
  const runs = weir.rows('SELECT run_id, duration_ms FROM runs');
  for (const {run_id: id, duration_ms: took} of runs) {
    const [slice] = slices.filter(({args, name}) => args.runId === id && name.startsWith('RUN '));
    // What the run took is measured from before its first event is written.
    check(slice.dur > 0 && slice.dur / 1000 < took + 50, `${slice.dur} µs, ${took} ms`);
  }
  check(events.some(({ph, name}) => ph === 'i' && name === 'exception'), 'no exception');
  equal(readChrome(weir.ask(0, 'export', 'chrome', '--since', '2999-01-01')), []);
}

async function checkLineage(weir, folder) {
  const events = lines(weir.ask(0, 'export', 'openlineage')).map((line) => JSON.parse(line));
  const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[78][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  const open = new Map();
  for (const event of events) {
    for (const name of ['eventTime', 'producer', 'schemaURL', 'run', 'job']) check(name in event, `no ${name}`);
    check(uuid.test(event.run.runId), event.run.runId);
    for (const facet of [...Object.values(event.run.facets), ...Object.values(event.job.facets)]) {
      check(facet._producer && facet._schemaURL.startsWith('https://openlineage.io/spec/facets/'), JSON.stringify(facet));
    }
    const states = open.get(event.run.runId) ?? [];
    open.set(event.run.runId, [...states, event.eventType]);
  }
  for (const states of open.values()) check(states.length === 2 && states[0] === 'START' && ['COMPLETE', 'FAIL'].includes(states[1]), states);
  const of = (name, type) => events.filter((event) => event.job.name === name && event.eventType === type);
  equal([of('good', 'COMPLETE').length, of('bad', 'FAIL').length, of('good.flaky', 'FAIL').length, of('good.flaky', 'COMPLETE').length], [1, 1, 1, 1]);
  const [failed] = of('bad.breaks', 'FAIL');
  check(failed.run.facets.errorMessage.message.includes('exited with code 7'), failed);
  equal(failed.run.facets.parent.run.runId, of('bad', 'START')[0].run.runId);
  // A server takes them, and knows the runs by their ids.
  const other = new Weir(weir.program, join(folder, 'lineage'));
  await withServer(other, [], async (server) => {
    const {status, body} = await server.ask('/api/v1/lineage/batch', {json: events});
    equal([status, body.summary.failed], [200, 0]);
    equal(other.rows(`SELECT pipeline_name, state FROM runs JOIN (SELECT DISTINCT run_id, pipeline_name FROM events WHERE pipeline_name IN ('good', 'bad')) USING (run_id) ORDER BY 1`),
          [{pipeline_name: 'bad', state: 'failed'}, {pipeline_name: 'good', state: 'completed'}]);
    // And gives them as they came.
    equal(lines(other.ask(0, 'export', 'openlineage')).map((line) => JSON.parse(line)), events);
    equal(await server.stop(), 0);
  });
}

/// The rules of the Bulk API: an action line, then its document; a newline behind the last.
function checkBulk(weir) {
  const text = weir.ask(0, 'export', 'elasticsearch');
  check(text.endsWith('\n'), 'no newline at the end');
  const all = lines(text).map((line) => JSON.parse(line));
  const events = weir.rows('SELECT run_id, run_seq FROM events');
  equal(all.length, 2 * events.length);
  const ids = new Set();
  for (let i = 0; i < all.length; i += 2) {
    const {_index: index, _id: id} = all[i].create;
    check(/^weir-(operations|audit)-\d{4}\.\d\d\.\d\d$/.test(index), index);
    ids.add(id);
    const document = all[i + 1];
    equal(id, `${document.runId}-${document.runSeq}`);
    check(document.timestamp && document.level && document.context && document.metrics, JSON.stringify(document));
  }
  equal(ids.size, events.length);
  check(!text.includes('hunter2'), 'a secret is in the export');
}

function checkLines(weir, folder) {
  const file = join(folder, 'events.jsonl');
  weir.ask(0, 'export', 'jsonl', '-o', file);
  const all = lines(readFileSync(file, 'utf8')).map((line) => JSON.parse(line));
  equal(all.map(({run_id: run, run_seq: seq}) => `${run} ${seq}`).sort(),
        weir.rows('SELECT run_id, run_seq FROM events').map(({run_id: run, run_seq: seq}) => `${run} ${seq}`).sort());
  const [last] = weir.rows('SELECT run_id, events FROM runs ORDER BY started_at DESC LIMIT 1');
  const own = lines(weir.ask(0, 'export', 'jsonl', '--run', 'last')).map((line) => JSON.parse(line));
  equal(own.filter(({run_id: run}) => run === last.run_id).length, Number(last.events));
}

await withFolder(async (folder) => {
  const weir = new Weir(process.argv[2], join(folder, '.weir'));
  const {good, bad} = writePipelines(folder);
  weir.ask(0, 'run', good, '--quiet');
  weir.ask(1, 'run', bad, '--quiet');
  checkChrome(weir);
  await checkLineage(weir, folder);
  checkBulk(weir);
  checkLines(weir, folder);
  // The same of parts as of segments.
  const before = weir.ask(0, 'export', 'chrome');
  weir.ask(0, 'compact');
  equal(readChrome(weir.ask(0, 'export', 'chrome')).length, readChrome(before).length);
});
