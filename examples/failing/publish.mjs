// Puts the totals and the audit into one answer. stdin: the payload with `totals` and `audit`.
// stdout: {"takings": {"receipts_checked": n, "shops": [{shop, orders, euros}, …]}}.

import {readFileSync} from 'node:fs';

const {totals, audit} = JSON.parse(readFileSync(0, 'utf8'));
console.log(JSON.stringify({takings: {receipts_checked: audit.checked, shops: totals.data}}));
