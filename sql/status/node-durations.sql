-- How long did a pipeline and its nodes take in its newest completed runs? One row a run and node; of
-- the run itself, without a name. Time in which nobody ran it is no part of it. `pipeline_id`; `without`: the
-- ids of runs to leave out, with commas; `before`: the time before which they ended, in microseconds;
-- `runs`: how many; `of_everybody`: `yes`, or else of `tenant` alone, of nobody if that is empty.
WITH earlier AS (
  SELECT run_id, tenant_id, timestamp, duration_ms
  FROM logs
  WHERE event_type = 'pipeline_completed'
    AND pipeline_id = getvariable('pipeline_id')
    AND epoch_us(timestamp) < getvariable('before')::BIGINT
    AND (getvariable('of_everybody') = 'yes' OR coalesce(tenant_id, '') = getvariable('tenant'))
    AND NOT list_contains(string_split(getvariable('without'), ','), run_id)
  ORDER BY timestamp DESC, run_id DESC
  LIMIT getvariable('runs')::BIGINT
),
ended AS (
  SELECT
    run_id,
    tenant_id,
    regexp_replace(node_id, '\[\d+\]$', '') AS node,
    node_id,
    event_type,
    timestamp,
    timestamp - to_microseconds(CAST(1000 * coalesce(logs.duration_ms, 0) AS BIGINT)) AS began_at,
    logs.duration_ms,
    coalesce(outcome, '') = 'cached' AS is_cached
  FROM logs
  SEMI JOIN earlier ON logs.run_id = earlier.run_id AND logs.tenant_id IS NOT DISTINCT FROM earlier.tenant_id
  WHERE event_type IN ('pipeline_node_completed', 'pipeline_node_skipped')
)
-- The items of a node took as long as from the first one's start to the last one's end.
SELECT
  node,
  CASE
    WHEN count(DISTINCT node_id) > 1
      THEN (epoch_us(max(timestamp) - min(began_at))
            - weir_downtime_us(run_id, tenant_id, min(began_at), max(timestamp))) / 1000
    ELSE coalesce(arg_max(duration_ms, timestamp), 0)
  END AS duration_ms,
  bool_and(is_cached) AS is_cached
FROM ended
GROUP BY run_id, tenant_id, node
UNION ALL
SELECT
  '' AS node,
  duration_ms - weir_downtime_us(
    run_id, tenant_id, timestamp - to_microseconds(CAST(1000 * duration_ms AS BIGINT)), timestamp) / 1000
    AS duration_ms,
  false AS is_cached
FROM earlier
