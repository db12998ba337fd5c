-- Which frames took the most time?
SELECT frame_index, SUM(duration_ms) AS total_ms
FROM logs
WHERE pipeline_type = 'dag'
  AND event_type = 'pipeline_node_completed'
GROUP BY frame_index
ORDER BY total_ms DESC;
