-- How many nodes ran at each moment of a run?
-- run_id: which; the latest that ended if it is not set. A row is from one change to the next. What was lost
-- with a process ran until that was last heard of.
WITH
chosen AS MATERIALIZED (
  SELECT run_id, tenant_id
  FROM logs
  WHERE CASE WHEN getvariable('run_id') IS NULL
             THEN event_type IN ('pipeline_completed', 'pipeline_failed', 'pipeline_cancelled')
             ELSE run_id = getvariable('run_id') END
  ORDER BY timestamp DESC, run_id DESC
  LIMIT 1
),
steps AS (
  SELECT timestamp, CASE event_type WHEN 'pipeline_node_started' THEN 1 ELSE -1 END AS step
  FROM logs SEMI JOIN chosen ON logs.run_id = chosen.run_id AND logs.tenant_id IS NOT DISTINCT FROM chosen.tenant_id
  WHERE event_type IN ('pipeline_node_started', 'pipeline_node_completed', 'pipeline_node_failed',
                       'pipeline_node_cancelled')
  UNION ALL
  SELECT last_heard_at, -nodes
  FROM weir_losses() AS loss
  SEMI JOIN chosen ON loss.run_id = chosen.run_id AND loss.tenant_id IS NOT DISTINCT FROM chosen.tenant_id
),
changes AS (SELECT timestamp, sum(step) AS change FROM steps GROUP BY timestamp)
SELECT
  round(epoch_us(timestamp - min(timestamp) OVER ()) / 1000, 1) AS from_ms,
  round(epoch_us(lead(timestamp) OVER (ORDER BY timestamp) - timestamp) / 1000, 1) AS for_ms,
  (sum(change) OVER (ORDER BY timestamp))::BIGINT AS running
FROM changes
ORDER BY timestamp;
