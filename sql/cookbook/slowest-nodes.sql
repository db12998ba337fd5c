-- Which nodes take the time?
-- Of each time that a node was completed.
SELECT
  pipeline_id,
  node_id,
  plugin_id || '.' || tool_id AS tool,
  count(*) AS runs,
  round(median(duration_ms), 1) AS median_ms,
  round(max(duration_ms), 1) AS max_ms,
  round(100 * sum(duration_ms) / sum(sum(duration_ms)) OVER (PARTITION BY pipeline_id), 1) AS percent
FROM logs
WHERE event_type = 'pipeline_node_completed'
GROUP BY pipeline_id, node_id, plugin_id, tool_id
ORDER BY median_ms DESC, pipeline_id, node_id
LIMIT 20;
