// Holds `weir check FILE` against the schema that the program prints, read by a validator that is not
// ours.

import {writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {ROOT, Weir, withFolder} from './weir.mjs';

const require = createRequire(join(ROOT, 'deps/package.json'));
const Ajv = require('ajv').default;
const WRONG = [true, 0.123, -1, '\n', {x: {y: 1}}, [[]], null];

/// Every place in a value, as a list of keys.
function places(value, path = []) {
  const inside = value !== null && typeof value === 'object'
      ? Object.keys(value).flatMap((key) => places(value[key], [...path, key])) : [];
  return path.length === 0 ? inside : [path, ...inside];
}

/// The value with something else in one place.
function changed(value, path, change) {
  const copy = structuredClone(value);
  change(path.slice(0, -1).reduce((inside, key) => inside[key], copy), path.at(-1));
  return copy;
}

class SchemaCheck {
  constructor(program, schema, file) {
    this.weir = new Weir(program, join(file, '..'));
    this.file = file;
    this.ajv = new Ajv({strict: true, strictTypes: false, strictRequired: false,
      allowUnionTypes: true});
    this.validate = this.ajv.compile(JSON.parse(this.weir.ask(0, 'schema', schema)));
    this.counts = {accepted: 0, refused: 0};
  }

  /// What the program accepts, the schema does; `both`: and what it refuses, too.
  hold(value, both, what) {
    writeFileSync(this.file, JSON.stringify(value));
    const {status, stderr} = this.weir.call('check', this.file);
    const valid = this.validate(value);
    if (status === 0 ? !valid : valid && both) {
      const why = status === 0 ? this.ajv.errorsText(this.validate.errors) : stderr;
      throw new Error(`${what}: ${why}`);
    }
    ++this.counts[status === 0 ? 'accepted' : 'refused'];
    return status === 0;
  }

  holdEveryChange(value, maps) {
    if (!this.hold(value, true, 'the whole')) throw new Error('the whole is refused');
    for (const path of places(value)) {
      const at = path.join('.');
      this.hold(changed(value, path, (object, key) => {
        if (Array.isArray(object)) object.splice(Number(key), 1);
        else delete object[key];
      }), false, `without ${at}`);
      for (const wrong of WRONG) {
        this.hold(changed(value, path, (object, key) => object[key] = wrong), false,
            `${at} is ${JSON.stringify(wrong)}`);
      }
      const inside = path.reduce((object, key) => object[key], value);
      if (inside === null || typeof inside !== 'object' || Array.isArray(inside)) continue;
      if (maps.includes(path.at(-1))) continue;
      this.hold(changed(value, [...path, 'unknown'], (object, key) => object[key] = 1), true,
          `${at}.unknown`);
    }
  }
}

/// Writes each of `values`, and each with one place changed, to a file of that name and holds the
/// program called as the test's first word against `weir schema SCHEMA`: what it accepts is valid,
/// and an unknown key is refused by both. Keys are names in `maps`. At `least` that many are to be
/// accepted and refused.
export async function holdAgainstSchema({schema, fileName, values, maps, least}) {
  await withFolder((folder) => {
    const check = new SchemaCheck(process.argv[2], schema, join(folder, fileName));
    for (const value of values) check.holdEveryChange(value, maps);
    const {accepted, refused} = check.counts;
    console.log(`${accepted} accepted, ${refused} refused`);
    if (accepted < least.accepted || refused < least.refused) process.exitCode = 1;
  });
}
