// Whether the checks of holds.mjs see anything: a run as it must be, in which one thing is changed.

import {checkRun} from './holds.mjs';
import {check} from './place.mjs';

const NODE = {node_id: 'n', plugin_id: 'process', tool_id: 'run', step_index: 0};
const FAILED = {event_type: 'pipeline_node_failed', level: 'ERROR', ...NODE, duration_ms: 1,
  error_type: 'ProcessExited', error_message: 'it exited with code 7', retryable: true};

/// Of a node that failed twice.
function wholeRun() {
  return [
    {event_type: 'pipeline_started', level: 'INFO'},
    {event_type: 'pipeline_node_started', level: 'INFO', ...NODE, attempt: 1},
    {...FAILED, attempt: 1},
    {event_type: 'pipeline_node_retry_scheduled', level: 'WARNING', ...NODE, attempt: 2,
      reason: 'transient_error'},
    {event_type: 'pipeline_node_started', level: 'INFO', ...NODE, attempt: 2},
    {...FAILED, attempt: 2},
    {event_type: 'pipeline_failed', level: 'ERROR', duration_ms: 2, failed_node_id: 'n',
      error_type: 'ProcessExited', error_message: 'it exited with code 7'},
  ];
}

/// By what is wrong, how it gets wrong.
const PLANTED = {
  'no end': (rows) => rows.pop(),
  'two ends': (rows) => rows.push({...rows.at(-1)}),
  'an event after the end': (rows) => rows.push({...rows[1]}),
  'the end before the failure': (rows) => rows.push(rows.splice(5, 1)[0]),
  'no failure of a node': (rows) => rows.splice(5, 1),
  'no beginning': (rows) => rows.shift(),
  'a node that never began': (rows) => rows.splice(4, 1),
  'another level': (rows) => rows[3].level = 'INFO',
  'another reason': (rows) => rows[3].reason = 'permanent_error',
  'no next attempt': (rows) => rows[3].attempt = 1,
  'an attempt that does not start': (rows) => rows[3].attempt = 3,
  'another outcome': (rows) => rows[5].outcome = 'timeout',
  'another type': (rows) => rows.at(-1).error_type = 'TIMEOUT',
  'another node': (rows) => rows.at(-1).failed_node_id = 'other',
  ...Object.fromEntries(['node_id', 'plugin_id', 'tool_id', 'step_index', 'duration_ms',
    'error_type', 'error_message', 'attempt'].map((key) =>
    [`a failure without ${key}`, (rows) => rows[5][key] = null])),
  ...Object.fromEntries(['duration_ms', 'error_type', 'error_message'].map((key) =>
    [`an end without ${key}`, (rows) => rows.at(-1)[key] = null])),
  'an end that does not say the node': (rows) => delete rows.at(-1).failed_node_id,
};

const COLUMNS = ['outcome', 'reason', 'error_type', 'node_id', 'engine_attempt'];

function finds(change) {
  const rows = wholeRun();
  change(rows);
  const nulls = Object.fromEntries(COLUMNS.map((key) => [key, null]));
  const all = rows.map((row, index) => ({...nulls, timestamp: 't', pipeline_id: 'p',
    pipeline_type: 'dag', run_id: 'r', ...row, run_seq: index + 1}));
  const place = {recorded: (row) => rows[row.run_seq - 1]};
  try {
    checkRun(all, place);
  } catch {
    return true;
  }
  return false;
}

export function checkPlanted() {
  check(!finds(() => {}), 'the checks refuse a run as it must be');
  for (const [what, change] of Object.entries(PLANTED)) {
    check(finds(change), `the checks do not see: ${what}`);
  }
  console.log(`${Object.keys(PLANTED).length} planted faults are found`);
}
