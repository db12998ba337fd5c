-- Which plugins fail most?
SELECT plugin_id, COUNT(*) AS failures
FROM logs
WHERE event_type = 'pipeline_node_failed'
GROUP BY plugin_id
ORDER BY failures DESC;
