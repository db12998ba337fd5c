// Holds answers of a server against what it says of them itself.

import {createRequire} from 'node:module';
import {join} from 'node:path';
import {ROOT} from './weir.mjs';

const load = createRequire(join(ROOT, 'tests/clients/package.json'));
// That of the validator, which has a newer one than the tests of schemas.
const Ajv = createRequire(load.resolve('@seriousme/openapi-schema-validator'))('ajv/dist/2020.js').default;
/// What anybody may add members to.
const OPEN = new Set(['Problem', 'OpenApi', 'Report', 'Status', 'Comparison', 'LineageEvent', 'OtlpAsked', 'GivenEvent', 'ResumeAsked']);

export class Description {
  constructor(document) {
    this.document = document;
    this.used = new Set();
    const copy = structuredClone(document);
    for (const [name, schema] of Object.entries(copy.components.schemas)) {
      if (schema.properties && !OPEN.has(name)) schema.additionalProperties ??= false;
    }
    this.ajv = new Ajv({strict: false, validateFormats: false, allErrors: true});
    this.ajv.addSchema({$id: 'api', components: copy.components});
    this.copy = copy;
  }

  /// [{path, method, operation}]
  routes() {
    return Object.entries(this.document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({path, method: method.toUpperCase(), operation})));
  }

  /// Why an answer of a route is none that it has said it gives; nothing if it is one.
  wrong({path, method}, answer) {
    const {responses} = this.document.paths[path][method.toLowerCase()];
    let response = responses[answer.status];
    if (response === undefined) return `${answer.status} is not declared`;
    if (response.$ref) response = this.document.components.responses[response.$ref.split('/').at(-1)];
    const type = (answer.headers.get('content-type') ?? '').split(';')[0];
    const content = response.content[type];
    if (content === undefined) return `${type} is not declared for ${answer.status}`;
    if (content.schema.$ref === undefined) return content.schema.type === 'string' ? undefined : 'no schema';
    const name = content.schema.$ref.split('/').at(-1);
    const validate = this.ajv.getSchema(`api#/components/schemas/${name}`);
    this.used.add(`${name} ${answer.status}`);
    const values = type === 'application/x-ndjson' ? answer.text.trim().split('\n').map((line) => JSON.parse(line)) : [answer.body];
    for (const value of values) {
      if (!validate(value)) return `${name}: ${JSON.stringify(validate.errors.slice(0, 3))} of ${JSON.stringify(value).slice(0, 500)}`;
    }
    return undefined;
  }
}
