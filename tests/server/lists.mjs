// What belongs to a run, in pages and windows: also of what has no beginning, while more arrives, and
// without reading a large run for each of its pages.
//
//   node lists.mjs WEIR

import {readFileSync, readdirSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {check, equal} from '../lib/check.mjs';
import {withServer} from '../lib/server.mjs';
import {Weir, withFolder} from '../lib/weir.mjs';

const NDJSON = {'Content-Type': 'application/x-ndjson'};
const PARTS = ['events', 'nodes', 'attempts', 'spans', 'artifacts', 'signals'];
const runId = (number) => `0195e0a0-0000-7000-8000-${String(number).padStart(12, '0')}`;
const at = (second) => new Date(Date.UTC(2026, 0, 2) + second * 1000).toISOString();

async function post(server, events) {
  const body = events.map((event) => JSON.stringify(
      {timestamp: '2026-01-02T00:00:00Z', pipeline_id: 'p', ...event}) + '\n').join('');
  const answer = await server.ask('/api/v1/events', {method: 'POST', body, headers: NDJSON});
  check(answer.status === 200 && answer.body.rejected === 0, answer.text);
}

/// All items of a list, page by page; `between` is done after each page.
async function pages(server, path, limit, between = () => {}) {
  const items = [];
  for (let cursor = '', page = 0; ; ++page) {
    const answer = await server.ask(`${path}${path.includes('?') ? '&' : '?'}limit=${limit}${cursor}`);
    check(answer.status === 200, `${path}${cursor}: ${answer.text}`);
    check(answer.body.items.length <= limit && page < 200, `${path}: too much`);
    items.push(...answer.body.items);
    if (answer.body.next === null) return items;
    cursor = `&cursor=${answer.body.next}`;
    await between(page);
  }
}

/// A run of which not all is known: nodes that have only ended, or said no name, with spans that have
/// no beginning, artifacts of one moment, signals that nobody has asked for.
function halfKnown(run, round) {
  const name = (what) => `${what}${round}`;
  return [
    {event_type: 'pipeline_node_completed', run_id: runId(run), node_id: name('ended'), duration_ms: 1},
    {event_type: 'pipeline_node_started', run_id: runId(run), node_id: name('begun')},
    {event_type: 'pipeline_node_failed', run_id: runId(run), node_id: name('failed'), step_index: round, attempt: 2, error_type: 'E', error_message: 'm',
     span_id: `00f067aa0ba9${String(round).padStart(4, '0')}`, trace_id: '4bf92f3577b34da6a3ce929d0e0e4736'},
    {event_type: 'pipeline_node_failed', run_id: runId(run), node_id: name('failed'), attempt: 1, error_type: 'E', error_message: 'm'},
    {event_type: 'span', run_id: runId(run), span_id: `10f067aa0ba9${String(round).padStart(4, '0')}`, trace_id: '5bf92f3577b34da6a3ce929d0e0e4736'},
    {event_type: 'artifact_written', run_id: runId(run), artifact_path: name('a'), artifact_sha256: '0'.repeat(64)},
    {event_type: 'signal_rejected', run_id: runId(run), target_run_id: runId(run), signal_id: name('late'), signal_type: 'pause', reason: 'x'},
    {event_type: 'signal_requested', run_id: runId(run), target_run_id: runId(run), signal_id: name('asked'), signal_type: 'pause'},
  ];
}

async function pagesGoOverWhatIsNull(server, weir, run) {
  for (let round = 0; round < 9; ++round) await post(server, halfKnown(run, round));
  for (const part of PARTS) {
    const rows = weir.rows(`SELECT count(*)::INTEGER AS n FROM ${part} WHERE run_id = '${runId(run)}'`);
    for (const limit of [1, 2, 7, 1000]) {
      const items = await pages(server, `/api/v1/runs/${runId(run)}/${part}`, limit);
      equal({part, limit, n: items.length}, {part, limit, n: rows[0].n});
      equal(new Set(items.map((item) => JSON.stringify(item))).size, items.length);
    }
  }
  // While more comes, what was there is given once.
  let round = 100;
  for (const part of PARTS) {
    const path = `/api/v1/runs/${runId(run)}/${part}`;
    const key = ({run_seq, node_id, attempt, engine_attempt, span_id, artifact_path, signal_id}) =>
      part === 'nodes' ? node_id : part === 'spans' ? span_id : part === 'events' ? run_seq :
        JSON.stringify([node_id, attempt, engine_attempt, span_id, artifact_path, signal_id]);
    const before = (await pages(server, path, 1000)).map(key);
    const seen = (await pages(server, path, 5, (page) => page < 5 ? post(server, halfKnown(run, round++)) : undefined)).map(key);
    equal(new Set(seen).size, seen.length);
    const all = new Set(seen);
    check(before.every((one) => all.has(one)), `${part}: ${before.filter((one) => !all.has(one))} were skipped`);
  }
}

/// Spans of one name are executions of one node.
async function pagesOfSpansOfOneName(server) {
  const span = (i, name, more = {}) => ({traceId: 'a'.repeat(32), spanId: String(i + 1).padStart(16, '0'), name, kind: 1,
    ...(i > 0 ? {parentSpanId: '1'.padStart(16, '0')} : {}), endTimeUnixNano: '1764590401000000000', ...more});
  const spans = Array.from({length: 9}, (_, i) => span(i, i === 0 ? 'root' : 'step', i % 2 ? {startTimeUnixNano: '1764590400000000000'} : {}));
  const answer = await server.ask('/v1/traces', {base: server.otlp, json: {resourceSpans: [{scopeSpans: [{spans}]}]}});
  equal(answer.status, 200);
  const {rows: [[run]]} = (await server.ask('/api/v1/sql', {json: {query: "SELECT run_id FROM spans WHERE name = 'step'"}})).body;
  for (const part of ['nodes', 'attempts', 'spans', 'events']) {
    const {rows: [[n]]} = (await server.ask('/api/v1/sql', {json: {query: `SELECT count(*)::INTEGER FROM ${part} WHERE run_id = '${run}'`}})).body;
    for (const limit of [1, 2, 3]) {
      equal([part, (await pages(server, `/api/v1/runs/${run}/${part}`, limit)).length], [part, n]);
    }
  }
}

async function refusesNonsense(server, run) {
  const base = `/api/v1/runs/${runId(run)}`;
  for (const [path, queries] of Object.entries({
    '/api/v1/runs': ['state=bogus', 'pipeline_type=bogus', 'since=never', "until='", 'since=', 'order=up', 'pipeline=p', 'limit=0', 'limit=1001', 'limit=x', 'cursor=x', 'cursor=5b5d', 'cursor=5b2261225d', 'state=failed&state=completed'],
    [`${base}/events`]: ['level=LOUD', 'level=info', 'event_type=No', 'from=x', 'offset=1', 'state=failed'],
    [`${base}/nodes`]: ['state=bogus', 'state=lost', 'from=2026', 'to=-', 'from_step=-1', 'to_step=x', 'from_step=1e3', 'since=2026-01-02', 'offset=10'],
    [`${base}/attempts`]: ['state=skipped', 'from_step='],
    [`${base}/spans`]: ['status=ok', 'state=failed', 'from_step=1'],
    [`${base}/artifacts`]: ['state=failed', 'from=x'],
    [`${base}/signals`]: ['state=bogus', 'from=2026-01-02'],
    [`${base}/state`]: ['limit=0', 'limit=x', 'nodes=1'],
    '/api/v1/status': ['a=b'], '/api/v1/cookbook': ['a=b'], '/api/v1/cookbook/failures': ['a=b'],
    '/api/v1/reports/summary': ['a=b', 'format=exe'], [base]: ['a=b'], '/api/v1/events/stream': ['a=b', 'level=LOUD'],
  })) {
    for (const query of queries) {
      const answer = await server.ask(`${path}?${query}`);
      check(answer.status === 400, `${path}?${query}: ${answer.status} ${answer.text.slice(0, 200)}`);
      check(!/SELECT|LINE 1|Conversion Error|weir_key/.test(answer.text), `${path}?${query} quotes our SQL: ${answer.text}`);
    }
  }
  // The place of another list, or one that nobody was given.
  const hex = (...places) => Buffer.from(JSON.stringify(places)).toString('hex');
  for (const part of PARTS) {
    for (const cursor of [hex('x'), hex('', ''), hex('x', 'y', 'z', 'u'), hex('x', 'y', 'z', 'u', 'v')]) {
      const {status, text} = await server.ask(`${base}/${part}?cursor=${cursor}`);
      check(status === 200 || status === 400, `${part}?cursor=${cursor}: ${status}`);
      check(!/SELECT|LINE 1|Error:/.test(text), text);
    }
  }
  const cookbook = await server.ask('/api/v1/cookbook/runs-per-hour?since=never');
  check(!/SELECT|LINE 1/.test(cookbook.text), cookbook.text);
  for (const part of ['', '/state', ...PARTS.map((one) => `/${one}`)]) {
    equal([part, (await server.ask(`/api/v1/runs/${runId(999)}${part}`)).status], [part, 404]);
  }
  equal((await server.ask(`${base}/events?event_type=never_seen`)).body, {next: null, items: []});
}

async function saysWhatRuns(server) {
  const state = async (wanted) => (await server.ask(`/api/v1/runs?state=${wanted}`)).body.items.map((run) => run.run_id);
  await post(server, [{event_type: 'pipeline_started', run_id: runId(50)},
    {event_type: 'pipeline_started', run_id: runId(51)}, {event_type: 'pipeline_completed', run_id: runId(51), duration_ms: 1},
    {event_type: 'log', pipeline_type: 'dag', run_id: runId(52), message: 'm'}]);
  check((await state('running')).includes(runId(50)), 'a run of another system runs');
  check(!(await state('running')).includes(runId(51)), 'one that has ended does not');
  // Each state has those of which the list of all says it; unfinished are two of them.
  const all = await pages(server, '/api/v1/runs', 1000);
  for (const wanted of ['running', 'interrupted', 'completed', 'failed', 'cancelled']) {
    equal([wanted, await state(wanted)], [wanted, all.filter((run) => run.state === wanted).map((run) => run.run_id)]);
  }
  equal(await state('unfinished'), all.filter((run) => ['running', 'interrupted'].includes(run.state)).map((run) => run.run_id));
  equal(await state('completed'), [runId(51)]);
  for (const [since, n] of [['2026-01-02', 1], ['2026-01-02T00:00:00Z', 1], ['2026-01-02 00:00', 1], ['2026-01-02 00:00:01', 0], ['2026-01-02T01:00:00%2B01:00', 1]]) {
    equal([since, (await server.ask(`/api/v1/runs?state=completed&since=${since}`)).body.items.length], [since, n]);
  }
}

const NODES = 100_000;
const nodeName = (i) => `n${String(i).padStart(6, '0')}`;

/// A run of many nodes, one a second, each a second long, the last of which runs.
async function postLargeRun(server, run) {
  for (let begin = 0; begin < NODES; begin += 10_000) {
    const events = [];
    for (let i = begin; i < begin + 10_000; ++i) {
      const node = {run_id: runId(run), node_id: nodeName(i), step_index: i, plugin_id: 'json', tool_id: 'set'};
      events.push({...node, event_type: 'pipeline_node_started', timestamp: at(i)});
      const end = i % 1000 === 7 ? 'pipeline_node_failed' : 'pipeline_node_completed';
      if (i < NODES - 1) {
        events.push({...node, event_type: end, timestamp: at(i + 1), duration_ms: 1000, error_type: 'E',
                     error_message: `what went wrong in ${i}, with ${'enough '.repeat(i % 5)}words`});
      }
    }
    await post(server, events);
  }
}

async function windowsReadWhatTheyShow(server, weir, run) {
  const base = `/api/v1/runs/${runId(run)}`;
  const parts = readdirSync(join(weir.store, 'events'), {recursive: true}).filter((name) => name.endsWith('.parquet'));
  const bytes = parts.reduce((sum, name) => sum + statSync(join(weir.store, 'events', name)).size, 0);
  check(bytes > 0, 'nothing was compacted');
  const read = () => Number(/rchar: (\d+)/.exec(readFileSync(`/proc/${server.child.pid}/io`, 'utf8'))[1]);
  const ask = async (path, share) => {
    const before = read();
    const answer = await server.ask(base + path);
    const took = (read() - before) / bytes;
    check(answer.status === 200, `${path}: ${answer.text}`);
    console.log(`figures: ${path}: read ${(took * 100).toFixed(1)} % of the parts, answered ${answer.text.length} bytes`);
    check(took < share, `${path} read ${took} of the parts`);
    return answer.body;
  };
  const ids = ({items}) => items.map((item) => item.node_id);
  await server.ask(`${base}/nodes?limit=1`);  // opens the store
  const steps = await ask('/nodes?from_step=50000&to_step=50009', 0.8);
  equal(ids(steps), Array.from({length: 10}, (_, i) => nodeName(50_000 + i)));
  equal([steps.items[0].state, steps.items[7].state, steps.items[0].started_at], ['completed', 'failed', '2026-01-02 13:53:20']);
  equal(ids(await ask(`/nodes?from=${at(20_000)}&to=${at(20_002)}`, 0.8)), [19_999, 20_000, 20_001].map(nodeName));
  equal(ids(await ask('/nodes?state=unfinished', 2)), [nodeName(NODES - 1)]);
  equal((await ask('/nodes?state=failed&limit=1000', 2)).items.length, NODES / 1000);
  equal(ids(await ask('/nodes?state=failed&from_step=3000&to_step=5000', 2)), [3007, 4007].map(nodeName));
  equal(ids(await ask('/nodes?node_id=n00001*&limit=3', 0.8)), ['n000010', 'n000011', 'n000012']);
  equal(ids(await ask('/attempts?node_id=n000010', 0.8)), ['n000010']);
  const middle = await ask('/nodes?limit=10&cursor=' + Buffer.from(JSON.stringify([nodeName(70_000), ''])).toString('hex'), 0.8);
  equal(ids(middle), Array.from({length: 10}, (_, i) => nodeName(70_001 + i)));
  const events = await ask(`/events?from=${at(90_000)}&limit=5`, 0.8);
  equal(events.items.map((event) => event.node_id), [89_999, 90_000, 90_000, 90_001, 90_001].map(nodeName).sort());
  equal((await pages(server, `${base}/events?from=${at(99_000)}`, 1000)).length, 2000);
  const state = await ask('/state?limit=5&from_step=99990', 1000);
  equal([state.nodes.map((node) => node.step_index), state.node_states], [[99_990, 99_991, 99_992, 99_993, 99_994],
    {completed: NODES - NODES / 1000 - 1, failed: NODES / 1000, running: 1}]);
  equal((await ask('/state', 1000)).nodes.length, 100);
  const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${server.child.pid}/status`, 'utf8'))[1]) >> 10;
  console.log(`figures: the server took at most ${peak} MiB`);
}

await withFolder(async (folder) => {
  const weir = new Weir(process.argv[2], join(folder, '.weir'));
  weir.env.WEIR_SEGMENT_SIZE = '4MiB';
  await withServer(weir, [], async (server) => {
    await pagesGoOverWhatIsNull(server, weir, 1);
    await pagesOfSpansOfOneName(server);
    await saysWhatRuns(server);
    await refusesNonsense(server, 1);
    await postLargeRun(server, 60);
    equal(await server.stop(), 0);
  });
  weir.ask(0, 'compact');
  await withServer(weir, [], async (server) => {
    await pagesGoOverWhatIsNull(server, weir, 2);
    await windowsReadWhatTheyShow(server, weir, 60);
    equal(await server.stop(), 0);
  });
});
