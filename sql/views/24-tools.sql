-- One row a tool: how often it was called, and how that went. Each execution of a node is a call, one that
-- was tried again several; what was answered from the cache, or taken over from an earlier run, is none.
CREATE VIEW tools AS
SELECT
  plugin_id,
  tool_id,
  count(*) AS calls,
  count(*) FILTER (state = 'failed') AS failures,
  avg(duration_ms) AS avg_ms,
  quantile_cont(duration_ms, 0.95) AS p95_ms,
  max(ended_at) AS last_ended_at
FROM attempts
ANTI JOIN (
  SELECT run_id, tenant_id, node_id, attempt, coalesce(engine_attempt, 1) AS engine_attempt
  FROM logs
  WHERE event_type = 'pipeline_node_completed' AND (cache_hit OR outcome = 'cached')
) AS cached
  ON cached.run_id = attempts.run_id AND cached.tenant_id IS NOT DISTINCT FROM attempts.tenant_id
  AND cached.node_id = attempts.node_id AND cached.attempt IS NOT DISTINCT FROM attempts.attempt
  AND cached.engine_attempt = attempts.engine_attempt
GROUP BY plugin_id, tool_id;
