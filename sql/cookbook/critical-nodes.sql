-- Which nodes are on the critical path of their runs, how often, and how much of the time do they take?
-- Over the newest runs that completed. runs: how many; 1000 if it is not set. pipeline_id: of which
-- pipeline; of all if it is not set.
WITH RECURSIVE
newest AS MATERIALIZED (
  SELECT row_number() OVER () AS run, run_id, tenant_id, pipeline_id
  FROM logs
  WHERE event_type = 'pipeline_completed'
    AND (getvariable('pipeline_id') IS NULL OR pipeline_id = getvariable('pipeline_id'))
  ORDER BY timestamp DESC, run_id DESC
  LIMIT coalesce(getvariable('runs')::BIGINT, 1000)
),
executed AS MATERIALIZED (
  SELECT
    run,
    node_id,
    max(step_index) AS step_index,
    min(timestamp) AS started_at,
    max(timestamp) AS ended_at,
    max(predecessor_node_ids) AS predecessor_node_ids
  FROM weir_whole_nodes() AS logs
  JOIN newest ON logs.run_id = newest.run_id AND logs.tenant_id IS NOT DISTINCT FROM newest.tenant_id
  WHERE event_type IN ('pipeline_node_started', 'pipeline_node_completed', 'pipeline_node_failed')
  GROUP BY run, node_id
  HAVING count(*) FILTER (event_type = 'pipeline_node_completed') > 0
),
-- The predecessor of each that ended last.
previous AS MATERIALIZED (
  SELECT
    after.run,
    after.node_id,
    arg_max(before.node_id, row(before.ended_at, before.step_index)) AS before_id
  FROM (SELECT run, node_id, unnest(predecessor_node_ids) AS before_id FROM executed) AS after
  JOIN executed AS before
    ON before.run = after.run AND before.node_id = weir_node_of_item(after.before_id)
   AND before.node_id <> after.node_id
  GROUP BY after.run, after.node_id
),
-- Back from the node of each run that ended last.
path AS (
  SELECT run, arg_max(node_id, row(ended_at, step_index)) AS node_id FROM executed GROUP BY run
  UNION  -- not ALL: what others say their nodes wait for may go in a circle
  SELECT previous.run, previous.before_id FROM path JOIN previous USING (run, node_id)
),
timed AS (
  SELECT
    run,
    pipeline_id,
    node_id,
    (epoch_us(ended_at - started_at) - weir_downtime_us(run_id, tenant_id, started_at, ended_at)) / 1000 AS ms
  FROM path JOIN executed USING (run, node_id) JOIN newest USING (run)
),
steps AS (SELECT *, sum(ms) OVER (PARTITION BY run) AS path_ms FROM timed)
SELECT
  pipeline_id,
  node_id,
  count(*) AS times_critical,
  round(100 * count(*) / any_value(runs), 1) AS percent_of_runs,
  round(avg(ms), 1) AS avg_ms,
  round(100 * sum(ms) / nullif(sum(path_ms), 0), 1) AS percent_of_path
FROM steps JOIN (SELECT pipeline_id, count(*) AS runs FROM newest GROUP BY pipeline_id) USING (pipeline_id)
GROUP BY pipeline_id, node_id
ORDER BY sum(ms) DESC, pipeline_id, node_id
LIMIT 50;
