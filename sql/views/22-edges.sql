-- One row an edge along which a node was started.
CREATE VIEW edges AS
SELECT DISTINCT run_id, pipeline_id, unnest(predecessor_node_ids) AS from_node, node_id AS to_node, tenant_id
FROM logs
WHERE event_type = 'pipeline_node_started';
