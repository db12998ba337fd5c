-- From which plugin does the work go on to which, and how long does it wait in between?
-- Over the newest runs that ended. runs: how many; 1000 if it is not set. A node waits from the end of the
-- last node before it.
WITH
newest AS MATERIALIZED (
  SELECT row_number() OVER () AS run, run_id, tenant_id
  FROM logs
  WHERE event_type IN ('pipeline_completed', 'pipeline_failed', 'pipeline_cancelled')
  ORDER BY timestamp DESC, run_id DESC
  LIMIT coalesce(getvariable('runs')::BIGINT, 1000)
),
executed AS MATERIALIZED (
  SELECT
    run,
    node_id,
    any_value(plugin_id) AS plugin_id,
    min(timestamp) FILTER (event_type = 'pipeline_node_started') AS started_at,
    max(timestamp) FILTER (event_type = 'pipeline_node_completed') AS ended_at,
    max(predecessor_node_ids) AS predecessor_node_ids
  FROM weir_whole_nodes() AS logs
  JOIN newest ON logs.run_id = newest.run_id AND logs.tenant_id IS NOT DISTINCT FROM newest.tenant_id
  WHERE event_type IN ('pipeline_node_started', 'pipeline_node_completed')
  GROUP BY run, node_id
),
steps AS (
  SELECT
    after.run,
    before.plugin_id AS from_plugin,
    after.plugin_id AS to_plugin,
    max(before.ended_at) OVER (PARTITION BY after.run, after.node_id) AS ready_at,
    after.started_at
  FROM (SELECT * EXCLUDE (predecessor_node_ids), unnest(predecessor_node_ids) AS before_id FROM executed) AS after
  JOIN executed AS before
    ON before.run = after.run AND before.node_id = weir_node_of_item(after.before_id)
   AND before.node_id <> after.node_id
),
waits AS (
  SELECT
    from_plugin,
    to_plugin,
    (epoch_us(started_at - ready_at) - weir_downtime_us(run_id, tenant_id, ready_at, started_at)) / 1000 AS wait_ms
  FROM steps JOIN newest USING (run)
)
SELECT
  from_plugin,
  to_plugin,
  count(*) AS transitions,
  round(avg(wait_ms), 1) AS avg_wait_ms,
  round(quantile_disc(wait_ms, 0.95), 1) AS p95_wait_ms
FROM waits
GROUP BY from_plugin, to_plugin
ORDER BY transitions DESC, from_plugin, to_plugin;
