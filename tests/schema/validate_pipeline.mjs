// Holds `weir check FILE` against `weir schema pipeline`, read by a validator that is not ours: what
// the program accepts is valid, and an unknown key is refused by both.
//
//   node validate_pipeline.mjs WEIR

import {writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {ROOT, Weir, withFolder} from '../lib/weir.mjs';

const require = createRequire(join(ROOT, 'deps/package.json'));
const Ajv = require('ajv').default;

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
      cache: {enabled: true, ttl: '12h'}, effects_once: true,
      circuit_breaker: {operation: 'chat', provider: 'acme', failures: 3, open_for: '10s'},
      input_types: ['a'], output_types: ['b']},
    {id: 'y', plugin_type: 'process', tool_type: 'run', needs: ['x'], with: command, cache: false},
    {id: 'g', plugin_id: 'process', tool_id: 'run', needs: ['y'], with: command,
      guard_retry: {retry_node: 'y', max_attempts: 3, stagnation_limit: 2, hash_fields: ['k'],
        timeout: '1m'}},
    {id: 's', pipeline: 'other'},
  ],
  edges: [{from_node: 'x', to_node: 'g'}],
  entry_nodes: ['x', 's'], output_nodes: ['g', 's'],
};
const LINE = {
  id: 'l', type: 'linear', plugin_id: 'process', wide_events: true, expect: {cron: '0 6 * * *'},
  tools: [{tool_id: 'run', id: 'first', with: command}, {tool_id: 'run', with: command}],
};
const FIRST = {  // of the pipelines that were there before
  id: 'p_obs', name: 'obs',
  nodes: [{id: 'n1', plugin_id: 'process', tool_id: 'run', with: command}],
  edges: [], entry_nodes: ['n1'], output_nodes: ['n1'],
};

/// Every place in a value, as a list of keys.
function places(value, path = []) {
  const inside = value !== null && typeof value === 'object'
      ? Object.keys(value).flatMap((key) => places(value[key], [...path, key])) : [];
  return path.length === 0 ? inside : [path, ...inside];
}

/// The pipeline with something else in one place.
function changed(pipeline, path, change) {
  const copy = structuredClone(pipeline);
  const last = path.at(-1);
  change(path.slice(0, -1).reduce((value, key) => value[key], copy), last);
  return copy;
}

await withFolder(async (folder) => {
  const weir = new Weir(process.argv[2], folder);
  const ajv = new Ajv({strict: true, strictTypes: false, strictRequired: false,
    allowUnionTypes: true});
  const validate = ajv.compile(JSON.parse(weir.ask(0, 'schema', 'pipeline')));
  const file = join(folder, 'pipeline.json');
  const counts = {accepted: 0, refused: 0};

  /// What the program accepts, the schema does; `both`: and what it refuses, too.
  const hold = (pipeline, both, what) => {
    writeFileSync(file, JSON.stringify(pipeline));
    const {status, stderr} = weir.call('check', file);
    const valid = validate(pipeline);
    if (status === 0 ? !valid : valid && both) {
      throw new Error(`${what}: ${status === 0 ? ajv.errorsText(validate.errors) : stderr}`);
    }
    ++counts[status === 0 ? 'accepted' : 'refused'];
    return status === 0;
  };

  for (const pipeline of [GRAPH, LINE, FIRST]) {
    if (!hold(pipeline, true, 'the whole')) throw new Error(`${pipeline.id} is refused`);
    for (const path of places(pipeline)) {
      const at = path.join('.');
      hold(changed(pipeline, path, (object, key) => {
        if (Array.isArray(object)) object.splice(Number(key), 1);
        else delete object[key];
      }), false, `without ${at}`);
      for (const wrong of [true, -1, '\n', {x: {y: 1}}, [[]], null]) {
        hold(changed(pipeline, path, (object, key) => object[key] = wrong), false,
            `${at} is ${JSON.stringify(wrong)}`);
      }
      const value = path.reduce((inside, key) => inside[key], pipeline);
      if (value === null || typeof value !== 'object' || Array.isArray(value)) continue;
      if (/(^|\.)(with|params|execution_modes|domains)$/.test(at)) continue;  // keys are names
      hold(changed(pipeline, [...path, 'unknown'], (object, key) => object[key] = 1), true,
          `${at}.unknown`);
    }
  }
  console.log(`${counts.accepted} accepted, ${counts.refused} refused`);
  if (counts.accepted < 100 || counts.refused < 400) process.exitCode = 1;
});
