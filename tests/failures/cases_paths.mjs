// What stands around the calls of tools, and how it fails: approvals, guards, undoing, circuits,
// modes, pipelines in pipelines, streams, the store.

import {spawn} from 'node:child_process';
import {join} from 'node:path';
import {BAD, OK, TWICE, check, node, run, sh} from './place.mjs';

const EXECUTED = ['touch', 'executed'];
const neverExecuted = (place) => check(!place.has('executed'), 'a node ran that must not');

const denied = (reason, decided) => ['pipeline_started', 'approval_requested n', ...decided,
  `tool_denied n "${reason}"`, 'pipeline_node_started n', 'pipeline_node_failed n ApprovalDenied',
  'pipeline_failed ApprovalDenied'];

const APPROVALS = [
  {
    name: 'an approval is denied',
    pipeline: {id: 'p', nodes: [run('n', EXECUTED, {approval: {}, ...TWICE})]},
    act: async (place) => {
      const {ended} = place.start('run', place.file, '--quiet');
      await place.untilEvent('approval_requested');
      await place.ask(0, 'deny', 'last', 'n', '--reason', 'no');
      return ended;
    },
    at: 'n',
    events: denied('approval_denied', ['signal_accepted n deny', 'approval_decided n "no"']),
    also: neverExecuted,
  },
  {
    name: 'an approval is not answered',
    pipeline: {id: 'p', nodes: [run('n', EXECUTED, {approval: {timeout: '100ms'}, ...TWICE})]},
    at: 'n',
    events: denied('approval_timeout', ['approval_decided n "approval_timeout"']),
    also: neverExecuted,
  },
];

/// 'draft' makes another output each time, unless it is stuck; 'review' never likes it.
function guarded(rules, isStuck = false) {
  const draft = isStuck ? 'echo "{}"' : `echo x >>drafts; echo "{\\"n\\": $(wc -l <drafts)}"`;
  return {id: 'p', nodes: [sh('draft', draft),
    run('review', BAD, {needs: ['draft'], guard_retry: {retry_node: 'draft', ...rules}})]};
}

function exhausted(name, pipeline, reason, more = {}) {
  return {
    name, pipeline, at: 'review',
    events: ['pipeline_started', 'pipeline_node_started draft', 'pipeline_node_completed draft',
      'pipeline_node_started review', 'pipeline_node_failed review ProcessExited',
      'guard_retry_attempt review #2', 'pipeline_node_retry_scheduled draft "guard_retry"',
      'pipeline_node_retry_scheduled review "guard_retry"', 'pipeline_node_started draft #2',
      'pipeline_node_completed draft #2', 'pipeline_node_started review #2',
      'pipeline_node_failed review #2 ProcessExited', `guard_retry_exhausted review "${reason}"`,
      'pipeline_failed ProcessExited'],
    ...more,
  };
}

const GUARDS = [
  exhausted('a guard is given up after its last attempt', guarded({max_attempts: 2}),
    'max_attempts'),
  exhausted('a guard is given up when nothing changes', guarded({max_attempts: 9}, true),
      'stagnation'),
  exhausted('a guard is given up when its time is over', (() => {
    const pipeline = guarded({max_attempts: 9, timeout: '50ms'});
    pipeline.nodes[1].with = {command: ['sh', '-c', 'sleep 0.2; exit 7']};
    return pipeline;
  })(), 'timeout'),
  {
    // 'a' fails first, and 'b' then; because of the guard 'a' runs again, and 'b' is the first.
    name: 'the node that failed first runs again, and another one is the first then',
    pipeline: {id: 'p', on_failure: 'continue', nodes: [run('draft', OK), run('b0', OK),
      sh('a', 'test -e tried || { touch tried; exit 7; }', {needs: ['draft']}),
      run('r0', OK, {needs: ['draft']}), run('b', BAD, {needs: ['b0']}),
      run('r1', OK, {needs: ['r0']}),
      sh('review', 'test -e seen || { touch seen; exit 7; }', {needs: ['r1'],
        guard_retry: {retry_node: 'draft', max_attempts: 2}})]},
    at: 'b',
    events: ['pipeline_started', 'pipeline_node_started draft', 'pipeline_node_completed draft',
      'pipeline_node_started b0', 'pipeline_node_completed b0', 'pipeline_node_started a',
      'pipeline_node_failed a ProcessExited', 'pipeline_node_started r0',
      'pipeline_node_completed r0', 'pipeline_node_started b',
      'pipeline_node_failed b ProcessExited',
      'pipeline_node_started r1', 'pipeline_node_completed r1', 'pipeline_node_started review',
      'pipeline_node_failed review ProcessExited', 'guard_retry_attempt review #2',
      ['draft', 'a', 'r0', 'r1', 'review'].map((id) =>
        `pipeline_node_retry_scheduled ${id} "guard_retry"`),
      'pipeline_node_started draft #2', 'pipeline_node_completed draft #2',
      'pipeline_node_started a #2', 'pipeline_node_completed a #2',
      'pipeline_node_started r0 #2', 'pipeline_node_completed r0 #2',
      'pipeline_node_started r1 #2', 'pipeline_node_completed r1 #2',
      'pipeline_node_started review #2', 'pipeline_node_completed review #2',
      'guard_retry_recovered review', 'pipeline_failed NodeFailed'],
  },
];

