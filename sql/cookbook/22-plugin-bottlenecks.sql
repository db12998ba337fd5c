-- Which plugins take the most time on average?
SELECT plugin_id, AVG(duration_ms) AS avg_ms
FROM logs
WHERE event_type = 'pipeline_node_completed'
GROUP BY plugin_id
ORDER BY avg_ms DESC;
