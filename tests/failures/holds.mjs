// What holds of every run that did not end well, whatever went wrong in it: docs/reference/failures.md.

import {check} from './place.mjs';

const TERMINAL = new Set(['pipeline_completed', 'pipeline_failed', 'pipeline_cancelled']);
/// What may follow the end of a run, and changes nothing of how it ended.
const AFTER_THE_END = /^(pipeline_wide|node_wide|tool_undone|tool_undo_failed|artifact_\w+)$/;
/// And of a run that was stopped at once: nobody has waited for what they tell.
const LATE = /^(log|provider_call_failed|pipeline_child_(completed|failed))$/;
/// Told by chance of how fast somebody was, or of what is not the engine's: not compared.
const UNTOLD = new Set(['log', 'artifact_written', 'worker_pool_changed', 'cache_miss',
  'stream_producer_blocked', 'stream_throttle_started', 'stream_throttle_ended']);
/// Runs of processes, which tell of no pipeline.
export const OF_PROCESSES = 'weir';

/// INFO is the life of a run and what a signal does, WARNING what is tried
/// again, degraded or put off, ERROR what failed.
const LEVELS = {
  pipeline_started: 'INFO', pipeline_paused: 'INFO', pipeline_resumed: 'INFO',
  pipeline_completed: 'INFO',
  pipeline_cancelled: 'WARNING', pipeline_failed: 'ERROR',
  pipeline_node_started: 'INFO', pipeline_node_completed: 'INFO', pipeline_node_skipped: 'INFO',
  pipeline_node_cancelled: 'WARNING', pipeline_node_failed: 'ERROR',
  pipeline_node_retry_scheduled: 'WARNING',
  approval_requested: 'INFO', approval_decided: 'INFO',
  signal_accepted: 'INFO', signal_deferred: 'WARNING', signal_rejected: 'WARNING',
  tool_denied: 'WARNING', tool_invoked: 'INFO', tool_undone: 'INFO', tool_undo_failed: 'ERROR',
  guard_retry_attempt: 'WARNING', guard_retry_exhausted: 'ERROR', guard_retry_recovered: 'INFO',
  provider_call_started: 'INFO', provider_call_completed: 'INFO', provider_call_failed: 'ERROR',
  circuit_opened: 'WARNING', circuit_half_open: 'INFO', circuit_closed: 'INFO',
  pipeline_child_spawned: 'INFO', pipeline_child_completed: 'INFO', pipeline_child_failed: 'ERROR',
  stream_queue_closed: 'INFO', alert_fired: 'ERROR', adapter_call_failed: 'ERROR',
};
const RETRY_REASONS = ['timeout', 'transient_error', 'resource_exhausted'];
/// Of nodes that run again because a guard or a person said so, whatever became of them before.
const OTHER_REASONS = ['guard_retry', 'signal'];
const SANDBOX_TYPES = ['TIMEOUT', 'CPU_LIMIT', 'OOM', 'OUTPUT_LIMIT', 'POLICY_DENIED'];
const OWN_PLUGINS = ['process', 'sql', 'http', 'file', 'json', 'pipeline'];
export const OUTCOMES = {
  TIMEOUT: 'timeout', OOM: 'oom', POLICY_DENIED: 'denied', ToolDenied: 'denied',
  ApprovalDenied: 'denied',
};
const HAVE_REASONS = new Set(['pipeline_node_retry_scheduled', 'pipeline_node_cancelled',
  'pipeline_node_skipped', 'pipeline_resumed', 'pipeline_cancelled', 'tool_denied', 'tool_undone',
  'tool_undo_failed', 'guard_retry_exhausted', 'approval_decided', 'stream_queue_closed']);

const isTime = (value) => typeof value === 'number' && value >= 0;
const isText = (value) => typeof value === 'string' && value !== '';

/// An event as the cases write it: its type, and then, where it has them, node, attempt after the
/// first, type of the error, reason, signal.
export function told(row) {
  const words = [row.event_type];
  if (row.node_id !== null) words.push(row.node_id);
  // Of a guard's round, checkRetry says whether the attempt is the right one.
  if (row.attempt > 1 && row.reason !== 'guard_retry') words.push(`#${row.attempt}`);
  if (row.error_type !== null) words.push(row.error_type);
  if (row.signal_type !== null) words.push(row.signal_type);
  // Who asked is another one on every machine.
  if (HAVE_REASONS.has(row.event_type) && row.reason !== null) {
    words.push(`"${row.reason.replace(/ by [^:]+/, '')}"`);
  }
  return words.join(' ');
}

export const isTold = (row) => !UNTOLD.has(row.event_type);

function checkEnd(rows, isStoppedAtOnce, where) {
  const ends = rows.filter(({event_type: type}) => TERMINAL.has(type));
  check(ends.length === 1, `${where}: ${ends.length} terminal events`);
  const [end] = ends;
  for (const {event_type: type} of rows.slice(rows.indexOf(end) + 1)) {
    check(AFTER_THE_END.test(type) || (isStoppedAtOnce && LATE.test(type)),
        `${where}: ${type} after its end`);
  }
  return end;
}