const undoing = (command) => ({undo: {tool: 'run', with: {command}}});
const HAVE_RUN = ['pipeline_started', 'pipeline_node_started a', 'pipeline_node_completed a',
  'pipeline_node_started b', 'pipeline_node_completed b', 'pipeline_node_started c'];
const toUndo = (of, last = run('c', BAD, {needs: ['b']})) => ({id: 'p', nodes: [
  run('a', OK, undoing(['touch', 'undone'])), run('b', OK, {needs: ['a'], ...undoing(of)}), last]});

const UNDOES = [
  {
    name: 'what the run has done is undone before its end, the last first',
    pipeline: toUndo(OK),
    at: 'c',
    events: [...HAVE_RUN, 'pipeline_node_failed c ProcessExited', 'tool_invoked b',
      'tool_undone b "the run failed"', 'tool_invoked a', 'tool_undone a "the run failed"',
      'pipeline_failed ProcessExited'],
    also: (place) => check(place.has('undone'), 'nothing was undone'),
  },
  {
    name: 'what cannot be undone is said, and stops no other',
    pipeline: toUndo(BAD),
    at: 'c',
    events: [...HAVE_RUN, 'pipeline_node_failed c ProcessExited', 'tool_invoked b',
      'tool_undo_failed b ProcessExited "the run failed"', 'tool_invoked a',
      'tool_undone a "the run failed"', 'pipeline_failed ProcessExited'],
    also: (place) => check(place.has('undone'), 'nothing was undone'),
  },
  {
    name: 'a cancelled run is undone',
    pipeline: toUndo(OK, sh('c', 'touch started; exec sleep 600', {needs: ['b']})),
    act: async (place) => {
      const {process, ended} = place.start('run', place.file, '--quiet');
      await place.untilStarted();
      process.kill('SIGINT');
      return ended;
    },
    events: [...HAVE_RUN, 'pipeline_node_cancelled c "the run ends"', 'tool_invoked b',
      'tool_undone b "the run was cancelled"', 'tool_invoked a',
      'tool_undone a "the run was cancelled"', 'pipeline_cancelled "asked to stop"'],
  },
  {
    name: 'a run that takes too long is undone',
    pipeline: {...toUndo(OK, sh('c', 'exec sleep 600', {needs: ['b']})), timeout: '2s'},
    events: [...HAVE_RUN, 'pipeline_node_cancelled c "the run ends"', 'tool_invoked b',
      'tool_undone b "the run failed"', 'tool_invoked a', 'tool_undone a "the run failed"',
      'pipeline_failed TIMEOUT'],
  },
  {
    name: 'a run that is stopped at once is not undone',
    pipeline: toUndo(OK, sh('c', 'touch started; exec sleep 600', {needs: ['b']})),
    act: async (place) => {
      const {ended} = place.start('run', place.file, '--quiet');
      await place.untilStarted();
      await place.ask(0, 'signal', 'last', 'emergency-stop', '--reason', 'smoke');
      return ended;
    },
    events: [...HAVE_RUN, 'signal_accepted emergency-stop',
      'pipeline_node_cancelled c "the run was stopped at once"',
      'pipeline_cancelled "stopped at once: smoke"'],
    also: (place) => check(!place.has('undone'), 'it was undone'),
  },
  {
    name: 'the process dies while it undoes',
    pipeline: toUndo(['sh', '-c', 'test -e go || exec sleep 600']),
    act: async (place) => {
      await place.runAndDie('tool_invoked');
      return place.call('resume', 'last', '--quiet');
    },
    at: 'c',
    events: [...HAVE_RUN, 'pipeline_node_failed c ProcessExited', 'tool_invoked b',
      'pipeline_resumed "its process had ended"', 'tool_invoked b',
      'tool_undone b "the run failed"', 'tool_invoked a', 'tool_undone a "the run failed"',
      'pipeline_failed ProcessExited'],
  },
];

