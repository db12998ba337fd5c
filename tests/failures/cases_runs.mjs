// How a run ends that does not end well: its attempts, its failure mode, what refuses it, what
// stops it, and who went on with it.

import {spawnSync} from 'node:child_process';
import {committedLines} from '../lib/segment.mjs';
import {BAD, OK, TWICE, check, node, run, sh} from './place.mjs';

const WAITS = 'touch started; exec sleep 600';
const WAITING = {id: 'p', nodes: [sh('n', WAITS), run('after', ['touch', 'executed'],
    {needs: ['n']})]};
const neverExecuted = (place) => check(!place.has('executed'), 'a node ran that must not');

const ATTEMPTS = [
  {
    name: 'the last attempt fails, and the run with it',
    pipeline: {id: 'p', nodes: [run('a', OK), run('b', BAD, {needs: ['a']}),
      run('c', ['touch', 'executed'], {needs: ['b']}), run('d', ['touch', 'executed'],
          {needs: ['b']})]},
    at: 'b',
    events: ['pipeline_started', 'pipeline_node_started a', 'pipeline_node_completed a',
      'pipeline_node_started b', 'pipeline_node_failed b ProcessExited',
      'pipeline_failed ProcessExited'],
    also: neverExecuted,
  },
  {
    name: 'what runs beside the failed node is cancelled',
    pipeline: {id: 'p', nodes: [sh('slow', WAITS),
      sh('bad', 'until test -e started; do sleep 0.02; done; exit 7'),
      run('after', ['touch', 'executed'], {needs: ['bad', 'slow']})]},
    act: (place) => place.call('run', place.file, '--quiet', '--jobs', '2'),
    at: 'bad',
    events: ['pipeline_started', ['pipeline_node_started slow', 'pipeline_node_started bad'],
      'pipeline_node_failed bad ProcessExited', 'pipeline_node_cancelled slow "the run ends"',
      'pipeline_failed ProcessExited'],
    also: neverExecuted,
  },
  {
    name: 'an attempt fails and is tried again, and the run completes',
    pipeline: {id: 'p', nodes: [sh('n', 'test -e tried || { touch tried; exit 7; }', TWICE)]},
    exit: 0, stdout: '{}\n',
    events: ['pipeline_started', 'pipeline_node_started n', 'pipeline_node_failed n ProcessExited',
      'pipeline_node_retry_scheduled n #2 "transient_error"', 'pipeline_node_started n #2',
      'pipeline_node_completed n #2', 'pipeline_completed'],
  },
  {
    name: 'a linear pipeline fails',
    pipeline: {id: 'p', type: 'linear', plugin_id: 'process',
      tools: [{tool_id: 'run', id: 'a', with: {command: OK}},
        {tool_id: 'run', id: 'b', with: {command: BAD}},
        {tool_id: 'run', id: 'c', with: {command: ['touch', 'executed']}}]},
    at: 'b',
    events: ['pipeline_started', 'pipeline_node_started a', 'pipeline_node_completed a',
      'pipeline_node_started b', 'pipeline_node_failed b ProcessExited',
      'pipeline_failed ProcessExited'],
    also: (place, rows) => {
      neverExecuted(place);
      check(rows.every(({pipeline_type: type}) => type === 'linear'), 'it is not linear');
    },
  },
  {
    name: 'continue: descendants are skipped, the rest runs, and the run fails at its end',
    pipeline: {id: 'p', on_failure: 'continue', nodes: [run('a', BAD), run('b', OK),
      run('c', ['touch', 'executed'], {needs: ['a']}), run('d', OK, {needs: ['b']})]},
    at: 'a',
    events: ['pipeline_started', 'pipeline_node_started a', 'pipeline_node_failed a ProcessExited',
      'pipeline_node_started b', 'pipeline_node_completed b', 'pipeline_node_started d',
      'pipeline_node_completed d', 'pipeline_node_skipped c "a node before it failed"',
      'pipeline_failed ProcessExited'],
    also: neverExecuted,
  },
  {
    name: 'best effort: descendants run without its output, and the run completes in part',
    pipeline: {id: 'p', on_failure: 'best_effort', nodes: [run('a', BAD),
      sh('b', `echo '{"b": 1}'`, {needs: ['a']})]},
    exit: 0, stdout: '{\n  "b": 1\n}\n',
    events: ['pipeline_started', 'pipeline_node_started a', 'pipeline_node_failed a ProcessExited',
      'pipeline_node_started b', 'pipeline_node_completed b', 'pipeline_completed'],
    also: (place, rows) => check(rows.at(-1).outcome === 'partial', 'it did not complete in part'),
  },
  {
    name: 'an item of a list fails',
    words: ['--input', '{"list": [1, 2, 3]}'],
    pipeline: {id: 'p', nodes: [sh('n', 'test $0 != 2', {for_each: '${input.list}',
      with: {command: ['sh', '-c', 'test $0 != 2', '${item}']}})]},
    at: 'n[1]',
    events: ['pipeline_started', 'pipeline_node_started n[0]', 'pipeline_node_completed n[0]',
      'pipeline_node_started n[1]', 'pipeline_node_failed n[1] ProcessExited',
      'pipeline_failed ProcessExited'],
  },
  {
    name: 'for_each is no list',
    words: ['--input', '{"list": 3}'],
    pipeline: {id: 'p', nodes: [run('n', ['touch', 'executed'],
        {for_each: '${input.list}', ...TWICE})]},
    at: 'n',
    events: ['pipeline_started', 'pipeline_node_started n', 'pipeline_node_failed n InvalidPlan',
      'pipeline_failed InvalidPlan'],
    also: neverExecuted,
  },
  {
    name: 'a node takes too long',
    pipeline: {id: 'p', nodes: [sh('n', 'exec sleep 600', {...TWICE, timeout: '100ms'})]},
    at: 'n',
    events: ['pipeline_started', 'pipeline_node_started n', 'pipeline_node_failed n TIMEOUT',
      'pipeline_node_retry_scheduled n #2 "timeout"', 'pipeline_node_started n #2',
      'pipeline_node_failed n #2 TIMEOUT', 'pipeline_failed TIMEOUT'],
  },
  {
    name: 'somebody has a failed node tried once more',
    pipeline: {id: 'p', on_failure: 'continue', nodes: [run('n', BAD),
      sh('other', 'touch started; until test -e go; do sleep 0.02; done')]},
    act: async (place) => {
      const {ended} = place.start('run', place.file, '--quiet', '--jobs', '1');
      await place.untilStarted();
      await place.ask(0, 'signal', 'last', 'retry-step', 'n');
      place.write('go', '');
      return ended;
    },
    at: 'n',
    events: ['pipeline_started', 'pipeline_node_started n', 'pipeline_node_failed n ProcessExited',
      'pipeline_node_started other', 'signal_accepted n retry-step',
      'pipeline_node_retry_scheduled n #2 "signal"', 'pipeline_node_completed other',
      'pipeline_node_started n #2', 'pipeline_node_failed n #2 ProcessExited',
      'pipeline_failed ProcessExited'],
  },
  {
    name: 'a node that is to be skipped fails, and is not tried again',
    pipeline: {id: 'p', nodes: [sh('n',
      'touch started; until test -e go; do sleep 0.02; done; exit 7',
        {retry: {max_attempts: 2, delay: '1h', max_delay: '1h', jitter: 'none'}})]},
    act: async (place) => {
      const {ended} = place.start('run', place.file, '--quiet');
      await place.untilStarted();
      await place.ask(0, 'signal', 'last', 'skip-step', 'n');
      place.write('go', '');
      return ended;
    },
    exit: 0, stdout: '{}\n',
    events: ['pipeline_started', 'pipeline_node_started n', 'signal_deferred n skip-step',
      'pipeline_node_failed n ProcessExited',
      'pipeline_node_retry_scheduled n #2 "transient_error"',
      'signal_accepted n skip-step', 'pipeline_node_skipped n "skipped"', 'pipeline_completed'],
  },
  {
    name: 'what is told of a whole node and run comes after their ends',
    pipeline: {id: 'p', wide_events: true, nodes: [run('n', BAD)]},
    at: 'n',
    events: ['pipeline_started', 'pipeline_node_started n', 'pipeline_node_failed n ProcessExited',
      'node_wide n ProcessExited', 'pipeline_failed ProcessExited', 'pipeline_wide ProcessExited'],
  },
];

