// Looks up a rate for every order. stdin: the payload with the rows of `orders` and `rates`.
// stdout: {"converted": {"orders": n, "euros": sum}}.
// Exit 3: an order in a currency without a rate.

import {readFileSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';

const BATCH = 20;
const BATCH_MS = 150;  // stands for the work of a real batch
const UNKNOWN_CURRENCY = 3;

const payload = JSON.parse(readFileSync(0, 'utf8'));
const orders = payload.orders.data;
const rates = new Map(payload.rates.data.map((row) => [row.currency, row.euros]));
console.error(`${orders.length} orders, rates for ${[...rates.keys()].join(', ')}`);

let euros = 0;
for (let begin = 0; begin < orders.length; begin += BATCH) {
  await sleep(BATCH_MS);
  for (const order of orders.slice(begin, begin + BATCH)) {
    const rate = rates.get(order.currency);
    if (rate === undefined) stop(order);
    euros += order.cents / 100 * rate;
  }
  console.error(`orders ${begin + 1} to ${Math.min(begin + BATCH, orders.length)} converted`);
}
const rounded = Math.round(100 * euros) / 100;
console.log(JSON.stringify({converted: {orders: orders.length, euros: rounded}}));

function stop(order) {
  const amount = `${(order.cents / 100).toFixed(2)} ${order.currency}`;
  const same = orders.filter((other) => other.currency === order.currency);
  console.error(`order ${order.order_id} of ${order.shop} is over ${amount}, and there is no rate `
      + `for ${order.currency}`);
  console.error(`${same.length} of ${orders.length} orders are in ${order.currency}; nothing is `
      + `converted in part, so add a rate and run again`);
  process.exit(UNKNOWN_CURRENCY);
}