function checkNodeFailed(row, place, where) {
  const event = place.recorded(row);
  for (const key of ['node_id', 'plugin_id', 'tool_id', 'error_type', 'error_message']) {
    check(isText(row[key]), `${where} has no ${key}`);
  }
  check(Number.isInteger(row.step_index), `${where} has no step_index`);
  check(isTime(row.duration_ms), `${where} has no duration_ms`);
  check(row.attempt >= 1, `${where} has no attempt`);
  const outcome = OUTCOMES[row.error_type] ?? null;
  check(row.outcome === outcome, `${where}: its outcome is ${row.outcome}, not ${outcome}`);
  check(typeof row.retryable === 'boolean', `${where} does not say whether it is retryable`);
  if (SANDBOX_TYPES.includes(row.error_type) && !OWN_PLUGINS.includes(row.plugin_id)) {
    check(event.error_source === 'PLUGIN_SANDBOX', `${where} does not say PLUGIN_SANDBOX`);
  }
}

function checkRetry(row, rows, index, where) {
  check(Number.isInteger(row.attempt) && row.attempt > 1, `${where} has no attempt`);
  const next = rows.slice(index).find(({event_type: type, node_id: id}) =>
      type === 'pipeline_node_started' && id === row.node_id);
  check(next === undefined || next.attempt === row.attempt,
      `${where}: it says attempt ${row.attempt}, and ${next?.attempt} starts`);
  if (OTHER_REASONS.includes(row.reason)) return;
  check(RETRY_REASONS.includes(row.reason), `${where}: its reason is ${row.reason}`);
  const failed = rows.slice(0, index).findLast(({node_id: id}) => id === row.node_id);
  check(failed?.event_type === 'pipeline_node_failed', `${where}: no failure is behind it`);
  check(row.attempt === failed.attempt + 1, `${where}: it is not the next attempt`);
}

function checkRunFailed(row, before, place, where) {
  check(isTime(row.duration_ms), `${where} has no duration_ms`);
  check(isText(row.error_type) && isText(row.error_message), `${where} does not say why`);
  check('failed_node_id' in place.recorded(row), `${where} does not say at which node`);
  if (row.failed_node_id === null) return;
  const failed = before.findLast(({event_type: type, node_id: id}) =>
      type === 'pipeline_node_failed' && id === row.failed_node_id);
  check(failed !== undefined, `${where}: its node has not failed before`);
  if (row.error_type === 'NodeFailed') return;
  check(failed.error_type === row.error_type, `${where}: its node failed with another type`);
  check(failed.error_message === row.error_message,
    `${where}: its node failed with another message`);
}

/// Nodes end after they have begun, once each time.
function checkNodes(rows, where) {
  const running = new Set();
  for (const {event_type: type, node_id: id} of rows) {
    if (type === 'pipeline_node_started') running.add(id);
    if (!/^pipeline_node_(completed|failed|cancelled)$/.test(type)) continue;
    check(running.delete(id), `${where}: ${type} of ${id}, which does not run`);
  }
  check(running.size === 0, `${where}: ${[...running].join(', ')} never ended`);
}

/// `isLost`: its process died, and nobody has gone on with it.
export function checkRun(rows, place, {isLost = false, isStoppedAtOnce = false} = {}) {
  const where = `run of '${rows[0].pipeline_id}'`;
  rows.forEach((row, index) => {
    const what = `${where}, ${row.event_type} (${row.run_seq})`;
    const before = rows.slice(0, index);
    check(row.run_seq === index + 1, `${what}: a hole before it`);
    for (const key of ['timestamp', 'pipeline_id', 'run_id', 'pipeline_type']) {
      check(isText(row[key]), `${what} has no ${key}`);
    }
    const level = LEVELS[row.event_type];
    check(level === undefined || row.level === level, `${what}: its level is ${row.level}`);
    if (row.event_type === 'pipeline_node_failed') checkNodeFailed(row, place, what);
    if (row.event_type === 'pipeline_node_retry_scheduled') checkRetry(row, rows, index, what);
    if (row.event_type === 'pipeline_failed') checkRunFailed(row, before, place, what);
  });
  if (isLost) return;
  const end = checkEnd(rows, isStoppedAtOnce, where);
  const isRefused = rows.length === 1 && end.event_type === 'pipeline_failed';
  check(isRefused || rows[0].event_type === 'pipeline_started', `${where} does not begin`);
  // Whoever was lost with its process never ended: the resumed run begins it anew.
  const resumed = rows.findLastIndex(({event_type: type, engine_attempt: attempt}) =>
      type === 'pipeline_resumed' && attempt !== null);
  checkNodes(rows.slice(resumed + 1), where);
}
