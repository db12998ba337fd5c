// Recordings of other systems, posted to a server, give what is known of them; what is broken in them
// is refused, and costs nothing else. They are found at $WEIR_TEST_DATA: without it this test is
// skipped.
//
//   node recordings.mjs WEIR

import {readFileSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {check, equal} from '../lib/check.mjs';
import {startServer} from '../lib/server.mjs';
import {Weir, withFolder} from '../lib/weir.mjs';

const DATA = process.env.WEIR_TEST_DATA;
if (!DATA) {
  console.log('SKIPPED: WEIR_TEST_DATA is not set');
  process.exit(77);
}

/// Events that each file has: spans, log records, data points; and lines that are no request.
const OTLP = {
  'duckdb_otlp/empty.jsonl': [0, 0, 0, 0],
  'duckdb_otlp/logs_nulls.jsonl': [0, 3, 0, 0],
  'duckdb_otlp/logs_simple.jsonl': [0, 3, 0, 0],
  'duckdb_otlp/malformed.jsonl': [0, 0, 0, 2],  // the span's ids have three digits
  'duckdb_otlp/metrics_all_types.jsonl': [0, 0, 5, 0],
  'duckdb_otlp/metrics_simple.jsonl': [0, 0, 3, 0],
  'duckdb_otlp/traces_large_attrs.jsonl': [1, 0, 0, 0],
  'duckdb_otlp/traces_simple.jsonl': [3, 0, 0, 0],
  'duckdb_otlp/ts_boundary_logs.jsonl': [0, 1, 0, 0],
  'duckdb_otlp/whitespace.jsonl': [0, 0, 0, 0],
};
const SIGNALS = {resourceSpans: 'traces', resourceLogs: 'logs', resourceMetrics: 'metrics'};

function signalOf(line) {
  const key = Object.keys(SIGNALS).find((name) => line.includes(`"${name}"`));
  return key === undefined ? 'traces' : SIGNALS[key];
}

async function postsOtlp(server, weir) {
  const count = () => {
    const rows = weir.rows(`SELECT event_type, count(*)::INTEGER AS n FROM events
        WHERE event_type IN ('span', 'log', 'metric') AND source = 'otlp' GROUP BY 1`);
    const of = (type) => rows.find((row) => row.event_type === type)?.n ?? 0;
    return [of('span'), of('log'), of('metric')];
  };
  for (const [file, expected] of Object.entries(OTLP)) {
    const before = count();
    let refused = 0;
    for (const line of readFileSync(join(DATA, 'otlp', file), 'utf8').split('\n')) {
      if (line.trim() === '') continue;
      const answer = await server.ask(`/v1/${signalOf(line)}`, {
        base: server.otlp, method: 'POST', body: line, headers: {'Content-Type': 'application/json'}});
      if (answer.status === 400) {
        check(typeof answer.body.message === 'string' && answer.body.message !== '', answer.text);
        ++refused;
      } else {
        equal(answer.status, 200);
      }
    }
    const after = count();
    equal({file, found: [...after.map((n, i) => n - before[i]), refused]}, {file, found: expected});
  }
  for (const [file, path] of [['otlp_traces.pb', 'traces'], ['otlp_logs.pb', 'logs']]) {
    const body = readFileSync(join(DATA, 'otlp/duckdb_otlp', file));
    const answer = await server.ask(`/v1/${path}`, {
      base: server.otlp, method: 'POST', body, headers: {'Content-Type': 'application/x-protobuf'}});
    check([200, 400].includes(answer.status), `${file}: ${answer.status}`);
    equal(answer.headers.get('content-type'), 'application/x-protobuf');
    for (let size = 1; size < body.length; ++size) {
      const cut = await server.ask(`/v1/${path}`, {
        base: server.otlp, method: 'POST', body: body.subarray(0, size),
        headers: {'Content-Type': 'application/x-protobuf'}});
      check([200, 400].includes(cut.status), `${file} cut at ${size}: ${cut.status}`);
    }
  }
}

async function postsOpenLineage(server) {
  const folder = join(DATA, 'openlineage/wire_events');
  let taken = 0, refused = 0;
  for (const name of readdirSync(folder, {recursive: true}).filter((one) => one.endsWith('.json'))) {
    const body = readFileSync(join(folder, name), 'utf8');
    const answer = await server.ask('/api/v1/lineage', {
      method: 'POST', body, headers: {'Content-Type': 'application/json'}});
    equal(answer.status, 200);
    taken += answer.body.summary.successful;
    refused += answer.body.summary.failed;
    for (const one of answer.body.failed_events) check(one.reason !== '', `${name}: no reason`);
    if (name.includes('no_run_id')) equal(answer.body.summary.failed, 1);
    // Sent again it is acknowledged, and there once.
    const again = await server.ask('/api/v1/lineage', {
      method: 'POST', body, headers: {'Content-Type': 'application/json'}});
    equal(again.body.summary, answer.body.summary);
  }
  check(taken > 0 && refused > 0, `${taken} taken, ${refused} refused`);
  return taken;
}

await withFolder(async (folder) => {
  const weir = new Weir(process.argv[2], join(folder, '.weir'));
  const server = await startServer(weir);
  try {
    await postsOtlp(server, weir);
    const taken = await postsOpenLineage(server);
    const [{n}] = weir.rows(`SELECT count(DISTINCT idempotency_key)::INTEGER AS n FROM events
        WHERE source = 'openlineage' AND NOT ends_with(idempotency_key, '.node')`);
    check(n > 0 && n <= taken, `${n} events of ${taken}`);
    equal(await server.stop(), 0);
    weir.ask(0, 'verify');
  } finally {
    await server.kill();
  }
});
