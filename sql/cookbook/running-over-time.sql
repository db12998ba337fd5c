-- How many nodes are running, minute by minute?
-- From the rollups. since: from when on, YYYY-MM-DD HH:MM in UTC; the last 24 hours if it is not set.
-- Those that had begun by the end of the minute and had not ended. What was lost with a process ran until
-- that was last heard of, as is known once the run is resumed, and while the log has it.
WITH
steps AS (
  SELECT hour AS minute, CASE event_type WHEN 'pipeline_node_started' THEN events ELSE -events END AS step
  FROM rollup_hours
  WHERE event_type IN ('pipeline_node_started', 'pipeline_node_completed', 'pipeline_node_failed',
                       'pipeline_node_cancelled')
    AND hour < date_trunc('hour', coalesce(getvariable('since')::TIMESTAMP, now()::TIMESTAMP - INTERVAL 24 HOUR))
  UNION ALL
  SELECT minute, CASE event_type WHEN 'pipeline_node_started' THEN events ELSE -events END
  FROM rollup_minutes
  WHERE event_type IN ('pipeline_node_started', 'pipeline_node_completed', 'pipeline_node_failed',
                       'pipeline_node_cancelled')
    AND minute >= date_trunc('hour', coalesce(getvariable('since')::TIMESTAMP, now()::TIMESTAMP - INTERVAL 24 HOUR))
  UNION ALL
  SELECT date_trunc('minute', last_heard_at), -nodes
  FROM weir_losses()
),
levels AS (
  SELECT minute, (sum(sum(step)) OVER (ORDER BY minute))::BIGINT AS running
  FROM steps
  GROUP BY minute
)
SELECT minute, running
FROM levels
WHERE minute >= date_trunc('hour', coalesce(getvariable('since')::TIMESTAMP, now()::TIMESTAMP - INTERVAL 24 HOUR))
ORDER BY minute;
