// Kills a server under load, again and again: what it answered is there, once; what it did not
// answer is sent again with the same keys, and then is there once, too.
//
//   node kill.mjs WEIR [ROUNDS]

import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {check, equal} from '../lib/check.mjs';
import {startServer} from '../lib/server.mjs';
import {Weir, withFolder} from '../lib/weir.mjs';

const [program, rounds = '10'] = process.argv.slice(2);
const ROUNDS = Number(rounds);
const CLIENTS = 4;
const EVENTS = 50;  // of a request
const RUN = '0195e0a0-0000-7000-8000-000000000002';
const LOAD_MS = 400;

/// A request of a client: its events are known by its number.
function bodyOf(client, request) {
  let body = '';
  for (let i = 0; i < EVENTS; ++i) {
    body += JSON.stringify({
      timestamp: new Date().toISOString(), event_type: 'log', level: 'INFO', pipeline_id: 'load',
      run_id: RUN, message: `event ${i} of request ${request} of client ${client}`,
      event_id: `${client}-${request}-${i}`,
    }) + '\n';
  }
  return body;
}

/// Sends requests until the server is gone; `state.next` is the one that got no answer.
async function load(server, client, state) {
  while (true) {
    const body = state.body ??= bodyOf(client, state.next);
    let answer;
    try {
      answer = await server.ask('/api/v1/events', {
        method: 'POST', body, headers: {'Content-Type': 'application/x-ndjson'}});
    } catch {
      return;
    }
    equal(answer.status, 200);
    equal(answer.body.stored + answer.body.duplicates, EVENTS);
    check(answer.body.duplicates === 0 || state.sentBefore, 'a duplicate of what was sent once');
    state.answered += EVENTS;
    ++state.next;
    state.body = undefined;
    state.sentBefore = false;
  }
}

await withFolder(async (folder) => {
  const weir = new Weir(program, join(folder, '.weir'));
  const states = Array.from({length: CLIENTS}, () => ({next: 0, answered: 0, sentBefore: false}));
  let again = 0;
  for (let round = 0; round < ROUNDS; ++round) {
    const server = await startServer(weir);
    const clients = states.map((state, client) => load(server, client, state));
    await sleep(LOAD_MS * (0.5 + Math.random()));
    await server.kill();
    await Promise.all(clients);
    for (const state of states) {
      if (state.body !== undefined) state.sentBefore = true;
      again += state.body !== undefined ? 1 : 0;
    }
  }
  const server = await startServer(weir);
  for (const [client, state] of states.entries()) {
    if (state.body === undefined) continue;
    const last = {...state};
    const answer = await server.ask('/api/v1/events', {
      method: 'POST', body: last.body, headers: {'Content-Type': 'application/x-ndjson'}});
    equal(answer.body.stored + answer.body.duplicates, EVENTS);
    states[client] = {...last, answered: last.answered + EVENTS};
  }
  equal(await server.stop(), 0);
  const expected = states.reduce((sum, state) => sum + state.answered, 0);
  const [found] = weir.rows(`
    SELECT count(*)::INTEGER AS events, count(DISTINCT event_id)::INTEGER AS keys,
           count(DISTINCT run_seq)::INTEGER AS numbers
    FROM events WHERE run_id = '${RUN}'`);
  equal(found, {events: expected, keys: expected, numbers: expected});
  weir.ask(0, 'verify');
  check(again >= ROUNDS / 2, `only ${again} requests were cut off`);
  console.log(`figures: ${ROUNDS} kills, ${expected} events answered and there once, `
      + `${again} requests sent again`);
});