const circuit = (rules, retry) => ({id: 'p', nodes: [run('n', BAD, {
  circuit_breaker: {operation: 'chat', provider: 'acme', failures: 2, ...rules},
  retry: {max_attempts: 3, delay: '1ms', jitter: 'none', ...retry}})]});
const called = (number, ...more) => {
  const n = number > 1 ? `n #${number}` : 'n';
  const again = number > 1 ? [`pipeline_node_retry_scheduled ${n} "transient_error"`] : [];
  const [opened, ...before] = more;
  return [...again, `pipeline_node_started ${n}`, ...before.map((type) => `${type} ${n}`),
    `provider_call_started ${n}`, `provider_call_failed ${n} ProcessExited`,
    ...(opened ? [`${opened} ${n}`] : []), `pipeline_node_failed ${n} ProcessExited`];
};

const CIRCUITS = [
  {
    name: 'a circuit opens, and the next call is not made',
    pipeline: circuit({open_for: '1h'}),
    at: 'n',
    events: ['pipeline_started', ...called(1), ...called(2, 'circuit_opened'),
      'pipeline_node_retry_scheduled n #3 "transient_error"', 'pipeline_node_started n #3',
      'pipeline_node_failed n #3 CircuitOpen', 'pipeline_failed CircuitOpen'],
    also: (place, rows) => check(rows.at(-1).error_code === 'CIRCUIT_OPEN', 'no error_code'),
  },
  {
    name: 'a circuit lets one call through, and opens again',
    pipeline: circuit({open_for: '1ms'}, {delay: '100ms', backoff: 'constant'}),
    at: 'n',
    events: ['pipeline_started', ...called(1), ...called(2, 'circuit_opened'),
      ...called(3, 'circuit_opened', 'circuit_half_open'), 'pipeline_failed ProcessExited'],
  },
];

const MODES = [
  {
    name: 'the execution mode does not allow the tool',
    words: ['--mode', 'practice'],
    pipeline: {id: 'p', execution_modes: {practice: {deny: ['process.*']}},
      nodes: [run('n', EXECUTED, TWICE)]},
    at: 'n',
    events: ['pipeline_started', 'pipeline_node_started n', 'tool_denied n "behavior_not_allowed"',
      'pipeline_node_failed n ToolDenied', 'pipeline_failed ToolDenied'],
    also: neverExecuted,
  },
];

/// A pipeline with the node 'n' that runs one of these.
const around = (flows, more = {}) => ({
  pipeline: {id: 'p', nodes: [{id: 'n', pipeline: 'inner', ...more}]},
  files: () => ({'weir.yaml': {pipelines: ['flows']}, ...Object.fromEntries(flows.map((flow) =>
    [`flows/${flow.id}.json`, flow]))}),
});
const INNER_WAITS = {id: 'inner', nodes: [sh('x', 'touch ../started; exec sleep 600')]};
const INNER_FAILED = ['pipeline_started', 'pipeline_node_started x',
  'pipeline_node_failed x ProcessExited', 'pipeline_failed ProcessExited'];
const INNER_CANCELLED = ['pipeline_started', 'pipeline_node_started x',
  'pipeline_node_cancelled x "the run ends"', 'pipeline_cancelled "asked to stop"'];

const isChild = (place, rows, runs) => {
  const child = runs.find(([first]) => first.pipeline_id === 'inner');
  check(child[0].parent_run_id === rows[0].run_id, 'the child does not name its parent');
  const told = rows.find(({event_type: type}) => type === 'pipeline_child_failed');
  check(told.target_run_id === child[0].run_id && told.error_message !== null,
      'its parent does not say which run failed, and why');
};