function refused(name, pipeline, more = {}) {
  return {name, pipeline, events: ['pipeline_failed ValidationError'], also: neverExecuted,
    ...more};
}

const EXECUTED = ['touch', 'executed'];

const REFUSED = [
  refused('a cycle is refused', {id: 'p', nodes: [run('a', EXECUTED, {needs: ['b']}),
    run('b', EXECUTED, {needs: ['a']}), run('c', EXECUTED)]}),
  refused('an unknown tool is refused', {id: 'p', nodes: [run('a', EXECUTED),
    node('b', 'process.walk')]}),
  refused('a missing parameter is refused', {id: 'p', params: {day: {required: true}},
    nodes: [run('a', EXECUTED)]}),
  refused('an unknown mode is refused', {id: 'p', execution_modes: {real: {}},
    nodes: [run('a', EXECUTED)]}, {words: ['--mode', 'rael']}),
  refused('a missing secret is refused', {id: 'p', nodes: [
    run('a', [...EXECUTED, '${secrets.WEIR_TEST_NO_SUCH_SECRET}'])]}),
  refused('a pipeline inside that there is not is refused', {id: 'p',
    nodes: [run('a', EXECUTED), {id: 'b', pipeline: 'none'}]},
      {files: () => ({'weir.yaml': {pipelines: ['flows']}, 'flows/x.json': {id: 'x',
        nodes: [run('a', OK)]}})}),
  refused('what is no pipeline at all is refused', undefined, {
    id: 'pipeline', files: () => ({'pipeline.json': '{"id": '}),
  }),
];

