// Holds `weir check FILE` against the schema that the program prints, read by a validator that is not
// ours.

import {mkdirSync, writeFileSync} from 'node:fs';
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

const WHOLE = 'the whole';
/// How many files the program checks at a time: it takes longer to start than to check one.
const BATCH = 200;

class SchemaCheck {
  constructor(program, schema, folder, fileName) {
    this.weir = new Weir(program, folder);
    this.folder = folder;
    this.fileName = fileName;
    this.ajv = new Ajv({strict: true, strictTypes: false, strictRequired: false,
      allowUnionTypes: true});
    this.validate = this.ajv.compile(JSON.parse(this.weir.ask(0, 'schema', schema)));
    this.counts = {accepted: 0, refused: 0};
    this.cases = [];
  }

  /// What the program accepts, the schema does; `both`: and what it refuses, too.
  add(value, both, what) { this.cases.push({value, both, what}); }

  addEveryChange(value, maps) {
    for (const path of places(value)) {
      const at = path.join('.');
      this.add(changed(value, path, (object, key) => {
        if (Array.isArray(object)) object.splice(Number(key), 1);
        else delete object[key];
      }), false, `without ${at}`);
      for (const wrong of WRONG) {
        this.add(changed(value, path, (object, key) => object[key] = wrong), false,
            `${at} is ${JSON.stringify(wrong)}`);
      }
      const inside = path.reduce((object, key) => object[key], value);
      if (inside === null || typeof inside !== 'object' || Array.isArray(inside)) continue;
      if (maps.includes(path.at(-1))) continue;
      this.add(changed(value, [...path, 'unknown'], (object, key) => object[key] = 1), true,
          `${at}.unknown`);
    }
  }

  /// A folder for each, because the file's name matters.
  fileOf(number) { return join(this.folder, String(number), this.fileName); }

  holdAll() {
    this.cases.forEach((one, number) => {
      mkdirSync(join(this.folder, String(number)));
      writeFileSync(this.fileOf(number), JSON.stringify(one.value));
    });
    for (let first = 0; first < this.cases.length; first += BATCH) {
      const batch = this.cases.slice(first, first + BATCH);
      const files = batch.map((_, i) => this.fileOf(first + i));
      const {stdout, stderr} = this.weir.call('check', ...files);
      const accepted = new Set(stdout.split('\n').map((line) => line.replace(/: ok\b.*/, '')));
      const whys = stderr.split('\n');
      batch.forEach((one, i) => this.hold(one, accepted.has(files[i]),
          whys.filter((line) => line.startsWith(`${files[i]}:`)).join('\n')));
    }
  }

  hold({value, both, what}, isAccepted, problems) {
    if (!isAccepted && problems === '') throw new Error(`${what}: weir check says nothing of it`);
    const valid = this.validate(value);
    if (isAccepted ? !valid : valid && both) {
      throw new Error(`${what}: ${isAccepted ? this.ajv.errorsText(this.validate.errors) : problems}`);
    }
    if (!isAccepted && what === WHOLE) throw new Error(`the whole is refused: ${problems}`);
    ++this.counts[isAccepted ? 'accepted' : 'refused'];
  }
}

/// Writes each of `values`, and each with one place changed, to a file of that name and holds the
/// program called as the test's first word against `weir schema SCHEMA`: what it accepts is valid,
/// and an unknown key is refused by both. Keys are names in `maps`. At `least` that many are to be
/// accepted and refused.
export async function holdAgainstSchema({schema, fileName, values, maps, least}) {
  await withFolder((folder) => {
    const check = new SchemaCheck(process.argv[2], schema, folder, fileName);
    for (const value of values) {
      check.add(value, true, WHOLE);
      check.addEveryChange(value, maps);
    }
    check.holdAll();
    const {accepted, refused} = check.counts;
    console.log(`${accepted} accepted, ${refused} refused`);
    if (accepted < least.accepted || refused < least.refused) process.exitCode = 1;
  });
}
