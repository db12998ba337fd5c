-- Do nodes that fail take longer than when they succeed?
SELECT node_id,
       AVG(CASE WHEN event_type = 'pipeline_node_completed' THEN duration_ms END) AS avg_success_ms,
       AVG(CASE WHEN event_type = 'pipeline_node_failed' THEN duration_ms END) AS avg_failure_ms
FROM logs
WHERE event_type IN ('pipeline_node_completed', 'pipeline_node_failed')
GROUP BY node_id
ORDER BY avg_failure_ms DESC NULLS LAST;
