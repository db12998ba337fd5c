-- Which chain of nodes decided how long the latest finished run took?
-- run_id: of which run; the latest that completed if it is not set.
WITH RECURSIVE
chosen AS MATERIALIZED (
  SELECT run_id, tenant_id
  FROM logs
  WHERE CASE WHEN getvariable('run_id') IS NULL
             THEN event_type = 'pipeline_completed'
             ELSE run_id = getvariable('run_id') END
  ORDER BY timestamp DESC, run_id DESC
  LIMIT 1
),
-- A node takes from its first attempt to its last end, over all of its items.
executed AS MATERIALIZED (
  SELECT
    node_id,
    max(step_index) AS step_index,
    min(timestamp) AS started_at,
    max(timestamp) AS ended_at,
    CASE WHEN count(*) FILTER (event_type = 'pipeline_node_started') = 1 THEN max(duration_ms)
         ELSE (epoch_us(max(timestamp) - min(timestamp))
               - weir_downtime_us(run_id, tenant_id, min(timestamp), max(timestamp))) / 1000 END AS duration_ms,
    max(predecessor_node_ids) AS predecessor_node_ids
  FROM weir_whole_nodes() AS logs
  SEMI JOIN chosen ON logs.run_id = chosen.run_id AND logs.tenant_id IS NOT DISTINCT FROM chosen.tenant_id
  WHERE event_type IN ('pipeline_node_started', 'pipeline_node_completed', 'pipeline_node_failed')
  GROUP BY run_id, tenant_id, node_id
  HAVING count(*) FILTER (event_type = 'pipeline_node_completed') > 0
),
-- The predecessor of each that ended last.
previous AS MATERIALIZED (
  SELECT after.node_id, arg_max(before.node_id, row(before.ended_at, before.step_index)) AS before_id
  FROM (SELECT node_id, unnest(predecessor_node_ids) AS before_id FROM executed) AS after
  JOIN executed AS before
    ON before.node_id = weir_node_of_item(after.before_id) AND before.node_id <> after.node_id
  GROUP BY after.node_id
),
-- Back from the node that ended last.
path AS (
  (SELECT * FROM executed ORDER BY ended_at DESC, step_index DESC LIMIT 1)
  UNION  -- not ALL: what others say their nodes wait for may go in a circle
  (SELECT executed.*
   FROM path
   JOIN previous USING (node_id)
   JOIN executed ON executed.node_id = previous.before_id)
)
SELECT
  node_id,
  round(duration_ms, 1) AS duration_ms,
  round(epoch_us(started_at - min(started_at) OVER ()) / 1000, 1) AS starts_after_ms,
  round(100 * duration_ms / sum(duration_ms) OVER (), 1) AS percent_of_path
FROM path
ORDER BY started_at, step_index;
