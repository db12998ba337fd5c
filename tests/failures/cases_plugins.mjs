// Failures of plugins: what they say themselves, what they do not keep to, and what stops them.

import {spawnSync} from 'node:child_process';
import {join} from 'node:path';
import {ROOT} from '../lib/weir.mjs';
import {fails, NO} from './cases_tools.mjs';
import {check, node} from './place.mjs';

const TRANSIENT = 'transient_error';
const CALL = node('n', 'p.t');

/// A plugin 'p' with the tool 't', a script of the shell; trusted unless `more` says otherwise.
function plugin(script, more = {}) {
  const manifest = {id: 'p', version: '1', trust: 'trusted', command: ['sh', 'p.sh'],
    tools: {t: {}}, ...more};
  return () => ({
    'weir.yaml': {plugins: {folders: ['plugins'], trust: {p: manifest.trust}}},
    'plugins/p/plugin.json': manifest,
    'plugins/p/p.sh': script,
  });
}

/// Of a program that stays: what it prints when it is called, for the call's `id`.
function warm(answer, more = {}) {
  return plugin(`while read -r call; do
  id=$(echo "$call" | sed -n 's/.*"id":\\([0-9]*\\).*/\\1/p')
  ${answer}
done\n`, {kind: 'warm', ...more});
}

const error = (data) => `cat <<END
{"jsonrpc":"2.0","id":$id,"error":{"code":-32000,"message":"it said no"${data}}}
END`;

/// What stops a plugin that nobody trusts. Where the kernel cannot hold one, it is not called at
/// all, and that is what must be there.
function stopped(name, type, retried, script, limits) {
  const files = plugin(script, {trust: 'untrusted', limits});
  const refused = fails(name, 'PluginUnavailable', NO, CALL, {files});
  return fails(name, type, retried, CALL, {
    files,
    also: (place, rows) => {
      const failed = rows.filter(({event_type: type}) => type === 'pipeline_node_failed');
      check(failed.every(({cpu_ms: cpu}) => cpu !== null), 'it does not say what it used');
    },
    instead: async (place) => {
      const [{unavailable}] = JSON.parse(
          await place.ask(0, 'plugins', '--json')).plugins;
      if (unavailable === null) return undefined;
      console.log(`not held here, ${unavailable}: '${name}' looks whether the plugin is refused`);
      return refused;
    },
  });
}

const SAYS = [
  fails('a plugin ends with a code', 'ProcessExited', TRANSIENT, CALL, {files: plugin('exit 4')}),
  fails('a plugin is ended by a signal', 'ProcessSignalled', TRANSIENT, CALL,
      {files: plugin('kill -KILL $$')}),
  fails('a plugin is not there', 'PluginNotStarted', TRANSIENT, CALL,
      {files: plugin('', {command: ['./none']})}),
  fails('a library is not there', 'PluginNotStarted', TRANSIENT, CALL,
      {files: plugin('', {kind: 'shared_object', command: undefined, library: 'none.so'})}),
  fails('a plugin prints no JSON', 'OutputNotJson', NO, CALL, {files: plugin('echo hello')}),
  fails('a plugin prints no UTF-8', 'OutputNotUtf8', NO, CALL,
      {files: plugin(String.raw`printf '{"a":"\374"}'`)}),
  fails('the settings of a plugin are too large', 'InputTooLarge', NO,
      node('n', 'p.t', {word: 'x'.repeat(70_000)}),
      {files: plugin('', {tools: {t: {settings: {word: {kind: 'string'}}}}})}),
];

