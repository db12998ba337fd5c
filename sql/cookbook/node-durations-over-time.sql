-- How long do nodes take, hour by hour?
-- From the rollups. since: from when on, YYYY-MM-DD HH:MM in UTC, or so long ago (24h);
-- the last seven days if it is not set.
-- pipeline_id: of which pipeline; of that with the most completed nodes if it is not set. nodes: of how
-- many, those that took the most time; 20 if it is not set. The percentiles are within 1 %.
WITH
-- Without their distributions, which are what is large in a rollup.
totals AS MATERIALIZED (
  SELECT pipeline_id, node_id, sum(events) AS completed, sum(duration_ms) AS took_ms
  FROM rollup_hours
  WHERE event_type = 'pipeline_node_completed'
    AND (getvariable('pipeline_id') IS NULL OR pipeline_id = getvariable('pipeline_id'))
    AND hour >= coalesce(weir_moment(getvariable('since')), now()::TIMESTAMP - INTERVAL 7 DAY)
  GROUP BY pipeline_id, node_id
),
longest AS MATERIALIZED (
  SELECT pipeline_id, node_id
  FROM totals
  WHERE pipeline_id = (
    SELECT arg_max(pipeline_id, n) FROM (SELECT pipeline_id, sum(completed) AS n FROM totals GROUP BY pipeline_id))
  ORDER BY took_ms DESC, node_id
  LIMIT coalesce(getvariable('nodes')::INTEGER, 20)
),
merged AS (
  SELECT hour, pipeline_id, node_id, sum(timed)::BIGINT AS times, weir_merge(durations) AS durations
  FROM rollup_hours SEMI JOIN longest USING (pipeline_id, node_id)
  WHERE event_type = 'pipeline_node_completed'
    AND hour >= coalesce(weir_moment(getvariable('since')), now()::TIMESTAMP - INTERVAL 7 DAY)
  GROUP BY hour, pipeline_id, node_id
)
SELECT
  hour,
  pipeline_id,
  node_id,
  times,
  round(weir_quantile(durations, 0.5), 1) AS p50_ms,
  round(weir_quantile(durations, 0.95), 1) AS p95_ms,
  round(weir_quantile(durations, 0.99), 1) AS p99_ms
FROM merged
ORDER BY hour, p95_ms DESC, node_id;
