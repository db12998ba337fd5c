// Where a case happens: a folder with a store, pipelines, scripts and plugins, and the program.

import {chmodSync, existsSync, mkdirSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {committedLines} from '../lib/segment.mjs';
import {Weir} from '../lib/weir.mjs';

const POLL_MS = 10;
// Long enough for a sanitizer build on a busy machine.
const PATIENCE_MS = 120_000;

const COLUMNS = `timestamp, event_type, level, pipeline_type, pipeline_id, run_id, run_seq,
  parent_run_id, previous_run_id, node_id, plugin_id, tool_id, step_index, attempt, engine_attempt,
  duration_ms, outcome, error_type, error_code, error_message, retryable, exit_code, failed_node_id,
  cpu_ms, memory_bytes,
  message, reason, target_run_id, signal_type, operation, attributes`;

export function check(holds, what) {
  if (!holds) throw new Error(what);
}

/// A node that runs a command.
export function run(id, command, more = {}) {
  return {id, plugin_id: 'process', tool_id: 'run', with: {command}, ...more};
}

/// A node that runs a script of the shell.
export function sh(id, script, more = {}) { return run(id, ['sh', '-c', script], more); }

/// A node of another tool, named as `plugin.tool`.
export function node(id, tool, settings = {}, more = {}) {
  const [plugin, name] = tool.split('.');
  return {id, plugin_id: plugin, tool_id: name, with: settings, ...more};
}

export const OK = ['true'];
export const BAD = ['sh', '-c', 'exit 7'];
/// Two attempts, at once one after the other.
export const TWICE = {retry: {max_attempts: 2, delay: '1ms', jitter: 'none'}};

export class Place {
  constructor(program, folder, shared) {
    this.folder = folder;
    this.shared = shared;
    this.weir = new Weir(program, join(folder, '.weir'));
    this.started = [];
    chmodSync(folder, 0o755);  // a confined plugin is another user
  }

  write(name, text) {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), {recursive: true, mode: 0o755});
    writeFileSync(path, typeof text === 'string' || Buffer.isBuffer(text) ? text
        : JSON.stringify(text));
    return path;
  }

  has(name) { return existsSync(join(this.folder, name)); }

  /// A command that is expected to end: {status, stdout, stderr}.
  async call(...words) { return this.start(...words).ended; }

  start(...words) {
    const one = this.weir.start(...words);
    this.started.push(one.process);
    return one;
  }

  async ask(status, ...words) {
    const done = await this.call(...words);
    check(done.status === status,
        `weir ${words.join(' ')}: exit ${done.status}, not ${status}\n${done.stderr}`);
    return done.stdout;
  }

  async until(holds, what) {
    for (const deadline = performance.now() + PATIENCE_MS; !await holds();) {
      check(performance.now() < deadline, `this never came: ${what}`);
      await sleep(POLL_MS);
    }
  }

  untilThere(name) { return this.until(() => this.has(name), `the file ${name}`); }

  /// Until a node says that it runs, by the file 'started', and others can see its run.
  async untilStarted() {
    await this.untilThere('started');
    await this.untilEvent('pipeline_started');
  }

  /// Until an event is committed that has these members: the event itself.
  async untilEvent(type, members = {}) {
    const wanted = Object.entries({event_type: type, ...members});
    const found = () => committedLines(this.weir.store).map((line) => JSON.parse(line))
        .find((event) => wanted.every(([key, value]) => event[key] === value));
    await this.until(found, `an event ${JSON.stringify(wanted)}`);
    return found();
  }

  /// Runs the pipeline, whose process dies when there is such an event. What waited for the file
  /// 'go'
  /// finds it from then on.
  async runAndDie(type, members) {
    const {process, ended} = this.start('run', this.file, '--quiet', '--jobs', '1');
    await this.untilEvent(type, members);
    process.kill('SIGKILL');
    const {status} = await ended;
    check(status === 'SIGKILL', `its process was to die: ${status}`);
    this.write('go', '');
  }

  /// All events by run, in the order of their runs and in the runs' order.
  async runs() {
    const text = await this.ask(0, 'sql', '--format', 'json',
        `SELECT ${COLUMNS} FROM events ORDER BY run_id, run_seq`);
    const runs = new Map();
    for (const row of JSON.parse(text)) {
      if (!runs.has(row.run_id)) runs.set(row.run_id, []);
      runs.get(row.run_id).push(row);
    }
    return [...runs.values()];
  }

  /// What the log itself says of an event that SQL has shown.
  recorded(row) {
    return committedLines(this.weir.store).map((line) => JSON.parse(line))
        .find((event) => event.run_id === row.run_id && event.run_seq === row.run_seq);
  }

  killAll() {
    for (const one of this.started) if (one.exitCode === null) one.kill('SIGKILL');
  }
}
