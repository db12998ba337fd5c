-- How many nodes ran at each moment of a run?
-- run_id: which; the latest that ended if it is not set. A row is from one change to the next.
WITH
chosen AS MATERIALIZED (
  SELECT coalesce(getvariable('run_id'), arg_max(run_id, timestamp)) AS run_id
  FROM logs
  WHERE event_type IN ('pipeline_completed', 'pipeline_failed', 'pipeline_cancelled')
),
changes AS (
  SELECT timestamp, sum(CASE event_type WHEN 'pipeline_node_started' THEN 1 ELSE -1 END) AS change
  FROM logs SEMI JOIN chosen USING (run_id)
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
