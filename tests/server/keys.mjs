// Who may ask a server for what: keys, their scopes, their tenants, their rates; and that no key is
// written anywhere.
//
//   node keys.mjs WEIR

import {readdirSync, readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {check, equal} from '../lib/check.mjs';
import {startServer} from '../lib/server.mjs';
import {Weir, withFolder} from '../lib/weir.mjs';

const RUN = '0195e0a0-0000-7000-8000-000000000003';
const bearer = (key) => ({Authorization: `Bearer ${key}`});
const body = (message, more = {}) => JSON.stringify({
  timestamp: '2026-11-30T12:00:00Z', event_type: 'log', pipeline_id: 'p', run_id: RUN, message, ...more}) + '\n';

function filesBelow(folder) {
  return readdirSync(folder, {recursive: true}).map((name) => join(folder, name))
      .filter((path) => statSync(path).isFile());
}

await withFolder(async (folder) => {
  const weir = new Weir(process.argv[2], join(folder, '.weir'));
  const refused = weir.call('serve', '--address', '0.0.0.0', '--port', '0', '--no-otlp');
  equal(refused.status, 1);
  check(/until there is a key/.test(refused.stderr), refused.stderr);

  const server = await startServer(weir);
  const key = (...words) => weir.ask(0, 'key', 'create', ...words).trim();
  try {
    const post = (text, headers = {}) => server.ask('/api/v1/events', {
      method: 'POST', body: text, headers: {'Content-Type': 'application/x-ndjson', ...headers}});
    equal((await post(body('before there is a key'))).status, 200);
    // A proxy on this machine asks for somebody who is not on it.
    equal((await post(body('passed on'), {'X-Forwarded-For': '203.0.113.9'})).status, 403);

    const acme = key('writer', '--scope', 'write', '--tenant', 'acme');
    const acmeReads = key('reader', '--scope', 'read', '--tenant', 'acme');
    const globex = key('both', '--scope', 'read', '--scope', 'write', '--tenant', 'globex');
    const admin = key('root', '--scope', 'admin');

    const nobody = await post(body('x'));
    equal([nobody.status, nobody.headers.get('www-authenticate')], [401, 'Bearer realm="weir"']);
    equal((await post(body('x'), bearer('weir_00000000_wrong'))).status, 401);
    equal((await post(body('x'), bearer(acmeReads))).status, 403);
    equal((await server.ask('/api/v1/runs', {headers: bearer(acme)})).status, 403);
    equal((await server.ask('/healthz')).status, 200);

    equal((await post(body('of acme'), bearer(acme))).body.stored, 1);
    equal((await post(body('of globex'), {'X-API-Key': globex})).body.stored, 1);
    const stolen = await post(body('of globex', {tenant_id: 'globex'}), bearer(acme));
    equal(stolen.status, 400);
    check(/tenant/.test(stolen.body.errors[0].reason), stolen.text);

    const messages = async (who) => (await server.ask('/api/v1/sql', {
      headers: bearer(who), json: {query: 'SELECT message FROM logs ORDER BY message'}}))
        .body.rows.flat();
    equal(await messages(acmeReads), ['of acme']);
    equal(await messages(globex), ['of globex']);
    equal(await messages(admin), ['before there is a key', 'of acme', 'of globex']);
    const runs = async (who) => (await server.ask('/api/v1/runs', {headers: bearer(who)})).body.items;
    equal((await runs(globex)).map((run) => run.tenant_id), ['globex']);
    equal((await server.ask(`/api/v1/runs/${RUN}`, {headers: bearer(admin)})).status, 409);
    for (const query of [
      `SELECT * FROM read_parquet('${weir.store}/events/**/*.parquet')`,
      `SELECT * FROM read_text('${weir.store}/keys.json')`,
      `SELECT * FROM '${weir.store}/log/x.jsonl'`]) {
      equal((await server.ask('/api/v1/sql', {headers: bearer(acmeReads), json: {query}})).status, 400);
    }

    const slow = key('slow', '--scope', 'read', '--rate', '2');
    const answers = [];
    for (let i = 0; i < 4; ++i) {
      answers.push(await server.ask('/api/v1/cookbook', {headers: bearer(slow)}));
    }
    equal(answers.map((one) => one.status).slice(0, 2), [200, 200]);
    check(answers.some((one) => one.status === 429 && one.headers.get('retry-after') === '1'), 'no 429');

    const stray = await server.ask(`/api/v1/runs/${admin}`);
    equal(stray.status, 401);
    equal((await post(body(`my key is ${admin}`), bearer(globex))).status, 200);

    weir.ask(0, 'key', 'revoke', 'writer');
    equal((await post(body('late'), bearer(acme))).status, 401);
    for (const name of ['reader', 'both', 'slow', 'root']) weir.ask(0, 'key', 'revoke', name);
    // Nobody may: not everybody.
    equal((await post(body('nobody'))).status, 401);
    equal((await server.ask('/api/v1/runs', {headers: bearer(admin)})).status, 401);
    equal(await server.stop(), 0);

    const audits = weir.rows(`SELECT actor_id, operation, outcome, reason, tenant_id FROM events
                              WHERE event_type = 'audit' ORDER BY timestamp`);
    check(audits.some((one) => one.operation === 'key.create' && one.tenant_id === 'acme'), 'key.create');
    check(audits.some((one) => one.operation === 'key.revoke'), 'key.revoke');
    check(audits.some((one) => one.operation === 'POST /api/v1/events' && one.outcome === 'denied'), 'denied');
    check(audits.some((one) => one.operation === 'POST /api/v1/sql' && one.outcome === 'denied' &&
                               one.tenant_id === 'acme'), 'denied SQL');
    check(audits.some((one) => one.operation === 'GET /api/v1/runs/{run_id}'), 'the route');
    check(audits.some((one) => one.operation === 'POST /api/v1/events' && one.outcome === 'denied' &&
                               one.tenant_id === 'acme' && /tenant/.test(one.reason)), 'another tenant');
    for (const path of filesBelow(weir.store)) {
      const bytes = readFileSync(path, 'latin1');
      for (const secret of [acme, acmeReads, globex, admin, slow]) {
        check(!bytes.includes(secret.slice(14)), `a key stands in ${path}`);
      }
    }
    check(!server.complained.includes(acme), 'a key was printed');
  } finally {
    await server.kill();
  }
});
