-- How many nodes are running, minute by minute?
-- From the rollups. since: from when on, YYYY-MM-DD HH:MM in UTC, or so long ago (24h);
-- the last 24 hours if it is not set.
-- Those that had begun by the end of the minute and had not ended. An attempt whose process was lost never
-- ends.
WITH
changes AS (
  SELECT
    minute,
    sum(CASE event_type WHEN 'pipeline_node_started' THEN events ELSE -events END) AS change
  FROM rollup_minutes
  WHERE event_type IN ('pipeline_node_started', 'pipeline_node_completed', 'pipeline_node_failed',
                       'pipeline_node_cancelled')
    AND minute >= date_trunc('hour', coalesce(weir_moment(getvariable('since')), now()::TIMESTAMP - INTERVAL 24 HOUR))
  GROUP BY minute
),
earlier AS (
  SELECT sum(CASE event_type WHEN 'pipeline_node_started' THEN events ELSE -events END) AS running
  FROM rollup_hours
  WHERE event_type IN ('pipeline_node_started', 'pipeline_node_completed', 'pipeline_node_failed',
                       'pipeline_node_cancelled')
    AND hour < date_trunc('hour', coalesce(weir_moment(getvariable('since')), now()::TIMESTAMP - INTERVAL 24 HOUR))
)
SELECT minute, (coalesce(earlier.running, 0) + sum(change) OVER (ORDER BY minute))::BIGINT AS running
FROM changes, earlier
ORDER BY minute;
