-- Which nodes of a run were critical, and by how much could each of the others have been later?
-- run_id: which; the latest that ended if it is not set. A node begins when all that it waits for has
-- ended: earliest_ms and latest_ms are when it begins at the earliest, and may begin at the latest without
-- the run taking longer. Nodes without slack are the critical path.
WITH RECURSIVE
chosen AS MATERIALIZED (
  SELECT run_id, tenant_id
  FROM logs
  WHERE CASE WHEN getvariable('run_id') IS NULL
             THEN event_type IN ('pipeline_completed', 'pipeline_failed', 'pipeline_cancelled')
             ELSE run_id = getvariable('run_id') END
  ORDER BY timestamp DESC, run_id DESC
  LIMIT 1
),
-- A node takes from its first attempt to its last end, over all of its items.
executed AS MATERIALIZED (
  SELECT
    node_id,
    row_number() OVER (ORDER BY any_value(step_index), min(timestamp), node_id) AS place,
    epoch_us(max(timestamp) - min(timestamp))
      - weir_downtime_us(run_id, tenant_id, min(timestamp), max(timestamp)) AS us,
    max(predecessor_node_ids) AS predecessor_node_ids
  FROM weir_whole_nodes() AS logs
  SEMI JOIN chosen ON logs.run_id = chosen.run_id AND logs.tenant_id IS NOT DISTINCT FROM chosen.tenant_id
  WHERE event_type IN ('pipeline_node_started', 'pipeline_node_completed', 'pipeline_node_failed',
                       'pipeline_node_cancelled')
  GROUP BY run_id, tenant_id, node_id
  HAVING count(*) FILTER (event_type = 'pipeline_node_started') > 0
),
-- In the order of the steps: what others say their nodes wait for may go in a circle.
graph AS MATERIALIZED (
  SELECT before.node_id AS from_node, after.node_id AS to_node, before.us AS from_us
  FROM (SELECT node_id, place, unnest(predecessor_node_ids) AS before_id FROM executed) AS after
  JOIN executed AS before ON before.node_id = weir_node_of_item(after.before_id) AND before.place < after.place
),
ahead(node_id, start_us) USING KEY (node_id) AS (
  SELECT node_id, 0::BIGINT FROM executed
  UNION
  SELECT graph.to_node, max(ahead.start_us + graph.from_us)
  FROM ahead
  JOIN graph ON graph.from_node = ahead.node_id
  JOIN recurring.ahead AS known ON known.node_id = graph.to_node
  WHERE ahead.start_us + graph.from_us > known.start_us
  GROUP BY graph.to_node
),
-- What comes after a node begins, itself included.
behind(node_id, rest_us) USING KEY (node_id) AS (
  SELECT node_id, us FROM executed
  UNION
  SELECT graph.from_node, max(behind.rest_us + graph.from_us)
  FROM behind
  JOIN graph ON graph.to_node = behind.node_id
  JOIN recurring.behind AS known ON known.node_id = graph.from_node
  WHERE behind.rest_us + graph.from_us > known.rest_us
  GROUP BY graph.from_node
)
SELECT
  node_id,
  round(us / 1000, 1) AS ms,
  round(start_us / 1000, 1) AS earliest_ms,
  round((end_us - rest_us) / 1000, 1) AS latest_ms,
  round((end_us - rest_us - start_us) / 1000, 1) AS slack_ms,
  end_us - rest_us = start_us AS is_critical
FROM executed JOIN ahead USING (node_id) JOIN behind USING (node_id),
     (SELECT max(rest_us) AS end_us FROM behind)
ORDER BY start_us, place;
