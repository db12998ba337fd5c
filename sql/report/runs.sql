-- What became of the runs: all of them, then each pipeline's.
SELECT
  CASE WHEN grouping(pipeline_id) = 0 THEN pipeline_id END AS pipeline_id,
  count(*) AS total,
  count(*) FILTER (state = 'completed') AS completed,
  count(*) FILTER (state = 'failed') AS failed,
  count(*) FILTER (state = 'cancelled') AS cancelled,
  count(*) FILTER (state = 'running') AS running,
  count(*) FILTER (state = 'interrupted') AS interrupted,
  count(DISTINCT workflow) AS workflows,
  count(duration_ms) AS durations,
  avg(duration_ms) AS average_ms,
  min(duration_ms) AS min_ms,
  quantile_cont(duration_ms, 0.5) AS median_ms,
  quantile_cont(duration_ms, 0.95) AS p95_ms,
  max(duration_ms) AS max_ms,
  count(*) OVER () - 1 AS pipelines
FROM report_runs
GROUP BY GROUPING SETS ((), (pipeline_id))
ORDER BY grouping(pipeline_id) DESC, total DESC, pipeline_id
LIMIT 1 + CAST(getvariable('most') AS INTEGER);
