// Holds `weir check weir.yaml` against `weir schema config`, read by a validator that is not ours:
// what the program accepts is valid, and what is changed in one place is refused by both.
//
//   node validate_config.mjs WEIR

import {writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {ROOT, Weir, withFolder} from '../lib/weir.mjs';

const require = createRequire(join(ROOT, 'deps/package.json'));
const Ajv = require('ajv').default;

const CONFIG = {
  record: {durability: 'commit', commit_interval: '20ms', on_log_failure: 'continue'},
  log: {segment_size: '8MiB', segment_age: '1h'},
  redaction: {
    enable: ['ip_address'], disable: ['phone'], personal_in: ['field'],
    keys: [{name: 'badge', key: 'badge_number', kind: 'personal'}],
    patterns: [{name: 'employee', prefix: 'EMP-', alphabet: '0-9', min_length: 6, max_length: 6}],
    pseudonym_key_env: 'KEY',
  },
  loggers: {'agent.drafter': {level: 'debug', sampling: 0.5}, weir: {level: 'ERROR'}},
  sinks: [
    {type: 'null'}, {type: null},
    {type: 'console', format: 'json', include: ['stage.#'], exclude: [], fields: ['message']},
    {type: 'jsonl', path: 'a.jsonl', max_size: '1GB', max_files: 3, retention: '7d',
      compress: 'gzip'},
  ],
  loggingConfig: {
    version: '1.0.0',
    defaults: {level: 'info', format: 'json', outputDir: '.paper/logs', retentionDays: 30,
      maxFileSize: '10MB', maxFiles: 10},
    loggers: {agent: {level: 'info', output: 'logs/agent.log', includeFields: ['timestamp']}},
  },
  hooks: [
    {run: 'summary', name: 'end', enabled: true, priority: 'low', mode: 'async', timeout: '3s'},
    {run: 'metrics_export', folder: 'm', formats: ['json']},
    {run: 'log_rotation', folder: 'l', pattern: '*.log', keep: 3},
    {run: 'failure_alert', threshold: 2}, {run: 'cache_statistics'},
    {run: 'command', command: ['a'], topics: ['pipeline.failed']},
    {run: 'webhook', url: 'https://a.example', headers: {A: 'b'}, headers_env: {B: 'C'},
      topics: ['#']},
  ],
};

/// Every place in a value, as a list of keys.
function places(value, path = []) {
  const inside = value !== null && typeof value === 'object'
      ? Object.keys(value).flatMap((key) => places(value[key], [...path, key])) : [];
  return path.length === 0 ? inside : [path, ...inside];
}

/// The configuration with something else in one place.
function changed(path, change) {
  const copy = structuredClone(CONFIG);
  const last = path.at(-1);
  change(path.slice(0, -1).reduce((value, key) => value[key], copy), last);
  return copy;
}

await withFolder(async (folder) => {
  const weir = new Weir(process.argv[2], folder);
  const ajv = new Ajv({strict: true, strictTypes: false, strictRequired: false,
    allowUnionTypes: true});
  const validate = ajv.compile(JSON.parse(weir.ask(0, 'schema', 'config')));
  const file = join(folder, 'weir.yaml');
  const counts = {accepted: 0, refused: 0};

  /// What the program accepts, the schema does; `both`: and what it refuses, too.
  const hold = (config, both, what) => {
    writeFileSync(file, JSON.stringify(config));
    const {status, stderr} = weir.call('check', file);
    const valid = validate(config);
    if (status === 0 ? !valid : valid && both) {
      throw new Error(`${what}: ${status === 0 ? ajv.errorsText(validate.errors) : stderr}`);
    }
    ++counts[status === 0 ? 'accepted' : 'refused'];
    return status === 0;
  };

  if (!hold(CONFIG, true, 'the whole')) throw new Error('the whole configuration is refused');
  for (const path of places(CONFIG)) {
    const at = path.join('.');
    hold(changed(path, (object, key) => {
      if (Array.isArray(object)) object.splice(Number(key), 1);
      else delete object[key];
    }), false, `without ${at}`);
    for (const wrong of [true, 0.123, -1, '\n', {x: {y: 1}}, [[]], null]) {
      hold(changed(path, (object, key) => object[key] = wrong), false,
          `${at} is ${JSON.stringify(wrong)}`);
    }
    if (Array.isArray(path.reduce((value, key) => value[key], CONFIG))) continue;
    const isMap = /(loggers|headers|headers_env)$/.test(at);
    const value = path.reduce((value, key) => value[key], CONFIG);
    if (value !== null && typeof value === 'object' && !isMap) {
      hold(changed([...path, 'unknown'], (object, key) => object[key] = 1), true, `${at}.unknown`);
    }
  }
  console.log(`${counts.accepted} accepted, ${counts.refused} refused`);
  if (counts.accepted < 30 || counts.refused < 300) process.exitCode = 1;
});
