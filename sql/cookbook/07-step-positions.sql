-- At which step does each node run on average?
SELECT pipeline_id, node_id, AVG(step_index) AS avg_step
FROM logs
WHERE event_type LIKE 'pipeline_node_%'
GROUP BY pipeline_id, node_id
ORDER BY avg_step;
