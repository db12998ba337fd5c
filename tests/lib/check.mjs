// What a test says that must hold.

import {isDeepStrictEqual} from 'node:util';

export function check(holds, what) {
  if (!holds) throw new Error(what);
}

export function equal(found, expected) {
  if (isDeepStrictEqual(found, expected)) return;
  throw new Error(`found    ${JSON.stringify(found)}\nexpected ${JSON.stringify(expected)}`);
}
