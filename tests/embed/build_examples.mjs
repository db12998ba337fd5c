// The examples for C++ work for somebody who has nothing but an installed library.
//
//   node build_examples.mjs WEIR BUILD_FOLDER COMPILER
//
// Installs the library into a folder, moves that folder, builds each example against it as C++17
// with warnings as errors, runs it, and asks `weir` for what it recorded.

import {spawnSync} from 'node:child_process';
import {readFileSync, renameSync, rmSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {ROOT, Weir} from '../lib/weir.mjs';

const [program, buildFolder, compiler] = process.argv.slice(2);
const folder = resolve(buildFolder, 'embed-examples');

function check(holds, what) {
  if (!holds) throw new Error(what);
}

function run(command, ...words) {
  const {status, stdout, stderr, error} = spawnSync(command, words, {encoding: 'utf8'});
  if (error) throw error;
  check(status === 0, `${command} ${words.join(' ')}: exit ${status}\n${stdout}${stderr}`);
  return stdout;
}

/// Builds examples/NAME and returns the folder of its programs.
function build(name) {
  const at = join(folder, name);
  run('cmake', '-S', join(ROOT, 'examples', name), '-B', at, '-G', 'Ninja',
      `-DCMAKE_PREFIX_PATH=${join(folder, 'moved')}`, `-DCMAKE_CXX_COMPILER=${compiler}`,
      '-DCMAKE_BUILD_TYPE=Release', '-DCMAKE_CXX_STANDARD=17', '-DCMAKE_CXX_EXTENSIONS=OFF',
      '-DCMAKE_CXX_FLAGS=-Wall -Wextra -Wpedantic -Werror');
  run('cmake', '--build', at);
  return at;
}

/// The run that `takings` recorded, as the program sees it.
function checkTakings(weir) {
  const runs = JSON.parse(weir.ask(0, 'runs', '--json'));
  check(runs.length === 1, `one run was expected: ${JSON.stringify(runs)}`);
  check(runs[0].pipeline_id === 'takings' && runs[0].state === 'completed', JSON.stringify(runs[0]));
  weir.ask(0, 'verify');
  const shown = weir.ask(0, 'show', 'last');
  check(/✓ load/.test(shown) && /✓ total/.test(shown), shown);

  const rows = weir.rows(`
    SELECT event_type, node_id, tenant_id, environment_id, message, operation, rows,
           trace_id, span_id, attributes
    FROM events ORDER BY run_seq`);
  check(rows.map((row) => row.event_type).join(' ') ===
        'pipeline_started pipeline_node_started log span log pipeline_node_completed ' +
        'pipeline_node_started checkpoint_created pipeline_node_completed pipeline_completed',
        JSON.stringify(rows));
  check(rows.every((row) => row.tenant_id === 'acme' && row.environment_id === 'example' ||
                            row.event_type === 'span'), 'whose run it is, on every event');
  const [, , line, span, warning, loaded] = rows;
  check(line.message === '4 orders of 2 shops', line.message);
  check(line.trace_id === span.trace_id && line.span_id === span.span_id, 'the line is in the span');
  check(span.operation === 'read orders', span.operation);
  check(JSON.stringify(warning.attributes).includes('Graz'), JSON.stringify(warning.attributes));
  check(Number(loaded.rows) === 4, JSON.stringify(loaded));
}

rmSync(folder, {recursive: true, force: true});
run('cmake', '--install', buildFolder, '--prefix', join(folder, 'installed'), '--component', 'sdk');
renameSync(join(folder, 'installed'), join(folder, 'moved'));  // its paths hold anywhere

const takings = join(build('record'), 'record_takings');
const store = join(folder, 'takings.weir');
const total = run(takings, store);
check(/^68\.65, recorded as run [0-9a-f-]{36}\n$/.test(total), total);
checkTakings(new Weir(program, store));

const sinks = build('sinks');
const done = spawnSync(join(sinks, 'sqlite_sink'), [join(folder, 'sinks.weir'), join(folder, 'events.db')],
                       {encoding: 'utf8'});
const FED = '1 pipeline.started\n2 stage.only.started\n3 log\n4 stage.only.completed\n5 pipeline.completed\n';
check(done.status === 0 && done.stdout === FED, `sqlite_sink: ${JSON.stringify(done)}`);

// Hooks are told, and the process's sink has the errors as documents.
const errors = join(folder, 'errors.jsonl');
const hooked = run(join(build('hooks'), 'run_hooks'), join(folder, 'hooks.weir'), errors);
check(/^page: node write failed: IOError: disk full$/m.test(hooked), hooked);
check(/ALERT: Pipeline 'energy' had 1 failed nodes!/.test(hooked), hooked);
check(/^8 events, 1 of them errors$/m.test(hooked), hooked);
const documents = readFileSync(errors, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line));
check(documents.length === 1 && documents[0].planId === 'energy_fast' && documents[0].stepId === 'write' &&
      documents[0].context.errorType === 'IOError' && documents[0].metrics.memoryBytes > 0,
      JSON.stringify(documents));
