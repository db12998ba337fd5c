-- How much time did the nodes of each run take together?
SELECT pipeline_id, run_id, SUM(duration_ms) AS approx_critical_path_ms
FROM logs
WHERE event_type = 'pipeline_node_completed'
GROUP BY pipeline_id, run_id
ORDER BY approx_critical_path_ms DESC;
