// What the program does not do yet as docs and seeds ask. The checks are as they must be, and a
// fault that is mended fails the test until it is taken from here: so this list is what is left.

const FAULTS = {
  retryable: 'pipeline_node_failed has `retryable` only where the tool says it',
  denied: 'pipeline_node_failed of ApprovalDenied has no outcome `denied`, as ToolDenied has',
  sandbox: 'no event has PLUGIN_SANDBOX, with which docs/plugins.md says such nodes fail',
  guard_attempt: 'pipeline_node_retry_scheduled of the `retry_node` of a guard says the attempt '
      + 'after the one that starts',
  library_type: 'a library in the process that fails without a type leaves an empty `error_type`, '
      + 'not `PluginError`, as one in a process of its own does',
};

const seen = new Map(Object.keys(FAULTS).map((name) => [name, 0]));

/// What must hold, and does not always yet. Throws if nobody knows the fault.
export function faultUnless(holds, name) {
  if (holds) return;
  if (!seen.has(name)) throw new Error(`a fault that is not in faults.mjs: ${name}`);
  seen.set(name, seen.get(name) + 1);
}

/// Prints the faults that were met. Whether all that are listed were.
export function sayFaults() {
  for (const [name, times] of seen) {
    if (times > 0) console.log(`fault, ${times} times: ${FAULTS[name]}`);
    else console.log(`mended: take '${name}' from faults.mjs`);
  }
  return [...seen.values()].every((times) => times > 0);
}
