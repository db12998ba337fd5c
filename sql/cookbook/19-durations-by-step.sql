-- How long does each step take on average?
SELECT step_index, AVG(duration_ms) AS avg_ms
FROM logs
WHERE event_type = 'pipeline_node_completed'
GROUP BY step_index
ORDER BY step_index;
