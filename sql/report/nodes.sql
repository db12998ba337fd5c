-- How executions of nodes did: all of them, then each node's, the slowest first.
WITH answers AS (
  SELECT run_key, any_value(node_id) AS node_id, bool_or(cache_hit) AS is_hit
  FROM report_attempts
  WHERE cache_hit IS NOT NULL
  GROUP BY run_key, item_id, attempt, engine_attempt
), cached AS (
  SELECT
    CASE WHEN grouping(node_id) = 0 THEN pipeline_id END AS pipeline_id,
    CASE WHEN grouping(node_id) = 0 THEN node_id END AS node_id,
    count(*) FILTER (is_hit) AS hits,
    count(*) FILTER (NOT is_hit) AS misses
  FROM answers JOIN report_runs USING (run_key)
  GROUP BY GROUPING SETS ((), (pipeline_id, node_id))
), work AS (
  SELECT
    CASE WHEN grouping(node_id) = 0 THEN pipeline_id END AS pipeline_id,
    CASE WHEN grouping(node_id) = 0 THEN node_id END AS node_id,
    count(*) FILTER (attempts.state = 'completed') AS completed,
    count(*) FILTER (attempts.state = 'failed') AS failed,
    count(*) FILTER (attempts.state = 'cancelled') AS cancelled,
    coalesce(sum(rows), 0) AS rows,
    coalesce(max(memory_bytes), 0) AS memory_bytes,
    coalesce(avg(CASE WHEN attempts.duration_ms > 0 THEN rows / attempts.duration_ms * 1000 END), 0) AS rows_per_second,
    count(attempts.duration_ms) AS durations,
    avg(attempts.duration_ms) AS average_ms,
    min(attempts.duration_ms) AS min_ms,
    quantile_cont(attempts.duration_ms, 0.5) AS median_ms,
    quantile_cont(attempts.duration_ms, 0.95) AS p95_ms,
    max(attempts.duration_ms) AS max_ms
  FROM report_attempts AS attempts JOIN report_runs USING (run_key)
  WHERE attempts.state <> 'cache'
  GROUP BY GROUPING SETS ((), (pipeline_id, node_id))
)
SELECT work.*, coalesce(hits, 0) AS cache_hits, coalesce(misses, 0) AS cache_misses,
  count(*) OVER () - 1 AS nodes
FROM work LEFT JOIN cached
  ON work.pipeline_id IS NOT DISTINCT FROM cached.pipeline_id
 AND work.node_id IS NOT DISTINCT FROM cached.node_id
ORDER BY work.node_id IS NOT NULL, p95_ms DESC NULLS LAST, work.pipeline_id, work.node_id
LIMIT 1 + CAST(getvariable('most') AS INTEGER);