/// Stopped by a signal of the system while 'n' runs.
function interrupted(signal) {
  return async (place) => {
    const {process, ended} = place.start('run', place.file, '--quiet', '--jobs', '1');
    await place.untilStarted();
    process.kill(signal);
    return ended;
  };
}

/// Stopped by a request of somebody while 'n' runs.
function asked(...words) {
  return async (place) => {
    const {ended} = place.start('run', place.file, '--quiet', '--jobs', '1');
    await place.untilStarted();
    await place.ask(0, 'signal', 'last', ...words);
    return ended;
  };
}

function cancelled(name, act) {
  return {
    name, act, pipeline: WAITING,
    events: ['pipeline_started', 'pipeline_node_started n',
      'pipeline_node_cancelled n "the run ends"',
      'pipeline_cancelled "asked to stop"'],
    also: neverExecuted,
  };
}

const STOPPED = [
  {
    name: 'the run takes too long',
    pipeline: {...WAITING, timeout: '1s'},
    events: ['pipeline_started', 'pipeline_node_started n',
      'pipeline_node_cancelled n "the run ends"',
      'pipeline_failed TIMEOUT'],
    also: (place, rows) => {
      neverExecuted(place);
      check(rows[2].outcome === 'timeout', 'its node does not say that the time was over');
      check(rows[3].outcome === 'timeout', 'the run does not say that its time was over');
    },
  },
  cancelled('Ctrl-C stops a run', interrupted('SIGINT')),
  {
    name: 'a node has failed, and the run takes too long',
    pipeline: {id: 'p', on_failure: 'continue', timeout: '2s', nodes: [run('bad', BAD),
      sh('n', WAITS)]},
    at: 'bad',
    events: ['pipeline_started', 'pipeline_node_started bad',
      'pipeline_node_failed bad ProcessExited', 'pipeline_node_started n',
      'pipeline_node_cancelled n "the run ends"', 'pipeline_failed ProcessExited'],
  },
  cancelled('SIGTERM stops a run', interrupted('SIGTERM')),
  cancelled('SIGHUP stops a run', interrupted('SIGHUP')),
  {
    ...cancelled('somebody cancels a run', asked('cancel', '--reason', 'enough')),
    events: ['pipeline_started', 'pipeline_node_started n', 'signal_accepted cancel',
      'pipeline_node_cancelled n "the run ends"', 'pipeline_cancelled "asked to stop: enough"'],
  },
  {
    name: 'a run is stopped at once',
    pipeline: WAITING,
    act: asked('emergency-stop', '--reason', 'smoke'),
    events: ['pipeline_started', 'pipeline_node_started n', 'signal_accepted emergency-stop',
      'pipeline_node_cancelled n "the run was stopped at once"',
      'pipeline_cancelled "stopped at once: smoke"'],
    also: (place, rows) => {
      neverExecuted(place);
      const alerts = committedLines(place.weir.store).map((line) => JSON.parse(line))
          .filter(({event_type: type}) => type === 'alert_fired');
      check(alerts.length === 1, `${alerts.length} alerts`);
      check(alerts[0].level === 'ERROR' && alerts[0].target_run_id === rows[0].run_id
          && alerts[0].attributes.severity === 'P1', 'no P1 alert of this run');
    },
  },
  {
    name: 'somebody has a run done anew',
    pipeline: {id: 'p', nodes: [sh('n', 'test -e started && exit 7; ' + WAITS)]},
    act: asked('retry-run'),
    events: ['pipeline_started', 'pipeline_node_started n', 'signal_accepted retry-run',
      'pipeline_node_cancelled n "the run ends"', 'pipeline_cancelled "asked to run anew"'],
    also: (place, [first], runs) => {
      check(runs.length === 2 && runs[1][0].previous_run_id === first.run_id,
          'there is no run that names this one');
      check(runs[1].at(-1).event_type === 'pipeline_failed', 'the other one has not failed');
    },
  },
  {
    name: 'a paused run is cancelled',
    pipeline: {id: 'p', nodes: [sh('n', 'touch started; until test -e go; do sleep 0.02; done'),
      run('after', ['touch', 'executed'], {needs: ['n']})]},
    act: async (place) => {
      const {process, ended} = place.start('run', place.file, '--quiet');
      await place.untilStarted();
      await place.ask(0, 'signal', 'last', 'pause');
      place.write('go', '');
      await place.untilEvent('pipeline_node_completed');
      process.kill('SIGINT');
      return ended;
    },
    events: ['pipeline_started', 'pipeline_node_started n', 'signal_accepted pause',
      'pipeline_paused', 'pipeline_node_completed n', 'pipeline_cancelled "asked to stop"'],
    also: neverExecuted,
  },
  {
    name: 'a run that waits for an approval is cancelled',
    pipeline: {id: 'p', nodes: [run('n', ['touch', 'executed'], {approval: {}})]},
    act: async (place) => {
      const {process, ended} = place.start('run', place.file, '--quiet');
      await place.untilEvent('approval_requested');
      process.kill('SIGINT');
      return ended;
    },
    events: ['pipeline_started', 'approval_requested n', 'pipeline_cancelled "asked to stop"'],
    also: neverExecuted,
  },
  {
    name: 'a run that waits for its next attempt is cancelled',
    pipeline: {id: 'p', nodes: [sh('n', 'exit 7', {retry: {max_attempts: 2, delay: '1h',
      max_delay: '1h', jitter: 'none'}})]},
    act: async (place) => {
      const {process, ended} = place.start('run', place.file, '--quiet');
      await place.untilEvent('pipeline_node_retry_scheduled');
      process.kill('SIGINT');
      return ended;
    },
    events: ['pipeline_started', 'pipeline_node_started n', 'pipeline_node_failed n ProcessExited',
      'pipeline_node_retry_scheduled n #2 "transient_error"', 'pipeline_cancelled "asked to stop"'],
  },
  {
    name: 'a call to a provider is cancelled with its run',
    pipeline: ({shared}) => ({id: 'p', nodes: [node('n', 'http.request',
        {url: `${shared.url}/silent`}, {circuit_breaker: {operation: 'get', provider: 'test'}})]}),
    act: async (place) => {
      const {process, ended} = place.start('run', place.file, '--quiet');
      await place.untilEvent('provider_call_started');
      process.kill('SIGINT');
      return ended;
    },
    events: ['pipeline_started', 'pipeline_node_started n', 'provider_call_started n',
      'provider_call_failed n Cancelled', 'pipeline_node_cancelled n "the run ends"',
      'pipeline_cancelled "asked to stop"'],
  },
  {
    name: 'what was put off is rejected when the run fails',
    pipeline: {id: 'p', nodes: [sh('n',
      'touch started; until test -e go; do sleep 0.02; done; exit 7'),
      run('after', EXECUTED, {needs: ['n'], approval: {}})]},
    act: async (place) => {
      const {ended} = place.start('run', place.file, '--quiet');
      await place.untilStarted();
      await place.ask(0, 'approve', 'last', 'after');
      place.write('go', '');
      return ended;
    },
    at: 'n',
    events: ['pipeline_started', 'pipeline_node_started n', 'signal_deferred after approve',
      'pipeline_node_failed n ProcessExited', 'signal_rejected after approve',
      'pipeline_failed ProcessExited'],
    also: neverExecuted,
  },
  {
    name: 'a run that has failed is asked something',
    pipeline: {id: 'p', nodes: [run('n', BAD)]},
    act: async (place) => {
      const done = await place.call('run', place.file, '--quiet');
      await place.ask(1, 'signal', 'last', 'cancel');
      return done;
    },
    at: 'n',
    events: ['pipeline_started', 'pipeline_node_started n', 'pipeline_node_failed n ProcessExited',
      'pipeline_failed ProcessExited'],
    also: (place) => {
      const rejected = committedLines(place.weir.store).map((line) => JSON.parse(line))
          .filter(({event_type: type}) => type === 'signal_rejected');
      check(rejected.length === 1 && rejected[0].level === 'WARNING'
          && rejected[0].error_code === 'RUN_TERMINAL',
          'its sender does not say that it was refused');
    },
  },
];

