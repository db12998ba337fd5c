// A server of Weir, as a process of its own on ports that are free.

import {spawn} from 'node:child_process';

/// Answers once it listens. `words` go after `serve`.
export async function startServer(weir, ...words) {
  const child = spawn(weir.program, ['serve', '--port', '0', '--otlp-port', '0', '--otlp-grpc-port', '0', ...words],
                      {env: weir.env, stdio: ['ignore', 'pipe', 'pipe']});
  const server = {child, said: '', complained: ''};
  server.ended = new Promise((done, failed) => {
    child.on('error', failed);
    child.on('close', (code, signal) => done(signal ?? code));
  });
  child.stderr.setEncoding('utf8').on('data', (text) => { server.complained += text; });
  child.stdout.setEncoding('utf8');
  await new Promise((done, failed) => {
    child.stdout.on('data', (text) => {
      server.said += text;
      if (server.said.endsWith('\n')) done();
    });
    server.ended.then((end) => failed(new Error(`serve ended with ${end}: ${server.complained}`)));
  });
  const said = /at (https?):\/\/(\S+?):(\d+)(?:, OTLP at (\d+), gRPC at (\d+))?\n$/.exec(server.said);
  if (said === null) throw new Error(`serve said: ${server.said}`);
  server.url = `${said[1]}://${said[2]}:${said[3]}`;
  server.otlp = `${said[1]}://${said[2]}:${said[4]}`;
  server.grpc = `${said[1]}://${said[2]}:${said[5]}`;
  /// Ends it as Ctrl-C does, and gives its exit code.
  server.stop = () => {
    child.kill('SIGTERM');
    return server.ended;
  };
  server.kill = () => {
    child.kill('SIGKILL');
    return server.ended;
  };
  /// The answer to a request, its body parsed where it is JSON.
  server.ask = async (path, options = {}) => {
    const {json, headers = {}, base = server.url, ...others} = options;
    const response = await fetch(base + path, {
      ...(json === undefined ? {} : {method: 'POST', body: JSON.stringify(json)}),
      ...others,
      headers: {...(json === undefined ? {} : {'Content-Type': 'application/json'}), ...headers},
    });
    const text = await response.text();
    const type = response.headers.get('content-type') ?? '';
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: /[/+]json/.test(type) && text !== '' ? JSON.parse(text) : text,
    };
  };
  return server;
}

/// Calls `use` with a server that is there as long as it takes.
export async function withServer(weir, words, use) {
  const server = await startServer(weir, ...words);
  try {
    return await use(server);
  } finally {
    await server.kill();
  }
}
