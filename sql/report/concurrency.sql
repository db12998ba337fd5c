-- How many runs and nodes were at work at the same time: the most in a stretch of time, and how
-- many at its end. A run that was interrupted has no end, and is left out, as is an execution of a node
-- that was lost; from then until it was resumed a run was not at work.
WITH losses AS MATERIALIZED (
  SELECT last_heard_at, taken_up_at
  FROM weir_losses() AS loss
  JOIN report_runs ON loss.run_id = report_runs.run_id AND loss.tenant_id IS NOT DISTINCT FROM report_runs.tenant_id
  WHERE state <> 'interrupted'
), changes AS (
  SELECT 'runs' AS kind, started_at AS moment, 1 AS step FROM report_runs WHERE state <> 'interrupted'
  UNION ALL
  SELECT 'runs', ended_at, -1 FROM report_runs WHERE state NOT IN ('interrupted', 'running')
  UNION ALL
  SELECT 'runs', last_heard_at, -1 FROM losses
  UNION ALL
  SELECT 'runs', taken_up_at, 1 FROM losses
  UNION ALL
  SELECT 'nodes', ended_at - to_microseconds(CAST(floor(duration_ms * 1000) AS BIGINT)), 1
  FROM report_attempts WHERE state <> 'cache' AND duration_ms IS NOT NULL
  UNION ALL
  SELECT 'nodes', ended_at, -1
  FROM report_attempts WHERE state <> 'cache' AND duration_ms IS NOT NULL
), levels AS (
  SELECT kind, moment, sum(sum(step)) OVER (PARTITION BY kind ORDER BY moment) AS level
  FROM changes
  GROUP BY kind, moment
)
SELECT
  kind,
  greatest((epoch_us(moment) - CAST(getvariable('bucket_begin') AS BIGINT))
             // CAST(getvariable('bucket_us') AS BIGINT), 0) AS bucket,
  CAST(max(level) AS BIGINT) AS most,
  CAST(arg_max(level, moment) AS BIGINT) AS last
FROM levels
GROUP BY kind, bucket
ORDER BY kind, bucket;
