-- One row an execution of a node: several where it was tried again, and where a run was resumed whose
-- process was lost. Then the node is executed again as the same attempt with the next engine_attempt, and
-- of the execution before nobody knows when it ended: its state is lost, ended_at and duration_ms are NULL.
-- One that is unfinished runs, or its process was lost and nobody has resumed the run: only the run's lock
-- tells. Each span of a trace is one. plugin_status says how it ended in the words of dvt's metrics (success,
-- timeout, permission_denied, isolated_failure; NULL of what was cancelled or lost, or has not ended),
-- plugin_type of what sort the plugin is, as its manifest says.
CREATE VIEW attempts AS
SELECT
  executions.* EXCLUDE (is_foreign) REPLACE (
    CASE WHEN state = 'unfinished' AND executions.engine_attempt < taken_up.engine_attempt THEN 'lost'
         ELSE state END AS state,
    CASE WHEN duration_ms IS NULL AND is_foreign THEN weir_ms_between(started_at, ended_at)
         ELSE duration_ms END AS duration_ms)
FROM (
  SELECT
    run_id,
    any_value(pipeline_id) AS pipeline_id,
    node_id,
    weir_attempt(attempt, max(run_seq)) AS attempt,
    any_value(plugin_id) AS plugin_id,
    any_value(tool_id) AS tool_id,
    any_value(step_index) AS step_index,
    coalesce(max(nullif(state, 'unfinished')), 'unfinished') AS state,
    min(CASE event_type WHEN 'pipeline_node_started' THEN timestamp
                        WHEN 'span' THEN weir_begin_of_span(timestamp, duration_ms) END) AS started_at,
    max(timestamp) FILTER (state <> 'unfinished') AS ended_at,
    max(duration_ms) AS duration_ms,
    max(cpu_ms) AS cpu_ms,
    max(memory_bytes) AS memory_bytes,
    max(rows) AS rows,
    max(error_type) AS error_type,
    max(error_message) AS error_message,
    tenant_id,
    max(attributes ->> 'plugin_type') AS plugin_type,
    max(CASE
          WHEN state = 'completed' THEN 'success'
          WHEN state = 'unfinished' THEN NULL
          WHEN outcome = 'timeout' THEN 'timeout'
          WHEN state = 'cancelled' THEN NULL
          WHEN outcome = 'denied' THEN 'permission_denied'
          ELSE 'isolated_failure'
        END) AS plugin_status,
    max(read_bytes) AS read_bytes,
    max(written_bytes) AS written_bytes,
    greatest(execution, 1) AS engine_attempt,
    min(span_id) AS span_id,
    weir_is_foreign(max(run_seq)) AS is_foreign
  FROM (
    SELECT
      *,
      weir_state_after(event_type, duration_ms, level) AS state,
      -- In other systems each span is one, where attempts are not counted: below the numbers of ours.
      CASE WHEN weir_is_foreign(run_seq) AND span_id IS NOT NULL AND (attempt IS NULL OR event_type = 'span')
           THEN -(hash(span_id) >> 1)::BIGINT ELSE coalesce(engine_attempt, 1) END AS execution
    FROM logs
    WHERE event_type IN ('pipeline_node_started', 'pipeline_node_completed', 'pipeline_node_failed',
                         'pipeline_node_cancelled', 'span')
      AND (event_type <> 'span' OR weir_is_of_trace(event_type, source) AND node_id IS NOT NULL)
  )
  GROUP BY run_id, tenant_id, node_id, attempt, execution
) AS executions
LEFT JOIN weir_taken_up() AS taken_up
  ON executions.run_id = taken_up.run_id AND executions.tenant_id IS NOT DISTINCT FROM taken_up.tenant_id;
