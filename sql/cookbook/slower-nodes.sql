-- Which nodes were slower the last time than they usually are?
-- In the newest runs of each pipeline that ended. runs: how many; 100 if it is not set. at_least: how many
-- times a node must have completed before; 10 if it is not set. Slower than the median by more than four
-- times the usual distance from it (the median one, times 1.4826 as for a normal distribution), and by a
-- fifth at least.
WITH
newest AS MATERIALIZED (
  SELECT run_id, tenant_id, pipeline_id, timestamp AS ended_at
  FROM events
  WHERE event_type IN ('pipeline_completed', 'pipeline_failed', 'pipeline_cancelled')
  QUALIFY row_number() OVER (PARTITION BY pipeline_id ORDER BY timestamp DESC, run_id DESC)
          <= coalesce(getvariable('runs')::BIGINT, 100)
),
history AS (
  SELECT
    newest.pipeline_id,
    node_id,
    count(*) AS times,
    median(duration_ms) AS median_ms,
    mad(duration_ms) AS mad_ms,
    arg_max(duration_ms, ended_at) AS last_ms,
    arg_max(newest.run_id, ended_at) AS run_id,
    max(ended_at) AS ended_at
  FROM events
  JOIN newest ON events.run_id = newest.run_id AND events.tenant_id IS NOT DISTINCT FROM newest.tenant_id
  WHERE event_type = 'pipeline_node_completed' AND cache_hit IS NOT TRUE
  GROUP BY newest.pipeline_id, node_id
)
SELECT
  pipeline_id,
  node_id,
  round(history.last_ms, 1) AS last_ms,
  round(median_ms, 1) AS median_ms,
  round(history.last_ms / nullif(median_ms, 0), 1) AS times_slower,
  times,
  ended_at,
  run_id
FROM history
WHERE times > coalesce(getvariable('at_least')::BIGINT, 10)
  AND history.last_ms > median_ms + 4 * 1.4826 * mad_ms
  AND history.last_ms > 1.2 * median_ms
ORDER BY history.last_ms - median_ms DESC, pipeline_id, node_id
LIMIT 50;
