-- The node that an item of it belongs to: node_id without "[3]".
CREATE MACRO weir_node_of_item(id) AS
  CASE WHEN ends_with(id, ']') THEN regexp_replace(id, '^(.+)\[[0-9]+\]$', '\1') ELSE id END;

-- The log with each item counted for its node.
CREATE MACRO weir_whole_nodes() AS TABLE
SELECT * REPLACE (weir_node_of_item(node_id) AS node_id) FROM logs;

-- The runs that were taken up because their process was lost, with their last engine_attempt.
CREATE MACRO weir_taken_up() AS TABLE
SELECT run_id, tenant_id, max(engine_attempt) AS engine_attempt
FROM logs
WHERE event_type = 'pipeline_resumed' AND engine_attempt > 1
GROUP BY run_id, tenant_id;

-- One row each time that this was so: when the lost process was last heard of, when the next took the run
-- up, and how many executions of nodes it left without an end.
CREATE MACRO weir_losses() AS TABLE
WITH
taken_up AS MATERIALIZED (FROM weir_taken_up()),
told AS (
  SELECT
    logs.run_id, logs.tenant_id, timestamp, event_type,
    count(*) FILTER (event_type = 'pipeline_resumed' AND logs.engine_attempt > 1)
      OVER (PARTITION BY logs.run_id, logs.tenant_id ORDER BY run_seq) AS process
  FROM logs
  JOIN taken_up ON logs.run_id = taken_up.run_id AND logs.tenant_id IS NOT DISTINCT FROM taken_up.tenant_id
)
SELECT
  run_id,
  tenant_id,
  max(timestamp) AS last_heard_at,
  lead(min(timestamp)) OVER (PARTITION BY run_id, tenant_id ORDER BY process) AS taken_up_at,
  count(*) FILTER (event_type = 'pipeline_node_started')
    - count(*) FILTER (event_type IN ('pipeline_node_completed', 'pipeline_node_failed', 'pipeline_node_cancelled'))
    AS nodes
FROM told
GROUP BY run_id, tenant_id, process
QUALIFY taken_up_at IS NOT NULL;

-- How long between two events of a run nobody ran it, in microseconds.
CREATE MACRO weir_downtime_us(of_run, of_tenant, from_time, to_time) AS (
  SELECT coalesce(sum(epoch_us(loss.taken_up_at - loss.last_heard_at)), 0)::BIGINT
  FROM weir_losses() AS loss
  WHERE loss.run_id = of_run AND loss.tenant_id IS NOT DISTINCT FROM of_tenant
    AND loss.last_heard_at >= from_time AND loss.taken_up_at <= to_time
);

-- Functions of other dialects that published queries over these logs use.
CREATE MACRO cardinality(list) AS len(list);
CREATE MACRO width_bucket(x, low, high, buckets) AS
  CASE WHEN x < low THEN 0
       WHEN x >= high THEN buckets + 1
       ELSE 1 + floor((x - low) * buckets / (high - low))::BIGINT
  END;
