// The description of the API is OpenAPI, as a validator that is not ours finds, and each path in it
// is there: asked for without a key, none but the open ones answers anything else than 401.
//
//   node openapi.mjs WEIR

import {createRequire} from 'node:module';
import {pathToFileURL} from 'node:url';
import {join} from 'node:path';
import {check, equal} from '../lib/check.mjs';
import {startServer} from '../lib/server.mjs';
import {ROOT, Weir, withFolder} from '../lib/weir.mjs';

const load = createRequire(join(ROOT, 'tests/clients/package.json'));
const {Validator} = await import(
    pathToFileURL(load.resolve('@seriousme/openapi-schema-validator')).href);

await withFolder(async (folder) => {
  const weir = new Weir(process.argv[2], join(folder, '.weir'));
  weir.ask(0, 'key', 'create', 'any', '--scope', 'read');
  const server = await startServer(weir);
  try {
    const {body: document} = await server.ask('/api/v1/openapi.json');
    const result = await new Validator().validate(document);
    check(result.valid, JSON.stringify(result.errors, null, 1));
    const open = [];
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const [type] = Object.keys(operation.requestBody?.content ?? {});
        const answer = await server.ask(path.replace(/\{.*?\}/g, 'x'), {
          method: method.toUpperCase(), ...(type ? {body: '', headers: {'Content-Type': type}} : {})});
        if (answer.status !== 401) open.push(`${method} ${path} ${answer.status}`);
        equal(operation.security.length === 0, answer.status !== 401);
      }
    }
    equal(open.sort(), ['get /api/v1/openapi.json 200', 'get /healthz 200', 'get /readyz 200']);
    equal(await server.stop(), 0);
  } finally {
    await server.kill();
  }
});
