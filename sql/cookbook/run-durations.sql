-- How long do the runs of each pipeline take?
SELECT
  pipeline_id,
  count(*) AS runs,
  count(*) FILTER (state = 'failed') AS failed,
  round(median(duration_ms) FILTER (state = 'completed'), 1) AS median_ms,
  round(quantile_cont(duration_ms, 0.95) FILTER (state = 'completed'), 1) AS p95_ms,
  max(started_at) AS last_started
FROM runs
GROUP BY pipeline_id
ORDER BY pipeline_id;
