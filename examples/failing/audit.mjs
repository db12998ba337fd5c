// Compares every order with its receipt, slowly. stdin: the payload with the rows of `orders`.
// stdout: {"audit": {"checked": n}}.

import {readFileSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';

const BATCH = 10;
const BATCH_MS = 400;  // stands for reading the receipts

const orders = JSON.parse(readFileSync(0, 'utf8')).orders.data;
for (let checked = 0; checked < orders.length; checked += BATCH) {
  await sleep(BATCH_MS);
  console.error(`${Math.min(checked + BATCH, orders.length)} of ${orders.length} receipts checked`);
}
console.log(JSON.stringify({audit: {checked: orders.length}}));
