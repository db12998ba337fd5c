// What the cases of http.request ask: answers of all kinds, on this machine.

import {createServer} from 'node:http';

const ANSWERS = {
  '/gone': (answer) => answer.writeHead(404).end('no such thing'),
  '/busy': (answer) => answer.writeHead(503).end('later'),
  '/large': (answer) => answer.end('x'.repeat(2000)),
  '/latin': (answer) => answer.end(Buffer.from([0x4a, 0xfc])),
  '/silent': () => {},
};

/// {url, close}
export async function serve() {
  const server = createServer((request, answer) => ANSWERS[request.url](answer));
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
