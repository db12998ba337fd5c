-- How much time does the cache save, and why does it not know an output?
WITH ends AS (
  SELECT
    pipeline_id,
    node_id,
    count(*) FILTER (event_type = 'pipeline_node_completed' AND cache_hit) AS hits,
    count(*) FILTER (event_type = 'pipeline_node_completed' AND NOT cache_hit) AS misses,
    avg(duration_ms) FILTER (event_type = 'pipeline_node_completed' AND NOT cache_hit) AS work_ms,
    sum(duration_ms) FILTER (event_type = 'pipeline_node_completed' AND cache_hit) AS hit_ms,
    mode(reason ORDER BY reason) FILTER (event_type = 'cache_miss') AS miss_reason
  FROM logs
  WHERE event_type = 'cache_miss' OR (event_type = 'pipeline_node_completed' AND cache_hit IS NOT NULL)
  GROUP BY pipeline_id, node_id
)
SELECT
  pipeline_id,
  node_id,
  hits,
  misses,
  round(hits / nullif(hits + misses, 0), 3) AS hit_ratio,
  round(work_ms, 1) AS work_ms,
  round(hits * work_ms - coalesce(hit_ms, 0), 1) AS saved_ms,
  miss_reason
FROM ends
ORDER BY saved_ms DESC NULLS LAST, pipeline_id, node_id
LIMIT 50;
