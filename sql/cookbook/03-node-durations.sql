-- How long does each node of each pipeline take on average?
SELECT pipeline_id, node_id, AVG(duration_ms) AS avg_ms
FROM logs
WHERE event_type = 'pipeline_node_completed'
GROUP BY pipeline_id, node_id
ORDER BY avg_ms DESC;