const LOSES = 'test -e go || exec sleep 600; exit 7';

/// The process dies while 'n' runs; then what goes on with it.
function lost(...words) {
  return async (place) => {
    await place.runAndDie('pipeline_node_started', {node_id: 'n'});
    return words.length === 0 ? {status: 1, stdout: '', stderr: ''}
        : place.call(...words, 'last', '--quiet', '--jobs', '1');
  };
}

const GOES_ON_AND_FAILS = ['pipeline_started', 'pipeline_node_started n',
  'pipeline_resumed "its process had ended"', 'pipeline_node_started n',
  'pipeline_node_failed n ProcessExited', 'pipeline_failed ProcessExited'];

const LOST = [
  {
    name: 'the process dies, and nobody goes on with the run',
    left: ['p'],
    pipeline: {id: 'p', nodes: [sh('n', LOSES)]},
    act: lost(),
    events: ['pipeline_started', 'pipeline_node_started n'],
    also: async (place) => {
      const [listed] = JSON.parse(await place.ask(0, 'runs', '--json'));
      check(listed.state === 'interrupted', `it is listed as ${listed.state}`);
    },
  },
  {
    name: 'the process dies, and the run that is resumed fails',
    pipeline: {id: 'p', nodes: [run('a', OK), sh('n', LOSES, {needs: ['a']})]},
    act: lost('resume'),
    at: 'n',
    events: ['pipeline_started', 'pipeline_node_started a', 'pipeline_node_completed a',
      'pipeline_node_started n', 'pipeline_resumed "its process had ended"',
      'pipeline_node_started n', 'pipeline_node_failed n ProcessExited',
      'pipeline_failed ProcessExited'],
    also: (place,
      rows) => check(rows.filter(({engine_attempt: attempt}) => attempt === 2).length === 3,
        'what the second process did does not say so'),
  },
  {
    name: 'the process dies in a node whose effects are wanted once',
    pipeline: {id: 'p', nodes: [sh('n', LOSES, {effects_once: true, ...TWICE})]},
    act: lost('resume'),
    at: 'n',
    events: ['pipeline_started', 'pipeline_node_started n',
      'pipeline_resumed "its process had ended"',
      'pipeline_node_started n', 'pipeline_node_failed n EffectsUnknown',
      'pipeline_failed EffectsUnknown'],
  },
  {
    // Files may not grow over 4 KiB: then the log cannot. What began is committed before that.
    name: 'the log cannot be written, and the run that is resumed fails',
    pipeline: {id: 'p', nodes: [sh('n', `test -e go && exit 7
        until grep -q pipeline_node_started "$WEIR_STORE"/log/*.jsonl; do sleep 0.02; done
        seq 1 3000 >&2; exec sleep 600`)]},
    act: async (place) => {
      const stopped = spawnSync('sh', ['-c', `trap '' XFSZ; ulimit -f 8; exec "$@"`, 'sh',
        place.weir.program, 'run', place.file, '--quiet'], {env: place.weir.env, encoding: 'utf8'});
      const {status, stdout, stderr} = stopped;
      check(status === 3 && stdout === '' && /cannot be recorded/.test(stderr),
          `it did not say that it cannot be recorded: ${status}, ${stderr}`);
      place.write('go', '');
      return place.call('resume', 'last', '--quiet');
    },
    at: 'n',
    events: GOES_ON_AND_FAILS,
  },
  {
    name: 'Ctrl-C twice leaves at once, and the run can be resumed',
    pipeline: {id: 'p', nodes: [sh('n', `trap '' TERM; touch started
        until test -e go; do sleep 0.05; done; exit 7`)]},
    act: async (place) => {
      const {process, ended} = place.start('run', place.file, '--quiet');
      await place.untilStarted();
      process.kill('SIGINT');
      // Two at once are one to it.
      const again = setInterval(() => process.kill('SIGINT'), 200);
      const left = await ended;
      clearInterval(again);
      check(left.status === 130, `it left with ${left.status}`);
      place.write('go', '');
      return place.call('resume', 'last', '--quiet');
    },
    at: 'n',
    events: GOES_ON_AND_FAILS,
  },
];

