-- How often has each node failed?
SELECT pipeline_id, node_id, COUNT(*) AS failures
FROM logs
WHERE event_type = 'pipeline_node_failed'
GROUP BY pipeline_id, node_id
ORDER BY failures DESC;
