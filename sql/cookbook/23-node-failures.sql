-- How often has each node failed, over all pipelines?
SELECT node_id, COUNT(*) AS failures
FROM logs
WHERE event_type = 'pipeline_node_failed'
GROUP BY node_id;