const [wide] = new Weir(program, join(folder, 'hooks.weir')).rows(
    "SELECT attributes FROM events WHERE event_type = 'node_wide'");
check(JSON.stringify(wide).includes('customer_id'), JSON.stringify(wide));

// Ids go along into threads, coroutines and requests, and every event says them.
const carried = run(join(build('context'), 'carry_context'), join(folder, 'context.weir'));
check(carried === 'one correlation id in both services\ncustomer_id=c9\ninteraction_id=chat-3\n' +
                  'request_id=req-7\nuser_id=ann\n', carried);
const said = new Weir(program, join(folder, 'context.weir')).rows(`
    SELECT message, request_id, user_id, trace_id, attributes FROM events
    WHERE event_type = 'log' ORDER BY run_seq`);
check(said.map((row) => row.message).join() === 'in a thread,asked,answered', JSON.stringify(said));
check(said.every((row) => row.request_id === 'req-7' && row.user_id === 'ann' &&
                          row.trace_id === said[0].trace_id &&
                          JSON.stringify(row.attributes).includes('chat-3')), JSON.stringify(said));

// What the store says of the run that `takings` recorded, and metrics of the program itself.
const reporter = join(build('reports'), 'store_report');
const told = spawnSync(reporter, [join(folder, 'takings.weir'), folder], {
  encoding: 'utf8',
  env: {...process.env, LD_LIBRARY_PATH: resolve(buildFolder)},
});
check(told.status === 0 && told.stdout === '1 runs, 1 completed, 0 errors\n',
      `store_report: ${JSON.stringify(told)}`);
check(readFileSync(join(folder, 'summary.html'), 'utf8').includes('Summary of runs'), 'the page');
check(readFileSync(join(folder, 'metrics.prom'), 'utf8').includes('weir_node_executions_total'),
      'the metrics');
check(readFileSync(join(folder, 'metrics.parquet')).subarray(0, 4).toString() === 'PAR1',
      'the Parquet file');

// A pipeline whose tools are functions of the program.
const engine = build('engine');
const engineStore = join(folder, 'engine.weir');
const ran = spawnSync(join(engine, 'run_takings'),
                      [engineStore, join(ROOT, 'examples/engine/pipelines')], {encoding: 'utf8'});
check(ran.status === 0 && /^\{"day":"2026-11-29","total":69\.65\}\n3 calls, run [0-9a-f-]{36}\n$/
          .test(ran.stdout), `run_takings: ${JSON.stringify(ran)}`);
const ranRows = new Weir(program, engineStore).rows(`
  SELECT event_type, node_id, rows, error_type, error_message
  FROM events WHERE pipeline_id = 'takings' ORDER BY run_seq`);
check(ranRows.map((row) => row.event_type).join(' ') ===
      'pipeline_started pipeline_node_started log pipeline_node_completed ' +
      'pipeline_node_started pipeline_node_failed pipeline_node_retry_scheduled ' +
      'pipeline_node_started till.opened pipeline_node_completed pipeline_completed',
      JSON.stringify(ranRows));
check(Number(ranRows[3].rows) === 3 && ranRows[5].error_type === 'TillClosed' &&
      ranRows[5].error_message.includes('attempt 1 of total'), JSON.stringify(ranRows));
