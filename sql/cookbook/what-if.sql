-- How long would a run have taken if a node had been faster?
-- run_id: which; the latest that ended if it is not set. node_id: which node; the one that took longest if
-- it is not set. percent: how much less time it takes; 50 if it is not set. Each node begins when all that
-- it waits for has ended.
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
changed AS MATERIALIZED (
  SELECT
    CASE WHEN getvariable('node_id') IS NULL THEN (SELECT arg_max(node_id, us) FROM executed)
         WHEN getvariable('node_id') IN (SELECT node_id FROM executed) THEN getvariable('node_id')
         ELSE error('node_id: the run has executed no node ''' || getvariable('node_id') || '''') END AS node_id,
    CASE WHEN coalesce(getvariable('percent')::DOUBLE, 50) BETWEEN 0 AND 100
         THEN coalesce(getvariable('percent')::DOUBLE, 50)
         ELSE error('percent: 0 to 100 is expected, not ' || getvariable('percent')) END AS percent
),
timed AS MATERIALIZED (
  SELECT
    executed.*,
    CASE WHEN executed.node_id = changed.node_id THEN round(us * (1 - percent / 100))::BIGINT ELSE us END AS new_us
  FROM executed, changed
),
-- In the order of the steps: what others say their nodes wait for may go in a circle.
graph AS MATERIALIZED (
  SELECT before.node_id AS from_node, after.node_id AS to_node, before.us AS from_us, before.new_us AS new_from_us
  FROM (SELECT node_id, place, unnest(predecessor_node_ids) AS before_id FROM executed) AS after
  JOIN timed AS before ON before.node_id = weir_node_of_item(after.before_id) AND before.place < after.place
),
ahead(node_id, start_us, new_start_us) USING KEY (node_id) AS (
  SELECT node_id, 0::BIGINT, 0::BIGINT FROM executed
  UNION
  SELECT
    graph.to_node,
    greatest(max(ahead.start_us + from_us), any_value(known.start_us)),
    greatest(max(ahead.new_start_us + new_from_us), any_value(known.new_start_us))
  FROM ahead
  JOIN graph ON graph.from_node = ahead.node_id
  JOIN recurring.ahead AS known ON known.node_id = graph.to_node
  WHERE ahead.start_us + from_us > known.start_us OR ahead.new_start_us + new_from_us > known.new_start_us
  GROUP BY graph.to_node
)
SELECT
  any_value(chosen.run_id) AS run_id,
  any_value(changed.node_id) AS node_id,
  any_value(percent) AS percent_faster,
  round(any_value(us) FILTER (timed.node_id = changed.node_id) / 1000, 1) AS node_ms,
  round(max(start_us + us) / 1000, 1) AS run_ms,
  round(max(new_start_us + new_us) / 1000, 1) AS new_run_ms,
  round((max(start_us + us) - max(new_start_us + new_us)) / 1000, 1) AS saved_ms,
  round(100 * (1 - max(new_start_us + new_us) / nullif(max(start_us + us), 0)), 1) AS percent_saved
FROM timed JOIN ahead USING (node_id), changed, chosen
HAVING count(*) > 0;
