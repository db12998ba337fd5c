// Holds `weir check FILE` against `weir schema pipeline`, read by a validator that is not ours: what
// the program accepts is valid, and an unknown key is refused by both.
//
//   node validate_pipeline.mjs WEIR

import {holdAgainstSchema} from '../lib/schema_check.mjs';

const command = {command: ['true']};
const GRAPH = {
  id: 'p', name: 'P', version: '1.10', description: 'all that a graph can say', type: 'dag',
  params: {day: {type: 'integer', default: 3, description: 'of the month'}, who: {required: true}},
  on_failure: 'continue', on_log_failure: 'stop', timeout: '1h', seed: 7,
  wide_events: {nodes: true, run: false},
  defaults: {retry: {max_attempts: 2}, timeout: '30s'},
  execution_modes: {dry: {allow: ['process.*'], deny: ['*.query']}},
  domains: {gpu: 2}, expect: {every: '1d', grace: '10m'},
  nodes: [
    {id: 'x', plugin_id: 'process', tool_id: 'run', description: 'first', with: command,
      when: '${params.day} > 2', for_each: '${input.files}', timeout: '5m', domain: 'gpu',
      retry: {max_attempts: 5, backoff: 'linear', jitter: 'none', delay: '1s', max_delay: '1m',
        on: ['timeout']},
      approval: {message: 'Go?', timeout: '1d'}, undo: {tool: 'run', with: command},
      effects_once: true,
      circuit_breaker: {operation: 'chat', provider: 'acme', failures: 3, open_for: '10s'},
      input_types: ['a'], output_types: ['b']},
    {id: 'y', plugin_type: 'process', tool_type: 'run', needs: ['x'], with: command, cache: false},
    {id: 'g', plugin_id: 'process', tool_id: 'run', needs: ['y'], with: command,
      guard_retry: {retry_node: 'y', max_attempts: 3, stagnation_limit: 2, hash_fields: ['k'],
        timeout: '1m'},
      cache: {enabled: true, ttl: '12h', files: ['data.csv']}},
    {id: 's', pipeline: 'other'},
  ],
  edges: [{from_node: 'x', to_node: 'g'}],
  entry_nodes: ['x', 's'], output_nodes: ['g', 's'],
};
const LINE = {
  id: 'l', type: 'linear', plugin_id: 'process', wide_events: true, expect: {cron: '0 6 * * *'},
  tools: [{tool_id: 'run', id: 'first', with: command}, {tool_id: 'run', with: command}],
};
const TOOLS = {
  id: 't',
  nodes: Object.entries({
    'process.run': {command: ['sh', '-c', 'true'], env: {A: 'x', B: '${params.b}'}},
    'sql.query': {query: 'SELECT 1', inline_rows: 3},
    'json.select': {pointer: '/a', as: 'b'},
    'json.set': {pointer: '/a', value: [1]},
    'json.merge': {patch: {a: null}},
    'file.read': {path: 'a', as: 'b'},
    'file.write': {path: 'a', content: {b: 1}},
    'file.list': {path: '.'},
    'file.copy': {from: 'a', to: 'b'},
    'http.request': {url: 'http://localhost', method: 'PUT', headers: {'X-A': 'b'}, body: {a: 1},
      timeout_ms: 10, max_bytes: 100},
  }).map(([name, settings], i) => {
    const [plugin_id, tool_id] = name.split('.');
    return {id: `n${i}`, plugin_id, tool_id, with: settings, needs: i > 0 ? [`n${i - 1}`] : []};
  }),
  params: {b: {default: 'c'}, all: {type: 'object', default: {}}, n: {type: 'integer', default: 1}},
};
const REFERENCES = {
  id: 'r', params: TOOLS.params, type: 'linear', plugin_id: 'http',
  tools: [{tool_id: 'request', with: {
    url: '${input.url}', headers: '${params.all}', body: '${input}', timeout_ms: '${params.n}'}}],
};
const FIRST = {  // of the pipelines that were there before
  id: 'p_obs', name: 'obs',
  nodes: [{id: 'n1', plugin_id: 'process', tool_id: 'run', with: command}],
  edges: [], entry_nodes: ['n1'], output_nodes: ['n1'],
};

await holdAgainstSchema({
  schema: 'pipeline', fileName: 'pipeline.json', values: [GRAPH, LINE, TOOLS, REFERENCES, FIRST],
  maps: ['params', 'execution_modes', 'domains'], least: {accepted: 100, refused: 400},
});
