// Judges the figures of the node `profile`. stdin: the node's payload. stdout: {"quality": {...}}.
// stderr: one line a check, which Weir keeps as log events of this node.
// Exit 1: this data is not to be used.

import {readFileSync} from 'node:fs';

const payload = JSON.parse(readFileSync(0, 'utf8'));
const profile = payload.profile.data[0];

// Rows with a known flaw are left out later on. More than this share of them would mean that the
// data is not what the pipeline was written for.
const MAX_FLAWED_SHARE = 0.001;

const checks = [
  {name: 'row_count', found: profile.row_count, passed: profile.row_count >= 1_000_000,
   says: 'flights in the file'},
  ...mustBeNone({
    with_null: 'flights with a missing value',
    to_itself: 'flights that end where they began',
    without_distance: 'flights without a distance',
    unknown_airports: 'airport codes without a name',
  }),
  ...mayBeFew({
    outside_window: 'flights that left before January or after June 2001',
    impossibly_early: 'flights that claim to be more than two hours early',
    midnight_slip: 'flights filed under the wrong day around midnight',
    repeated: 'rows that look exactly like another row',
  }),
];

for (const {name, found, passed, says} of checks) {
  const verdict = !passed ? 'FAILED' : found > 0 && name !== 'row_count' ? 'noted ' : 'ok    ';
  console.error(`${verdict} ${name}: ${found.toLocaleString('en-US')} ${says}`);
}
const failed = checks.filter((check) => !check.passed).map((check) => check.name);
if (failed.length > 0) {
  console.error(`stopping: ${failed.join(', ')}`);
  process.exit(1);
}

const left_out = profile.outside_window + profile.impossibly_early + profile.midnight_slip;
console.error(`${left_out} flights will be left out`);
console.log(JSON.stringify({quality: {passed: true, left_out, ...profile}}));

function mustBeNone(descriptions) {
  return Object.entries(descriptions).map(
      ([name, says]) => ({name, found: profile[name], passed: profile[name] === 0, says}));
}

function mayBeFew(descriptions) {
  const most = profile.row_count * MAX_FLAWED_SHARE;
  return Object.entries(descriptions).map(
      ([name, says]) => ({name, found: profile[name], passed: profile[name] <= most, says}));
}