const COMMANDS = [
  {
    name: 'weir exec: the command exits with a code',
    id: 'sh',
    act: (place) => place.call('exec', '--quiet', '--', 'sh', '-c', 'exit 3'),
    exit: 3, at: 'sh',
    events: ['pipeline_started', 'pipeline_node_started sh',
      'pipeline_node_failed sh ProcessExited',
      'pipeline_failed ProcessExited'],
  },
  {
    name: 'weir exec: the command is not there',
    id: 'no-such-program',
    act: (place) => place.call('exec', '--quiet', '--', 'no-such-program'),
    exit: 127, at: 'no-such-program',
    events: ['pipeline_started', 'pipeline_node_started no-such-program',
      'pipeline_node_failed no-such-program ProcessNotStarted',
      'pipeline_failed ProcessNotStarted'],
  },
  {
    name: 'weir exec: the command is ended by a signal',
    id: 'sh',
    act: (place) => place.call('exec', '--quiet', '--', 'sh', '-c', 'kill -TERM $$'),
    exit: 143, at: 'sh',
    events: ['pipeline_started', 'pipeline_node_started sh',
      'pipeline_node_failed sh ProcessSignalled', 'pipeline_failed ProcessSignalled'],
  },
  {
    name: 'weir exec: somebody stops it',
    id: 'sh',
    act: async (place) => {
      const {process, ended} = place.start('exec', '--quiet', '--', 'sh', '-c',
          `touch '${place.folder}/started'; exec sleep 600`);
      await place.untilStarted();
      process.kill('SIGTERM');
      return ended;
    },
    exit: 143,
    events: ['pipeline_started', 'pipeline_node_started sh',
      'pipeline_node_cancelled sh "the run ends"',
      'pipeline_cancelled "asked to stop"'],
  },
];

export const RUNS = [...ATTEMPTS, ...REFUSED, ...STOPPED, ...LOST, ...COMMANDS];
