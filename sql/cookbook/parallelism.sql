-- How much of each run was spent in parallel?
WITH
latest AS MATERIALIZED (
  SELECT run_id, tenant_id, pipeline_id, started_at, ended_at, duration_ms
  FROM runs
  WHERE state <> 'unfinished' AND duration_ms > 0
  ORDER BY started_at DESC, run_id
  LIMIT 20
),
-- What nobody ran is no time of the run.
timed AS (
  SELECT
    * REPLACE (duration_ms - weir_downtime_us(run_id, tenant_id, started_at, ended_at) / 1000 AS duration_ms)
  FROM latest
),
latest_nodes AS (
  SELECT run_id, tenant_id, node_id, arg_max(duration_ms, run_seq) AS duration_ms
  FROM logs SEMI JOIN latest ON logs.run_id = latest.run_id AND logs.tenant_id IS NOT DISTINCT FROM latest.tenant_id
  WHERE event_type IN ('pipeline_node_started', 'pipeline_node_completed', 'pipeline_node_failed',
                       'pipeline_node_cancelled', 'pipeline_node_skipped')
  GROUP BY run_id, tenant_id, node_id
)
SELECT
  timed.run_id,
  any_value(pipeline_id) AS pipeline_id,
  round(sum(latest_nodes.duration_ms), 1) AS node_ms,
  round(any_value(timed.duration_ms), 1) AS run_ms,
  round(sum(latest_nodes.duration_ms) / any_value(timed.duration_ms), 2) AS nodes_at_a_time
FROM timed
JOIN latest_nodes
  ON timed.run_id = latest_nodes.run_id AND timed.tenant_id IS NOT DISTINCT FROM latest_nodes.tenant_id
GROUP BY timed.run_id, timed.tenant_id
ORDER BY any_value(started_at) DESC, timed.run_id;
