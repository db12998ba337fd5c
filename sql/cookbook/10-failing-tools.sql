-- Which tools fail most?
SELECT plugin_id, tool_id, COUNT(*) AS failures
FROM logs
WHERE event_type = 'pipeline_node_failed'
GROUP BY plugin_id, tool_id
ORDER BY failures DESC;
