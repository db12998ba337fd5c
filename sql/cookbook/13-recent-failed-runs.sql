-- Which runs failed last, where and why?
SELECT timestamp, pipeline_id, run_id, failed_node_id, error_type, error_message
FROM logs
WHERE event_type = 'pipeline_failed'
ORDER BY timestamp DESC
LIMIT 50;
