-- How many nodes ran at each moment of a run?
-- run_id: which; the latest that ended if it is not set. A row is from one change to the next.
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
changes AS (
  SELECT timestamp, sum(CASE event_type WHEN 'pipeline_node_started' THEN 1 ELSE -1 END) AS change
  FROM logs SEMI JOIN chosen ON logs.run_id = chosen.run_id AND logs.tenant_id IS NOT DISTINCT FROM chosen.tenant_id
  WHERE event_type IN ('pipeline_node_started', 'pipeline_node_completed', 'pipeline_node_failed',
                       'pipeline_node_cancelled')
  GROUP BY timestamp
)
SELECT
  round(epoch_us(timestamp - min(timestamp) OVER ()) / 1000, 1) AS from_ms,
  round(epoch_us(lead(timestamp) OVER (ORDER BY timestamp) - timestamp) / 1000, 1) AS for_ms,
  (sum(change) OVER (ORDER BY timestamp))::BIGINT AS running
FROM changes
ORDER BY timestamp;
