// Sums up one day. stdin: {"day": …} if the run got one, and the rows of `totals`.
// stdout: {"day", "total", "best"}, where best is a shop. Exit 1: there are no orders of that day.

import {readFileSync} from 'node:fs';

const {totals, day = totals.data.at(-1).day} = JSON.parse(readFileSync(0, 'utf8'));
const shops = totals.data.filter((row) => row.day === day);
console.error(`${shops.length} shops have orders of ${day}`);
if (shops.length === 0) process.exit(1);
const total = shops.reduce((sum, row) => sum + row.total, 0);
console.log(JSON.stringify({day, total: Number(total.toFixed(2)), best: shops[0].shop}));