const STAYS = [
  fails('a plugin says that it failed', 'PluginError', TRANSIENT, CALL, {files: warm(error(''))}),
  fails('a plugin says that it failed for good', 'PluginError', NO, CALL,
      {files: warm(error(',"data":{"retryable":false}'))}),
  fails('a plugin prints no message', 'ProtocolError', TRANSIENT, CALL,
    {files: warm('echo hello')}),
  fails('a plugin ends without an answer', 'PluginDied', TRANSIENT, CALL, {files: warm('exit 0')}),
  {
    name: 'a plugin dies again and again',
    files: warm('exit 0'),
    pipeline: {id: 'p', nodes: [{...CALL, retry: {max_attempts: 6, delay: '1ms', jitter: 'none'}}]},
    at: 'n',
    events: ['pipeline_started', 'pipeline_node_started n', 'pipeline_node_failed n PluginDied',
      ...[2, 3, 4, 5].flatMap((attempt) => [
        `pipeline_node_retry_scheduled n #${attempt} "transient_error"`,
        `pipeline_node_started n #${attempt}`, `pipeline_node_failed n #${attempt} PluginDied`]),
      'pipeline_node_retry_scheduled n #6 "transient_error"', 'pipeline_node_started n #6',
      'pipeline_node_failed n #6 PluginUnavailable', 'pipeline_failed PluginUnavailable'],
  },
  {
    name: 'a plugin tells of a call to a provider that failed',
    files: warm(`cat <<'END'
${JSON.stringify({jsonrpc: '2.0', method: 'provider_call', params: {event: 'failed', call_id: '8',
    operation: 'embed', provider: 'acme'}})}
END
  exit 0`),
    pipeline: {id: 'p', nodes: [CALL]},
    at: 'n',
    events: ['pipeline_started', 'pipeline_node_started n', 'provider_call_failed n ProviderError',
      'pipeline_node_failed n PluginDied', 'pipeline_failed PluginDied'],
  },
];

const LIBRARY = `#include <stddef.h>
#include "weir/plugin.h"
static int call(void* state, const weir_plugin_call* call) {
  (void)state;
  call->set_failure(call->host, NULL, "it said no", 1);
  return 1;
}
static const weir_plugin plugin = {.version = 1, .call = call};
const weir_plugin* weir_plugin_entry(uint32_t version) { (void)version; return &plugin; }
`;

/// A library that fails and gives no type.
function library(name, trust, more = {}) {
  const files = plugin('', {kind: 'shared_object', command: undefined, library: 'p.so', trust});
  return fails(name, 'PluginError', TRANSIENT, CALL, {
    files: () => ({...files(), 'plugins/p/p.c': LIBRARY}),
    act: (place) => {
      const folder = join(place.folder, 'plugins/p');
      const {status, stderr} = spawnSync('cc', ['-shared', '-fPIC', '-I', join(ROOT, 'include'),
        '-o', join(folder, 'p.so'), join(folder, 'p.c')], {encoding: 'utf8'});
      check(status === 0, `cc: ${stderr}`);
      return place.call('run', place.file, '--quiet');
    },
    ...more,
  });
}

const LIBRARIES = [
  library('a library in a process of its own says no type', 'partner'),
  library('a library in the process says no type', 'trusted'),
];

/// What a plugin was asked to do is not wanted any more: it has not failed.
function cancelled(name, files) {
  return {
    name, files,
    pipeline: {id: 'p', nodes: [CALL]},
    act: async (place) => {
      const {process, ended} = place.start('run', place.file, '--quiet');
      await place.untilEvent('log');
      process.kill('SIGINT');
      return ended;
    },
    events: ['pipeline_started', 'pipeline_node_started n',
      'pipeline_node_cancelled n "the run ends"',
      'pipeline_cancelled "asked to stop"'],
  };
}

const CANCELLED = [
  cancelled('a plugin is asked to stop', plugin('echo here >&2; exec sleep 600')),
  cancelled('a plugin that stays is asked to stop', warm('echo here >&2; sleep 600')),
];

const FORKS = `exec perl -e 'while (1) { my $p = fork; if (defined $p && !$p) { sleep 9; exit } }'`;

const STOPPED = [
  stopped('a plugin takes too long', 'TIMEOUT', 'timeout', 'exec sleep 60', {time: '200ms'}),
  stopped('a plugin computes too long', 'CPU_LIMIT', 'timeout', 'while :; do :; done',
      {cpu: '200ms'}),
  stopped('a plugin has too much memory', 'OOM', 'resource_exhausted',
      `exec perl -e '$x .= q(x) x 1000000 while 1'`, {memory: '64MiB'}),
  stopped('a plugin prints too much', 'OUTPUT_LIMIT', NO, 'exec yes', {output: '64KiB'}),
  stopped('a plugin is too many processes', 'POLICY_DENIED', NO, FORKS, {processes: 12}),
  stopped('a plugin reads a file of somebody else', 'POLICY_DENIED', NO,
      'cat ../../.weir/VERSION; echo "{}"; sleep 9'),
  stopped('a plugin fails without a file above its own', 'POLICY_DENIED', NO,
      'exec cat ../../weir.yaml'),
  stopped('a plugin opens a socket', 'POLICY_DENIED', NO, `exec perl -e 'socket(my $s, 2, 1, 0)'`),
];

export const PLUGINS = [...SAYS, ...STAYS, ...LIBRARIES, ...CANCELLED, ...STOPPED];
