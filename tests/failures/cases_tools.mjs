// Failures of Weir's own tools. The node is tried twice, so that each says whether it is tried
// again.

import {closeSync, mkdirSync, openSync} from 'node:fs';
import {join} from 'node:path';
import {TWICE, node, run, sh} from './place.mjs';

export const NO = 'no';

/// The node 'n' of pipeline 'p' fails with the type, and is tried again for the reason, or not.
export function fails(name, type, retried, n, more = {}) {
  const failed = `pipeline_node_failed n ${type}`;
  const again = [`pipeline_node_retry_scheduled n #2 "${retried}"`, 'pipeline_node_started n #2',
    `pipeline_node_failed n #2 ${type}`];
  return {
    name, type, retried,
    pipeline: (place) => ({id: 'p', nodes: [{...TWICE,
      ...(n instanceof Function ? n(place) : n)}]}),
    at: 'n',
    events: ['pipeline_started', 'pipeline_node_started n', failed,
      ...(retried === NO ? [] : again),
      `pipeline_failed ${type}`],
    ...more,
  };
}

const TRANSIENT = 'transient_error';
const file = (tool, settings) => node('n', `file.${tool}`, settings);
const json = (tool, settings) => node('n', `json.${tool}`, settings);
const sql = (query, more = {}) => node('n', 'sql.query', {query, ...more});
const http = (path, more = {}) => ({shared}) =>
  node('n', 'http.request', {url: `${shared.url}${path}`, ...more});

const MOST = 16 << 20;  // bytes of a payload

const exits = (code) => (place, rows) => {
  for (const row of rows.filter(({event_type: type}) => type === 'pipeline_node_failed')) {
    if (row.exit_code !== code) throw new Error(`its exit_code is ${row.exit_code}`);
  }
};

function folderOf(count) {
  return async (place) => {
    mkdirSync(join(place.folder, 'many'));
    for (let i = 0; i < count; ++i) closeSync(openSync(join(place.folder, 'many', `${i}`), 'w'));
    return place.call('run', place.file, '--quiet');
  };
}

const PROCESSES = [
  fails('a command exits with a code', 'ProcessExited', TRANSIENT, sh('n', 'exit 7'),
      {also: exits(7)}),
  fails('a command is ended by a signal', 'ProcessSignalled', TRANSIENT, sh('n', 'kill -KILL $$')),
  fails('a command is not there', 'ProcessNotStarted', TRANSIENT, run('n', ['no-such-program'])),
  fails('a command prints no JSON', 'OutputNotJson', NO, sh('n', 'echo hello')),
  fails('a command prints no object', 'OutputNotJson', NO, sh('n', 'echo "[1]"')),
  fails('a command prints no UTF-8', 'OutputNotUtf8', NO, sh('n',
    String.raw`printf '{"a":"\374"}'`)),
  fails('a command prints without end', 'OutputTooLarge', NO, run('n', ['yes'])),
  fails('the input of a command is too large', 'InputTooLarge', NO, run('n', ['true']), {
    pipeline: {id: 'p', nodes: [sh('a', `echo '{"b": "${'y'.repeat(100)}"}'`),
      {...run('n', ['true']), ...TWICE, needs: ['a']}]},
    files: () => ({'input.json': `{"a":"${'x'.repeat(MOST - 20)}"}`}),
    act: (place) => place.call('run', place.file, '--quiet', '--input',
        `@${join(place.folder, 'input.json')}`),
    events: ['pipeline_started', 'pipeline_node_started a', 'pipeline_node_completed a',
      'pipeline_node_started n', 'pipeline_node_failed n InputTooLarge',
      'pipeline_failed InputTooLarge'],
  }),
  fails('a reference names nothing', 'UnresolvedReference', NO, run('n', ['echo', '${input.no}'])),
];

const FILES = [
  fails('a file is not there', 'FileNotFound', TRANSIENT, file('read', {path: 'none'})),
  fails('a file is too large', 'FileTooLarge', TRANSIENT, file('read', {path: 'large'}),
      {files: () => ({large: Buffer.alloc((4 << 20) + 1, 'x')})}),
  fails('a file is no UTF-8', 'FileNotUtf8', TRANSIENT, file('read', {path: 'latin'}),
      {files: () => ({latin: Buffer.from([0x4a, 0xfc])})}),
  fails('a file cannot be written', 'FileError', TRANSIENT,
      file('write', {path: 'pipeline.json/x', content: 'y'})),
  fails('a folder has too many files', 'TooManyFiles', TRANSIENT, file('list', {path: 'many'}),
      {act: folderOf(10_001)}),
];

const VALUES = [
  fails('a pointer names nothing', 'NotThere', NO, json('select', {pointer: '/none'})),
  fails('a pointer is none', 'InvalidPointer', NO, json('select', {pointer: 'none'})),
];

const QUERIES = [
  fails('a query is wrong', 'SqlError', TRANSIENT, sql('SELECT * FROM nowhere')),
  fails('a query gives too many rows', 'TooManyRows', NO, sql('FROM range(9)', {inline_rows: 3})),
  fails('a result is gone', 'ArtifactMissing', NO, sql('SELECT 1'), {
    words: ['--input', JSON.stringify({gone: {artifact: '0'.repeat(64), columns: [], rows: 0}})],
  }),
];

const REQUESTS = [
  fails('a server refuses for good', 'HttpStatus', NO, http('/gone')),
  fails('a server refuses for now', 'HttpStatus', TRANSIENT, http('/busy')),
  fails('a server does not answer in time', 'HttpTimeout', TRANSIENT,
      http('/silent', {timeout_ms: 100})),
  fails('a server is not there', 'HttpUnreachable', TRANSIENT,
      node('n', 'http.request', {url: 'http://127.0.0.1:1/'})),
  fails('an answer is too large', 'HttpTooLarge', NO, http('/large', {max_bytes: 1000})),
  fails('an answer is no UTF-8', 'HttpNotUtf8', NO, http('/latin')),
  fails('a request is wrong', 'InvalidRequest', NO,
      node('n', 'http.request', {url: 'ftp://127.0.0.1/'})),
];

export const TOOLS = [...PROCESSES, ...FILES, ...VALUES, ...QUERIES, ...REQUESTS];
