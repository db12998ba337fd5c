-- How many keys has the output of each node on average?
SELECT pipeline_id, node_id,
       AVG(CARDINALITY(output_keys)) AS avg_output_keys
FROM logs
WHERE event_type = 'pipeline_node_completed'
GROUP BY pipeline_id, node_id
ORDER BY avg_output_keys DESC;
