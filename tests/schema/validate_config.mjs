// Holds `weir check weir.yaml` against `weir schema config`, read by a validator that is not ours:
// what the program accepts is valid, and what is changed in one place is refused by both.
//
//   node validate_config.mjs WEIR

import {holdAgainstSchema} from '../lib/schema_check.mjs';

const CONFIG = {
  record: {durability: 'commit', commit_interval: '20ms', on_log_failure: 'continue', patience: '2s'},
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

await holdAgainstSchema({
  schema: 'config', fileName: 'weir.yaml', values: [CONFIG],
  maps: ['loggers', 'headers', 'headers_env'], least: {accepted: 30, refused: 300},
});
