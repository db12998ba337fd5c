-- How long does each plugin take within each pipeline?
SELECT pipeline_id, plugin_id, AVG(duration_ms) AS avg_ms
FROM logs
WHERE event_type = 'pipeline_node_completed'
GROUP BY pipeline_id, plugin_id
ORDER BY avg_ms DESC;
