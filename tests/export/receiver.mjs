// A receiver of OTLP over HTTP that is not ours: Node's server, and OpenTelemetry's own definitions.

import {createServer} from 'node:http';
import {gunzipSync} from 'node:zlib';
import {spansOfProtobuf} from './spans.mjs';

/// `answer` gives the status and headers of each request, 200 if it gives nothing.
export async function startReceiver(port = 0, answer = () => undefined) {
  const receiver = {spans: [], requests: 0, times: []};
  const server = createServer((request, response) => {
    const pieces = [];
    request.on('data', (piece) => pieces.push(piece));
    request.on('end', () => {
      ++receiver.requests;
      receiver.times.push(Date.now());
      receiver.headers = request.headers;
      receiver.path = request.url;
      const wanted = answer(receiver.requests) ?? {};
      if ((wanted.status ?? 200) === 200) {
        const body = Buffer.concat(pieces);
        receiver.spans.push(...spansOfProtobuf(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body));
      }
      response.writeHead(wanted.status ?? 200, {'Content-Type': 'application/x-protobuf', ...wanted.headers});
      response.end();
    });
  });
  await new Promise((done) => server.listen(port, '127.0.0.1', done));
  receiver.port = server.address().port;
  receiver.url = `http://127.0.0.1:${receiver.port}`;
  receiver.stop = () => new Promise((done) => { server.close(done); server.closeAllConnections(); });
  return receiver;
}
