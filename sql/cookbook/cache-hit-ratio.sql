-- How often does the cache know an output, hour by hour?
-- From the rollups. since: from when on, YYYY-MM-DD HH:MM in UTC, or so long ago (24h);
-- the last seven days if it is not set.
SELECT
  hour,
  pipeline_id,
  coalesce(sum(events) FILTER (cache_hit), 0)::BIGINT AS hits,
  coalesce(sum(events) FILTER (NOT cache_hit), 0)::BIGINT AS misses,
  round(coalesce(sum(events) FILTER (cache_hit), 0) / sum(events), 3) AS hit_ratio
FROM rollup_hours
WHERE event_type = 'pipeline_node_completed' AND cache_hit IS NOT NULL
  AND hour >= coalesce(weir_moment(getvariable('since')), now()::TIMESTAMP - INTERVAL 7 DAY)
GROUP BY hour, pipeline_id
ORDER BY hour, pipeline_id;