const CHILDREN = [
  {
    name: 'a pipeline inside fails',
    ...around([{id: 'inner', nodes: [run('x', BAD)]}]),
    at: 'n',
    events: ['pipeline_started', 'pipeline_node_started n', 'pipeline_child_spawned n',
      'pipeline_child_failed n ChildRunFailed', 'pipeline_node_failed n ChildRunFailed',
      'pipeline_failed ChildRunFailed'],
    others: {inner: INNER_FAILED},
    also: isChild,
  },
  {
    name: 'a pipeline inside fails, and is run again',
    ...around([{id: 'inner', nodes: [run('x', BAD)]}], TWICE),
    at: 'n',
    events: ['pipeline_started', 'pipeline_node_started n', 'pipeline_child_spawned n',
      'pipeline_child_failed n ChildRunFailed', 'pipeline_node_failed n ChildRunFailed',
      'pipeline_node_retry_scheduled n #2 "transient_error"', 'pipeline_node_started n #2',
      'pipeline_child_spawned n #2', 'pipeline_child_failed n #2 ChildRunFailed',
      'pipeline_node_failed n #2 ChildRunFailed', 'pipeline_failed ChildRunFailed'],
    others: {inner: INNER_FAILED},
  },
  {
    name: 'somebody cancels a pipeline inside',
    ...around([INNER_WAITS], TWICE),
    act: async (place) => {
      const {ended} = place.start('run', place.file, '--quiet');
      await place.untilStarted();
      const {target_run_id: child} = await place.untilEvent('pipeline_child_spawned');
      await place.ask(0, 'signal', child, 'cancel');
      return ended;
    },
    at: 'n',
    events: ['pipeline_started', 'pipeline_node_started n', 'pipeline_child_spawned n',
      'pipeline_child_failed n ChildRunCancelled', 'pipeline_node_failed n ChildRunCancelled',
      'pipeline_failed ChildRunCancelled'],
    others: {
      inner: [...INNER_CANCELLED.slice(0, 2), 'signal_accepted cancel', ...INNER_CANCELLED.slice(2)],
    },
    also: isChild,
  },
  {
    name: 'Ctrl-C cancels what is inside first',
    ...around([INNER_WAITS]),
    act: async (place) => {
      const {process, ended} = place.start('run', place.file, '--quiet');
      await place.untilStarted();
      process.kill('SIGINT');
      return ended;
    },
    events: ['pipeline_started', 'pipeline_node_started n', 'pipeline_child_spawned n',
      'pipeline_child_failed n ChildRunCancelled', 'pipeline_node_cancelled n "the run ends"',
      'pipeline_cancelled "asked to stop"'],
    others: {inner: INNER_CANCELLED},
    also: isChild,
  },
  {
    // What runs is not waited for, so what it tells of its end may come after the run's.
    name: 'a run with another one inside is stopped at once',
    ...around([INNER_WAITS]),
    act: async (place) => {
      const {ended} = place.start('run', place.file, '--quiet');
      await place.untilStarted();
      const {run_id: parent} = await place.untilEvent('pipeline_started', {pipeline_id: 'p'});
      await place.ask(0, 'signal', parent, 'emergency-stop', '--reason', 'smoke');
      return ended;
    },
    isStoppedAtOnce: true,
    events: ['pipeline_started', 'pipeline_node_started n', 'pipeline_child_spawned n',
      'signal_accepted emergency-stop', 'pipeline_node_cancelled n "the run was stopped at once"',
      ['pipeline_cancelled "stopped at once: smoke"', 'pipeline_child_failed n ChildRunCancelled']],
    others: {inner: ['pipeline_started', 'pipeline_node_started x',
      'pipeline_node_cancelled x "the run was stopped at once"',
      'pipeline_cancelled "stopped at once: the run around it was"']},
    also: isChild,
  },
  {
    name: 'a pipeline inside takes longer than its node may',
    ...around([INNER_WAITS], {timeout: '2s'}),
    at: 'n',
    events: ['pipeline_started', 'pipeline_node_started n', 'pipeline_child_spawned n',
      'pipeline_child_failed n ChildRunCancelled', 'pipeline_node_failed n TIMEOUT',
      'pipeline_failed TIMEOUT'],
    others: {inner: INNER_CANCELLED},
    also: isChild,
  },
  {
    name: 'a pipeline inside gets a parameter of another type',
    ...around([{id: 'inner', params: {times: {type: 'integer'}}, nodes: [run('x', EXECUTED)]}]),
    pipeline: {id: 'p', nodes: [sh('a', `echo '{"times": "often"}'`),
      {id: 'n', pipeline: 'inner', needs: ['a'], with: {times: '${nodes.a.times}'}, ...TWICE}]},
    at: 'n',
    events: ['pipeline_started', 'pipeline_node_started a', 'pipeline_node_completed a',
      'pipeline_node_started n', 'pipeline_node_failed n InvalidParams',
      'pipeline_failed InvalidParams'],
  },
  {
    name: 'too many pipelines are around one',
    ...around(['inner', 'd2', 'd3', 'd4', 'd5', 'd6'].map((id, at, ids) => ({id, nodes: [
      at === 5 ? run('x', EXECUTED) : {id: 'x', pipeline: ids[at + 1], ...TWICE}]}))),
    at: 'n',
    events: ['pipeline_started', 'pipeline_node_started n', 'pipeline_child_spawned n',
      'pipeline_child_failed n ChildRunFailed', 'pipeline_node_failed n ChildRunFailed',
      'pipeline_failed ChildRunFailed'],
    others: {d5: ['pipeline_started', 'pipeline_node_started x',
      'pipeline_node_failed x MaxDepthExceeded', 'pipeline_failed MaxDepthExceeded']},
  },
  {
    name: 'the process dies, and another one has the run inside',
    ...around([INNER_WAITS]),
    act: async (place) => {
      await place.runAndDie('pipeline_node_started', {node_id: 'x'});
      const {target_run_id: child,
        run_id: parent} = await place.untilEvent('pipeline_child_spawned');
      const lock = join(place.weir.store, 'runs', `${child}.lock`);
      const other = spawn('flock', ['--no-fork', lock, 'sh', '-c',
        `touch '${place.folder}/held'; exec sleep 600`], {stdio: 'ignore'});
      place.started.push(other);
      await place.untilThere('held');
      return place.call('resume', parent, '--quiet');
    },
    at: 'n',
    left: ['inner'],
    events: ['pipeline_started', 'pipeline_node_started n', 'pipeline_child_spawned n',
      'pipeline_resumed "its process had ended"', 'pipeline_node_started n',
      'pipeline_node_failed n ChildRunNotTaken', 'pipeline_failed ChildRunNotTaken'],
  },
];

