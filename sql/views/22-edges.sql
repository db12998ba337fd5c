-- One row an edge along which a node was started. Those of an item are its node's.
CREATE VIEW edges AS
SELECT DISTINCT
  run_id, pipeline_id, weir_node_of_item(from_node) AS from_node, weir_node_of_item(node_id) AS to_node, tenant_id
FROM (
  SELECT run_id, pipeline_id, unnest(predecessor_node_ids) AS from_node, node_id, tenant_id
  FROM logs
  WHERE event_type = 'pipeline_node_started'
)
WHERE weir_node_of_item(from_node) <> weir_node_of_item(node_id);
