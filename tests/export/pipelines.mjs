// Pipelines for what is exported.

import {writeFileSync} from 'node:fs';
import {join} from 'node:path';

/// One that completes after a node was tried again, and one that fails.
export function writePipelines(folder) {
  const good = join(folder, 'good.yaml'), bad = join(folder, 'bad.yaml');
  writeFileSync(good, `id: good
version: '3'
nodes:
  - {id: load, plugin_id: process, tool_id: run, with: {command: [sh, -c, 'echo "{}"']}}
  - {id: flaky, plugin_id: process, tool_id: run, needs: [load], retry: {max_attempts: 2, delay: 1ms},
     with: {command: [sh, -c, 'if [ -e "$0" ]; then echo "{}"; else : > "$0"; exit 3; fi', '${join(folder, 'tried')}']}}
  - {id: side, plugin_id: process, tool_id: run, needs: [load], with: {command: [sh, -c, 'sleep 0.1; echo "{}"']}}
  - {id: end, plugin_id: process, tool_id: run, needs: [flaky, side], with: {command: [sh, -c, 'echo "{\\"password\\": \\"hunter2hunter2\\"}"']}}
`);
  writeFileSync(bad, `id: bad
nodes:
  - {id: load, plugin_id: process, tool_id: run, with: {command: [sh, -c, 'echo "{}"']}}
  - {id: breaks, plugin_id: process, tool_id: run, needs: [load], with: {command: [sh, -c, 'exit 7']}}
`);
  return {good, bad};
}
