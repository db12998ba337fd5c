-- How much time do attempts that fail cost, and why do they fail?
-- lost_ms is what the failed attempts took, waited_ms the time until the next one was to begin.
WITH
failed AS (
  SELECT run_id, tenant_id, node_id, coalesce(attempt, 1) AS attempt, pipeline_id, error_type, duration_ms
  FROM logs
  WHERE event_type = 'pipeline_node_failed'
),
retried AS (
  SELECT
    run_id, tenant_id, node_id, attempt - 1 AS attempt, reason,
    (attributes ->> '$.delay_ms')::DOUBLE AS delay_ms
  FROM logs
  WHERE event_type = 'pipeline_node_retry_scheduled'
)
SELECT
  pipeline_id,
  failed.node_id,
  coalesce(reason, 'not tried again') AS cause,
  error_type,
  count(*) AS failed_attempts,
  round(sum(duration_ms), 1) AS lost_ms,
  round(sum(delay_ms), 1) AS waited_ms
FROM failed
LEFT JOIN retried
  ON failed.run_id = retried.run_id AND failed.tenant_id IS NOT DISTINCT FROM retried.tenant_id
 AND failed.node_id = retried.node_id AND failed.attempt = retried.attempt
GROUP BY ALL
ORDER BY
  coalesce(sum(duration_ms), 0) + coalesce(sum(delay_ms), 0) DESC, pipeline_id, failed.node_id, cause, error_type
LIMIT 50;
