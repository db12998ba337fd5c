-- Which nodes are the slowest on average, with their tools?
SELECT node_id, plugin_id, tool_id,
       AVG(duration_ms) AS avg_ms
FROM logs
WHERE event_type = 'pipeline_node_completed'
GROUP BY node_id, plugin_id, tool_id
ORDER BY avg_ms DESC
LIMIT 20;
