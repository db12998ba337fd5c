-- Which pipelines have the most nodes?
SELECT pipeline_id, MAX(node_count) AS max_nodes
FROM logs
WHERE event_type = 'pipeline_started'
GROUP BY pipeline_id
ORDER BY max_nodes DESC;
