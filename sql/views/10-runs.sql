-- One row a run: two tenants may have one run_id. A run without a terminal event is running, or was
-- interrupted: only its lock tells.
CREATE VIEW runs AS
SELECT
  run_id,
  any_value(pipeline_id) AS pipeline_id,
  any_value(pipeline_version) AS pipeline_version,
  any_value(pipeline_type) AS pipeline_type,
  coalesce(
    max(CASE event_type
          WHEN 'pipeline_completed' THEN 'completed'
          WHEN 'pipeline_failed' THEN 'failed'
          WHEN 'pipeline_cancelled' THEN 'cancelled'
        END),
    'unfinished') AS state,
  min(timestamp) AS started_at,
  max(timestamp) FILTER (event_type IN ('pipeline_completed', 'pipeline_failed', 'pipeline_cancelled')) AS ended_at,
  max(duration_ms) FILTER (event_type IN ('pipeline_completed', 'pipeline_failed', 'pipeline_cancelled')) AS duration_ms,
  max(node_count) AS node_count,
  count(DISTINCT node_id) FILTER (event_type = 'pipeline_node_completed') AS completed_nodes,
  max(failed_node_id) AS failed_node_id,
  max(error_type) FILTER (event_type = 'pipeline_failed') AS error_type,
  max(error_message) FILTER (event_type = 'pipeline_failed') AS error_message,
  count(*) AS events,
  tenant_id
FROM logs
GROUP BY run_id, tenant_id;
