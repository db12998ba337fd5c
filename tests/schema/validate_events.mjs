// Holds the events that the program writes against the schema that it prints, with a validator that
// is not ours, and the schema against events that are wrong in every single way.
//
//   node validate_events.mjs WEIR

import {existsSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {committedLines} from '../lib/segment.mjs';
import {ROOT, Weir, withFolder} from '../lib/weir.mjs';

const require = createRequire(join(ROOT, 'deps/package.json'));
const Ajv = require('ajv').default;
const addFormats = require('ajv-formats').default;

// Whatever else the engine learns to write, it writes these.
const MUST_OCCUR = [
  'pipeline_started', 'pipeline_completed', 'pipeline_failed', 'pipeline_cancelled',
  'pipeline_node_started', 'pipeline_node_completed', 'pipeline_node_failed',
  'pipeline_node_cancelled', 'log', 'artifact_written',
];

const WRONG_VALUES = {
  string: 'text', number: 0.5, boolean: true, object: {}, array: [], null: null,
};

const SAMPLES = {
  string: 'x', integer: 1, number: 1.5, boolean: true, array: ['x'], object: {x: 1},
};

class Schema {
  constructor(schema) {
    // The branches leave types to the schema around them, which two strict rules complain of.
    const ajv = addFormats(new Ajv({strict: true, strictTypes: false, strictRequired: false}));
    ajv.addSchema(schema, 'event');
    this.schema = schema;
    this.validate = ajv.getSchema('event');
    this.branches = Object.keys(schema.definitions)
        .map((name) => ({name, fits: ajv.getSchema(`event#/definitions/${name}`)}));
    this.accepted = 0;
    this.rejected = 0;
  }

  types(field) {
    return [this.schema.properties[field].type].flat();
  }

  accept(event, branch) {
    if (!this.validate(event)) {
      const [{instancePath, message}] = this.validate.errors;
      throw new Error(`rejected: ${instancePath} ${message} in ${JSON.stringify(event)}`);
    }
    const fitting = this.branches.filter(({fits}) => fits(event)).map(({name}) => name);
    if (fitting.length !== 1 || fitting[0] !== branch) {
      const found = fitting.join(', ') || 'nothing';
      throw new Error(`fits ${found} and not ${branch}: ${JSON.stringify(event)}`);
    }
    ++this.accepted;
  }

  reject(event, what) {
    if (this.validate(event)) throw new Error(`accepted ${what}: ${JSON.stringify(event)}`);
    ++this.rejected;
  }

  /// Accepts the event, and nothing that is one mistake away from it.
  check(event) {
    const branch = event.event_type in this.schema.definitions ? event.event_type : 'custom';
    this.accept(event, branch);
    for (const field of this.required(branch, event.pipeline_type)) {
      const {[field]: _, ...without} = event;
      this.reject(without, `without ${field}`);
    }
    for (const field of Object.keys(event)) {
      for (const [type, value] of Object.entries(WRONG_VALUES)) {
        if (this.types(field).includes(type)) continue;
        this.reject({...event, [field]: value}, `${field}: ${type}`);
      }
      if (this.types(field).includes('array')) {
        this.reject({...event, [field]: [0]}, `${field}: [0]`);
      }
    }
    this.reject({...event, surprise: 1}, 'an unknown field');
    this.reject({...event, event_type: 'Bad Type'}, 'a malformed type');
  }

  /// What an event must have: of runs that are observed not all is known.
  required(branch, pipelineType) {
    const {required, else: unobserved} = this.schema.definitions[branch] ?? {};
    const known = pipelineType === 'external' ? [] : unobserved?.required ?? [];
    return new Set([...this.schema.required, ...required ?? [], ...known]);
  }

  /// The smallest event of a type.
  sample(type, pipelineType) {
    const fields = [...this.required(type, pipelineType)];
    const event = Object.fromEntries(fields.map((field) => [field, this.sampleValue(field)]));
    return {...event, event_type: type, pipeline_type: pipelineType};
  }

  sampleValue(field) {
    const {enum: words, format, pattern} = this.schema.properties[field];
    if (words) return words[0];
    if (format === 'uuid') return '01234567-89ab-7def-8123-456789abcdef';
    if (format === 'date-time') return '2001-02-03T04:05:06.000007Z';
    if (pattern) return '1'.repeat(Number(/\{(\d+)\}/.exec(pattern)[1]));
    return SAMPLES[this.types(field)[0]];
  }
}

/// Runs pipelines that end in all the ways there are.
async function recordRuns(weir, folder) {
  const fixture = (name) => join(ROOT, 'tests/fixtures', name);
  weir.ask(0, 'run', join(ROOT, 'examples/hello/pipeline.json'));
  weir.ask(1, 'run', join(ROOT, 'examples/failing/pipeline.yaml'), '--jobs', '4');
  weir.ask(0, 'run', fixture('talks.yaml'));
  weir.ask(1, 'run', fixture('refused.json'));
  weir.ask(3, 'exec', '--', 'sh', '-c', 'echo out; echo error >&2; exit 3');
  const {process: child, ended} = weir.start('run', fixture('waits.yaml'));
  while (!committedLines(weir.store).some((line) => line.includes('"message":"waiting"'))) {
    await sleep(20);
  }
  child.kill('SIGTERM');
  await ended;

  if (existsSync(join(ROOT, 'examples/flights/node_modules/vega-datasets'))) {
    weir.ask(0, 'run', join(ROOT, 'examples/flights/pipeline.yaml'), '--input',
        JSON.stringify({report_dir: join(folder, 'report')}));
  }
}

await withFolder(async (folder) => {
  const weir = new Weir(process.argv[2], join(folder, '.weir'));
  const schema = new Schema(JSON.parse(weir.ask(0, 'schema', 'events')));

  await recordRuns(weir, folder);
  const events = committedLines(weir.store).map((line) => JSON.parse(line));
  const occurred = new Set(events.map(({event_type: type}) => type));
  const missing = MUST_OCCUR.filter((type) => !occurred.has(type));
  if (missing.length > 0) throw new Error(`no run wrote ${missing.join(', ')}`);
  for (const event of events) schema.check(event);

  const known = Object.keys(schema.schema.definitions).filter((name) => name !== 'custom');
  for (const type of [...known, 'custom.thing', 'mine']) {
    for (const pipelineType of ['dag', 'external']) schema.check(schema.sample(type, pipelineType));
  }

  console.log(`${events.length} events of ${occurred.size} types as recorded, ${known.length} types `
      + `of the catalogue: ${schema.accepted} accepted, ${schema.rejected} wrong events rejected`);
  if (events.length === 0 || known.length === 0 || schema.rejected === 0) process.exitCode = 1;
});
