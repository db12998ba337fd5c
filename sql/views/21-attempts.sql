-- One row an execution of a node: several where it was tried again, and where a run was resumed whose
-- process was lost. Then the node is executed again as the same attempt with the next engine_attempt, and
-- of the execution before nobody knows when it ended: its state is lost, ended_at and duration_ms are NULL.
-- One that is unfinished runs, or its process was lost and nobody has resumed the run: only the run's lock
-- tells. plugin_status says how it ended in the words of dvt's metrics (success, timeout,
-- permission_denied, isolated_failure; NULL of what was cancelled or lost, or has not ended), plugin_type
-- of what sort the plugin is, as its manifest says.
CREATE VIEW attempts AS
SELECT
  executions.* REPLACE (
    CASE WHEN state = 'unfinished' AND executions.engine_attempt < taken_up.engine_attempt THEN 'lost'
         ELSE state END AS state)
FROM (
  SELECT
    run_id,
    any_value(pipeline_id) AS pipeline_id,
    node_id,
    attempt,
    any_value(plugin_id) AS plugin_id,
    any_value(tool_id) AS tool_id,
    any_value(step_index) AS step_index,
    coalesce(
      max(CASE event_type
            WHEN 'pipeline_node_completed' THEN 'completed'
            WHEN 'pipeline_node_failed' THEN 'failed'
            WHEN 'pipeline_node_cancelled' THEN 'cancelled'
          END),
      'unfinished') AS state,
    min(timestamp) FILTER (event_type = 'pipeline_node_started') AS started_at,
    max(timestamp) FILTER (event_type <> 'pipeline_node_started') AS ended_at,
    max(duration_ms) AS duration_ms,
    max(cpu_ms) AS cpu_ms,
    max(memory_bytes) AS memory_bytes,
    max(rows) AS rows,
    max(error_type) AS error_type,
    max(error_message) AS error_message,
    tenant_id,
    max(attributes ->> 'plugin_type') AS plugin_type,
    max(CASE
          WHEN event_type = 'pipeline_node_completed' THEN 'success'
          WHEN event_type = 'pipeline_node_started' THEN NULL
          WHEN outcome = 'timeout' THEN 'timeout'
          WHEN event_type = 'pipeline_node_cancelled' THEN NULL
          WHEN outcome = 'denied' THEN 'permission_denied'
          ELSE 'isolated_failure'
        END) AS plugin_status,
    max(read_bytes) AS read_bytes,
    max(written_bytes) AS written_bytes,
    coalesce(engine_attempt, 1) AS engine_attempt
  FROM logs
  WHERE event_type IN ('pipeline_node_started', 'pipeline_node_completed', 'pipeline_node_failed',
                       'pipeline_node_cancelled')
  GROUP BY run_id, tenant_id, node_id, attempt, coalesce(engine_attempt, 1)
) AS executions
LEFT JOIN weir_taken_up() AS taken_up
  ON executions.run_id = taken_up.run_id AND executions.tenant_id IS NOT DISTINCT FROM taken_up.tenant_id;
