-- The node that an item of it belongs to: node_id without "[3]".
CREATE MACRO weir_node_of_item(id) AS
  CASE WHEN ends_with(id, ']') THEN regexp_replace(id, '^(.+)\[[0-9]+\]$', '\1') ELSE id END;

-- The log with each item counted for its node.
CREATE MACRO weir_whole_nodes() AS TABLE
SELECT * REPLACE (weir_node_of_item(node_id) AS node_id) FROM logs;

-- Functions of other dialects that published queries over these logs use.
CREATE MACRO cardinality(list) AS len(list);
CREATE MACRO width_bucket(x, low, high, buckets) AS
  CASE WHEN x < low THEN 0
       WHEN x >= high THEN buckets + 1
       ELSE 1 + floor((x - low) * buckets / (high - low))::BIGINT
  END;
