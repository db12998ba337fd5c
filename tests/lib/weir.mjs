// Starting the program from a test.

import {spawn, spawnSync} from 'node:child_process';
import {mkdtempSync, realpathSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/// Calls `use` with a fresh folder, which is gone afterwards.
export async function withFolder(use) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'weir-test-')));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}

export class Weir {
  constructor(program, store) {
    this.program = resolve(program);
    this.store = store;
    this.env = {...process.env, WEIR_STORE: store};
    // Nodes say `node`, and mean the one that runs this test.
    this.env.PATH = `${dirname(process.execPath)}:${this.env.PATH}`;
  }

  /// {status, stdout, stderr} of a command that is expected to end.
  call(...words) {
    const {status, signal, stdout, stderr, error} = spawnSync(this.program, words,
        {env: this.env, encoding: 'utf8', maxBuffer: 1 << 30, input: ''});
    if (error) throw error;
    return {status: status ?? signal, stdout, stderr};
  }

  /// What a command prints. Throws unless it exits with `status`.
  ask(status, ...words) {
    const done = this.call(...words);
    if (done.status !== status) {
      const command = `weir ${words.join(' ')}`;
      throw new Error(`${command}: exit ${done.status}, not ${status}\n${done.stderr}`);
    }
    return done.stdout;
  }

  /// The rows of a query as objects.
  rows(query) {
    return JSON.parse(this.ask(0, 'sql', '--format', 'json', query));
  }

  /// A command that goes on: {process, ended}; `ended` is a promise of {status, stdout, stderr}.
  start(...words) {
    const process = spawn(this.program, words, {env: this.env, stdio: ['ignore', 'pipe', 'pipe']});
    const texts = {stdout: '', stderr: ''};
    for (const name of ['stdout', 'stderr']) {
      process[name].setEncoding('utf8').on('data', (text) => texts[name] += text);
    }
    const ended = new Promise((done, failed) => {
      process.on('error', failed);
      process.on('close', (code, signal) => done({status: code ?? signal, ...texts}));
    });
    return {process, ended};
  }
}
