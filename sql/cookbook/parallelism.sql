-- How much of each run was spent in parallel?
WITH
latest AS MATERIALIZED (
  SELECT run_id, tenant_id, pipeline_id, started_at, duration_ms
  FROM runs
  WHERE state <> 'unfinished' AND duration_ms > 0
  ORDER BY started_at DESC, run_id
  LIMIT 20
),
latest_nodes AS (
  SELECT run_id, tenant_id, node_id, arg_max(duration_ms, run_seq) AS duration_ms
  FROM logs SEMI JOIN latest ON logs.run_id = latest.run_id AND logs.tenant_id IS NOT DISTINCT FROM latest.tenant_id
  WHERE event_type IN ('pipeline_node_started', 'pipeline_node_completed', 'pipeline_node_failed',
                       'pipeline_node_cancelled', 'pipeline_node_skipped')
  GROUP BY run_id, tenant_id, node_id
)
SELECT
  latest.run_id,
  any_value(pipeline_id) AS pipeline_id,
  round(sum(latest_nodes.duration_ms), 1) AS node_ms,
  round(any_value(latest.duration_ms), 1) AS run_ms,
  round(sum(latest_nodes.duration_ms) / any_value(latest.duration_ms), 2) AS nodes_at_a_time
FROM latest
JOIN latest_nodes
  ON latest.run_id = latest_nodes.run_id AND latest.tenant_id IS NOT DISTINCT FROM latest_nodes.tenant_id
GROUP BY latest.run_id, latest.tenant_id
ORDER BY any_value(started_at) DESC, latest.run_id;
