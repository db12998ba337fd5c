-- The node that an item of it belongs to: node_id without "[3]".
CREATE MACRO weir_node_of_item(id) AS
  CASE WHEN ends_with(id, ']') THEN regexp_replace(id, '^(.+)\[[0-9]+\]$', '\1') ELSE id END;

-- The log with each item counted for its node.
CREATE MACRO weir_whole_nodes() AS TABLE
SELECT * REPLACE (weir_node_of_item(node_id) AS node_id) FROM logs;

-- Whether an event was taken in from another system: its number is the clock of whoever took it in.
CREATE MACRO weir_is_foreign(run_seq) AS run_seq >= 1000000000000000;

-- Whether an event is a span of a trace that is a run of its own, as OpenTelemetry tells of them. Spans in
-- other runs tell of what their nodes do inside.
CREATE MACRO weir_is_of_trace(event_type, source) AS event_type = 'span' AND source = 'otlp';

-- A span is told when it ends; without a duration it has only begun. A duration of centuries is none.
CREATE MACRO weir_state_of_span(duration_ms, level) AS
  CASE WHEN duration_ms IS NULL THEN 'unfinished' WHEN level IN ('ERROR', 'FATAL') THEN 'failed' ELSE 'completed' END;
CREATE MACRO weir_begin_of_span(told_at, duration_ms) AS
  CASE WHEN duration_ms BETWEEN 0 AND 1e13 THEN told_at - to_microseconds((duration_ms * 1000)::BIGINT) ELSE told_at END;

-- The state that a node is in after an event of it.
CREATE MACRO weir_state_after(event_type, duration_ms, level) AS
  CASE event_type
    WHEN 'pipeline_node_started' THEN 'unfinished'
    WHEN 'pipeline_node_completed' THEN 'completed'
    WHEN 'pipeline_node_failed' THEN 'failed'
    WHEN 'pipeline_node_cancelled' THEN 'cancelled'
    WHEN 'pipeline_node_skipped' THEN 'skipped'
    ELSE weir_state_of_span(duration_ms, level)
  END;

-- Who does not count attempts has one.
CREATE MACRO weir_attempt(attempt, run_seq) AS
  CASE WHEN attempt IS NULL AND weir_is_foreign(run_seq) THEN 1 ELSE attempt END;

CREATE MACRO weir_ms_between(from_time, to_time) AS
  CASE WHEN to_time >= from_time THEN epoch_us(to_time - from_time) / 1000 END;

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

-- A moment as a question names it: so long ago (24h; s, m, h, d, w), today or yesterday, or a time in UTC.
CREATE MACRO weir_moment(said) AS
  CASE
    WHEN said IN ('today', 'yesterday')
      THEN date_trunc('day', now()::TIMESTAMP) - CASE said WHEN 'today' THEN INTERVAL 0 DAY ELSE INTERVAL 1 DAY END
    WHEN regexp_full_match(said, '[0-9]{1,9}[smhdw]')
      THEN now()::TIMESTAMP - to_seconds(left(said, -1)::BIGINT * CASE right(said, 1)
        WHEN 's' THEN 1 WHEN 'm' THEN 60 WHEN 'h' THEN 3600 WHEN 'd' THEN 86400 ELSE 604800 END)
    ELSE said::TIMESTAMP END;

-- Milliseconds as people say them: 250 ms, 1.5 s, 12 min, 3.2 h, 4 days.
CREATE MACRO weir_span_text(ms) AS
  CASE
    WHEN ms < 1000 THEN round(ms)::BIGINT || ' ms'
    WHEN ms < 120000 THEN round(ms / 1000, 1) || ' s'
    WHEN ms < 7200000 THEN round(ms / 60000)::BIGINT || ' min'
    WHEN ms < 172800000 THEN round(ms / 3600000, 1) || ' h'
    ELSE round(ms / 86400000, 1) || ' days'
  END;
