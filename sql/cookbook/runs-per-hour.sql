-- How many runs began and how did they end, hour by hour?
-- From the rollups. since: from when on, YYYY-MM-DD HH:MM in UTC, or so long ago (24h);
-- the last seven days if it is not set.
-- pipeline_id: of which pipeline; of all if it is not set.
WITH
counted AS (
  SELECT
    hour,
    sum(events) FILTER (event_type = 'pipeline_started')::BIGINT AS started,
    sum(events) FILTER (event_type = 'pipeline_completed')::BIGINT AS completed,
    sum(events) FILTER (event_type = 'pipeline_failed')::BIGINT AS failed,
    sum(events) FILTER (event_type = 'pipeline_cancelled')::BIGINT AS cancelled
  FROM rollup_hours
  WHERE event_type IN ('pipeline_started', 'pipeline_completed', 'pipeline_failed', 'pipeline_cancelled')
    AND NOT (pipeline_type = 'external' AND pipeline_id = 'weir')
    AND (getvariable('pipeline_id') IS NULL OR pipeline_id = getvariable('pipeline_id'))
    AND hour >= coalesce(weir_moment(getvariable('since')), now()::TIMESTAMP - INTERVAL 7 DAY)
  GROUP BY hour
),
-- By themselves: distributions are what is large in a rollup, and of one type they are read without the others.
taken AS (
  SELECT hour, weir_merge(durations) AS durations
  FROM rollup_hours
  WHERE event_type = 'pipeline_completed'
    AND NOT (pipeline_type = 'external' AND pipeline_id = 'weir')
    AND (getvariable('pipeline_id') IS NULL OR pipeline_id = getvariable('pipeline_id'))
    AND hour >= coalesce(weir_moment(getvariable('since')), now()::TIMESTAMP - INTERVAL 7 DAY)
  GROUP BY hour
)
SELECT hour, started, completed, failed, cancelled, round(weir_quantile(durations, 0.95), 1) AS p95_ms
FROM counted LEFT JOIN taken USING (hour)
ORDER BY hour;
