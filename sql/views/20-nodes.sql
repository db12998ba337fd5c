-- One row a node of a run, as it is after its last event: what an earlier attempt said of its end is in
-- `attempts`.
CREATE VIEW nodes AS
SELECT
  run_id,
  any_value(pipeline_id) AS pipeline_id,
  node_id,
  max(attempt) AS attempt,
  any_value(plugin_id) AS plugin_id,
  any_value(tool_id) AS tool_id,
  any_value(step_index) AS step_index,
  arg_max(
    CASE event_type
      WHEN 'pipeline_node_completed' THEN 'completed'
      WHEN 'pipeline_node_failed' THEN 'failed'
      WHEN 'pipeline_node_cancelled' THEN 'cancelled'
      WHEN 'pipeline_node_skipped' THEN 'skipped'
      ELSE 'unfinished'
    END, run_seq) AS state,
  min(timestamp) FILTER (event_type = 'pipeline_node_started') AS started_at,
  arg_max_null(CASE WHEN event_type <> 'pipeline_node_started' THEN timestamp END, run_seq) AS ended_at,
  arg_max_null(duration_ms, run_seq) AS duration_ms,
  arg_max_null(cpu_ms, run_seq) AS cpu_ms,
  arg_max_null(memory_bytes, run_seq) AS memory_bytes,
  arg_max_null(rows, run_seq) AS rows,
  max(predecessor_node_ids) AS predecessor_node_ids,
  arg_max_null(cache_hit, run_seq) AS cache_hit,
  arg_max_null(error_type, run_seq) AS error_type,
  arg_max_null(error_message, run_seq) AS error_message,
  tenant_id,
  arg_max_null(read_bytes, run_seq) AS read_bytes,
  arg_max_null(written_bytes, run_seq) AS written_bytes
FROM logs
WHERE event_type IN ('pipeline_node_started', 'pipeline_node_completed', 'pipeline_node_failed',
                     'pipeline_node_cancelled', 'pipeline_node_skipped')
GROUP BY run_id, tenant_id, node_id;