const streamed = (writer, reader) => ({id: 'p', on_failure: 'continue', nodes: [
  sh('writer', writer), sh('reader', reader)],
edges: [{from_node: 'writer', to_node: 'reader', stream: {}}]});
const BEGUN = ['pipeline_started', ['pipeline_node_started writer',
  'pipeline_node_started reader']];

const STREAMS = [
  {
    name: 'who writes a stream fails',
    pipeline: streamed('echo one; exit 7', 'cat >&2'),
    at: 'writer',
    events: [...BEGUN, 'pipeline_node_failed writer ProcessExited',
      'stream_queue_closed writer "failed"', 'pipeline_node_failed reader StreamFailed',
      'pipeline_failed ProcessExited'],
  },
  {
    name: 'who reads a stream fails',
    pipeline: streamed('while echo x; do sleep 0.01; done', 'read a; exit 7'),
    at: 'reader',
    events: [...BEGUN, 'pipeline_node_failed reader ProcessExited',
      'stream_queue_closed writer "failed"', 'pipeline_node_failed writer StreamFailed',
      'pipeline_failed ProcessExited'],
  },
  {
    name: 'a run ends while a stream flows',
    pipeline: {...streamed('while echo x; do sleep 0.01; done',
        'read a; touch started; exec sleep 600'), on_failure: 'fail_fast'},
    act: async (place) => {
      const {process, ended} = place.start('run', place.file, '--quiet');
      await place.untilStarted();
      process.kill('SIGINT');
      return ended;
    },
    events: [...BEGUN, ['pipeline_node_cancelled writer "the run ends"',
      'pipeline_node_cancelled reader "the run ends"', 'stream_queue_closed writer "cancelled"'],
    'pipeline_cancelled "asked to stop"'],
  },
];

const STORE = [
  {
    // Who may write the folder of the artifacts does not: it is no folder any more.
    name: 'the output cannot be kept',
    pipeline: {id: 'p', nodes: [sh('n',
      `rm -r "$WEIR_STORE/artifacts"; touch "$WEIR_STORE/artifacts"
      printf '{"a":"'; head -c 9000 /dev/zero | tr '\\0' x; printf '"}'`)]},
    at: 'n',
    exit: 3,
    events: ['pipeline_started', 'pipeline_node_started n', 'pipeline_node_failed n StorageError',
      'pipeline_failed StorageError'],
  },
  {
    // Its definition cannot be kept, so it is not begun: the process says so.
    name: 'a run cannot be begun',
    id: 'weir',
    pipeline: {id: 'p', nodes: [run('n', EXECUTED)]},
    files: () => ({'.weir/artifacts': 'no folder'}),
    exit: 3,
    events: ['adapter_call_failed IoError'],
    also: neverExecuted,
  },
];

export const PATHS = [...APPROVALS, ...GUARDS, ...UNDOES, ...CIRCUITS, ...MODES, ...CHILDREN,
  ...STREAMS, ...STORE];
