// stdin: the node's payload, {"name": …} if the run got one and the result of `total`.
// stdout: the node's output, {"greeting": …}.

import {readFileSync} from 'node:fs';

const {name = 'world', total} = JSON.parse(readFileSync(0, 'utf8'));
console.log(JSON.stringify({greeting: `Hello ${name}, 1 + 2 + … + 100 is ${total.data[0].total}`}));
