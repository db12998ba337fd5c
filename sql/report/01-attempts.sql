-- The executions of their nodes that ended, and what a cache answered.
CREATE OR REPLACE TEMP TABLE report_attempts AS
SELECT
  report_runs.run_key,
  weir_node_of_item(logs.node_id) AS node_id,
  logs.node_id AS item_id,
  coalesce(logs.attempt, 1) AS attempt,
  coalesce(logs.engine_attempt, 1) AS engine_attempt,
  CASE logs.event_type
    WHEN 'pipeline_node_completed' THEN 'completed'
    WHEN 'pipeline_node_failed' THEN 'failed'
    WHEN 'pipeline_node_cancelled' THEN 'cancelled'
    WHEN 'span' THEN weir_state_of_span(logs.duration_ms, logs.level)
    ELSE 'cache'
  END AS state,
  CASE
    WHEN logs.event_type = 'cache_hit' OR logs.outcome = 'cached' THEN true
    WHEN logs.event_type = 'cache_miss' THEN false
    ELSE logs.cache_hit
  END AS cache_hit,
  logs.timestamp AS ended_at,
  CASE WHEN logs.duration_ms BETWEEN 0 AND 1e12 THEN logs.duration_ms END AS duration_ms,
  CASE WHEN logs.rows > 0 THEN logs.rows END AS rows,
  logs.memory_bytes,
  logs.error_type
FROM logs
JOIN report_runs ON logs.run_id = report_runs.run_id AND logs.tenant_id IS NOT DISTINCT FROM report_runs.tenant_id
WHERE (logs.event_type IN ('pipeline_node_completed', 'pipeline_node_failed', 'pipeline_node_cancelled',
                           'cache_hit', 'cache_miss')
       OR weir_is_of_trace(logs.event_type, logs.source) AND logs.node_id IS NOT NULL AND logs.duration_ms IS NOT NULL)
  AND logs.timestamp >= CAST(getvariable('since') AS TIMESTAMP);
