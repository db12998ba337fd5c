-- One row a node of a run, as it is after its last event.
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
  max(timestamp) FILTER (event_type <> 'pipeline_node_started') AS ended_at,
  arg_max(duration_ms, run_seq) AS duration_ms,
  arg_max(cpu_ms, run_seq) AS cpu_ms,
  arg_max(memory_bytes, run_seq) AS memory_bytes,
  arg_max(rows, run_seq) AS rows,
  max(predecessor_node_ids) AS predecessor_node_ids,
  bool_or(cache_hit) AS cache_hit,
  arg_max(error_type, run_seq) AS error_type,
  arg_max(error_message, run_seq) AS error_message,
  tenant_id
FROM logs
WHERE event_type IN ('pipeline_node_started', 'pipeline_node_completed', 'pipeline_node_failed',
                     'pipeline_node_cancelled', 'pipeline_node_skipped')
GROUP BY run_id, tenant_id, node_id;
