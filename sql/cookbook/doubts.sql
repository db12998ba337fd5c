-- What is not as it should be, and how do we know?
-- now: the time to judge by, YYYY-MM-DD HH:MM:SS in UTC; the present if it is not set. since: of what happened
-- from then on, the same or so long ago (24h); the last seven days if it is not set.
--   open       a node has begun and its run goes on: nothing is wrong yet
--   stalled    and nothing was heard of it for longer than 19 of 20 of its executions took, and a minute at
--              least; half an hour, where fewer than five are known
--   late       a run goes on, and has taken twice as long as 19 of 20 of its pipeline did, five at least, and a
--              minute more than that
--   lost end   a node has begun, and its run has ended without a word of it; or the process that ran it was lost
--   gap        a producer's numbers have a hole, which is older than a minute
--   clock      a run's events go back by more than a second, or come from the future
WITH
judged AS (
  SELECT coalesce(getvariable('now')::TIMESTAMP, now()::TIMESTAMP) AS now,
         coalesce(weir_moment(getvariable('since')), now()::TIMESTAMP - INTERVAL 7 DAY) AS since
),
bounds AS MATERIALIZED (
  SELECT run_id, tenant_id, pipeline_id, event_type, timestamp, duration_ms
  FROM logs, judged
  WHERE event_type IN ('pipeline_started', 'pipeline_completed', 'pipeline_failed', 'pipeline_cancelled')
    AND timestamp BETWEEN since AND now
),
lives AS MATERIALIZED (
  SELECT
    run_id, tenant_id, any_value(pipeline_id) AS pipeline_id,
    min(timestamp) FILTER (event_type = 'pipeline_started') AS started_at,
    max(timestamp) FILTER (event_type <> 'pipeline_started') AS ended_at
  FROM bounds
  GROUP BY run_id, tenant_id
),
usual_runs AS (
  SELECT tenant_id, pipeline_id, quantile_disc(duration_ms, 0.95) AS usual_ms
  FROM bounds
  WHERE event_type = 'pipeline_completed'
  GROUP BY tenant_id, pipeline_id
  HAVING count(*) >= 5
),
executions AS MATERIALIZED (
  SELECT
    run_id, tenant_id, any_value(pipeline_id) AS pipeline_id, node_id, coalesce(attempt, 1) AS attempt,
    coalesce(engine_attempt, 1) AS engine_attempt,
    min(timestamp) FILTER (event_type = 'pipeline_node_started') AS started_at,
    max(event_type) FILTER (event_type <> 'pipeline_node_started') AS end_type,
    max(duration_ms) FILTER (event_type = 'pipeline_node_completed') AS completed_ms
  FROM logs, judged
  WHERE event_type IN ('pipeline_node_started', 'pipeline_node_completed', 'pipeline_node_failed',
                       'pipeline_node_cancelled', 'pipeline_node_skipped')
    AND timestamp BETWEEN since AND now
  GROUP BY run_id, tenant_id, node_id, coalesce(attempt, 1), coalesce(engine_attempt, 1)
),
usual_nodes AS (
  SELECT tenant_id, pipeline_id, weir_node_of_item(node_id) AS node_id, quantile_disc(completed_ms, 0.95) AS usual_ms
  FROM executions
  WHERE completed_ms IS NOT NULL
  GROUP BY tenant_id, pipeline_id, weir_node_of_item(node_id)
  HAVING count(*) >= 5
),
open_nodes AS MATERIALIZED (
  SELECT executions.*, lives.ended_at, newest.engine_attempt > executions.engine_attempt AS is_lost
  FROM executions
  JOIN lives ON executions.run_id = lives.run_id AND executions.tenant_id IS NOT DISTINCT FROM lives.tenant_id
  JOIN (SELECT run_id, tenant_id, max(engine_attempt) AS engine_attempt FROM executions GROUP BY ALL) AS newest
    ON executions.run_id = newest.run_id AND executions.tenant_id IS NOT DISTINCT FROM newest.tenant_id
  WHERE executions.started_at IS NOT NULL AND end_type IS NULL
),
heard AS (
  SELECT logs.run_id, logs.tenant_id, logs.node_id, max(logs.timestamp) AS last_at
  FROM judged, logs
  SEMI JOIN open_nodes
    ON logs.run_id = open_nodes.run_id AND logs.tenant_id IS NOT DISTINCT FROM open_nodes.tenant_id
   AND logs.node_id = open_nodes.node_id
  WHERE logs.timestamp <= now
  GROUP BY logs.run_id, logs.tenant_id, logs.node_id
),
of_nodes AS (
  SELECT
    CASE WHEN ended_at IS NOT NULL OR is_lost THEN 'lost end'
         WHEN epoch_ms(now - last_at) > CASE WHEN usual_ms IS NULL THEN 1800000 ELSE greatest(usual_ms, 60000) END
           THEN 'stalled'
         ELSE 'open' END AS doubt,
    open_nodes.tenant_id, open_nodes.pipeline_id, open_nodes.run_id, open_nodes.node_id, started_at AS since,
    CASE WHEN is_lost THEN 'the process that ran it was lost, and the run was taken up again'
         WHEN ended_at IS NOT NULL THEN 'its run ended at ' || strftime(ended_at, '%H:%M:%S') || ' without its end'
         ELSE 'last heard of ' || weir_span_text(epoch_ms(now - last_at)) || ' ago; '
              || coalesce('19 of 20 take at most ' || weir_span_text(usual_ms), 'its history is too short to say what is usual')
         END AS evidence
  FROM open_nodes
  JOIN heard
    ON open_nodes.run_id = heard.run_id AND open_nodes.tenant_id IS NOT DISTINCT FROM heard.tenant_id
   AND open_nodes.node_id = heard.node_id
  LEFT JOIN usual_nodes
    ON open_nodes.pipeline_id = usual_nodes.pipeline_id AND weir_node_of_item(open_nodes.node_id) = usual_nodes.node_id
   AND open_nodes.tenant_id IS NOT DISTINCT FROM usual_nodes.tenant_id,
  judged
),
of_runs AS (
  SELECT
    'late' AS doubt, lives.tenant_id, lives.pipeline_id, run_id, NULL AS node_id, started_at AS since,
    'runs for ' || weir_span_text(epoch_ms(now - started_at)) || '; 19 of 20 take at most ' || weir_span_text(usual_ms)
      AS evidence
  FROM lives
  JOIN usual_runs
    ON lives.pipeline_id = usual_runs.pipeline_id AND lives.tenant_id IS NOT DISTINCT FROM usual_runs.tenant_id,
  judged
  WHERE ended_at IS NULL AND epoch_ms(now - started_at) > 2 * usual_ms + 60000
),
numbered AS (
  SELECT
    *, lag(source_seq) OVER before AS last_seq, lag(timestamp) OVER before AS last_at
  FROM (
    SELECT run_id, tenant_id, any_value(pipeline_id) AS pipeline_id, source_seq, min(timestamp) AS timestamp
    FROM events, judged
    WHERE source_seq IS NOT NULL AND timestamp BETWEEN since AND now
    GROUP BY run_id, tenant_id, source_seq)
  WINDOW before AS (PARTITION BY run_id, tenant_id ORDER BY source_seq)
),
holes AS (
  SELECT
    'gap' AS doubt, tenant_id, any_value(pipeline_id) AS pipeline_id, run_id, NULL AS node_id, min(last_at) AS since,
    sum(source_seq - last_seq - 1) || ' events are missing, the first of them number ' || min(last_seq + 1) AS evidence
  FROM numbered, judged
  WHERE source_seq > last_seq + 1 AND now - timestamp > INTERVAL 1 MINUTE
  GROUP BY tenant_id, run_id
),
-- The number of an event of another system is when it came, in microseconds.
clocks AS (
  SELECT
    'clock' AS doubt, tenant_id, any_value(pipeline_id) AS pipeline_id, run_id, NULL AS node_id,
    min(timestamp) AS since,
    CASE WHEN max(ahead_us) > 5000000
         THEN 'an event came ' || weir_span_text(max(ahead_us) / 1000) || ' before it happened'
         ELSE 'an event is ' || weir_span_text(max(back_us) / 1000) || ' older than the one before it' END AS evidence
  FROM (
    SELECT
      run_id, tenant_id, pipeline_id, timestamp,
      CASE WHEN weir_is_foreign(run_seq) THEN epoch_us(timestamp) - run_seq END AS ahead_us,
      CASE WHEN NOT weir_is_foreign(run_seq)
           THEN epoch_us(lag(timestamp) OVER (PARTITION BY run_id, tenant_id ORDER BY run_seq) - timestamp) END AS back_us
    FROM logs, judged
    WHERE timestamp >= since)
  WHERE ahead_us > 5000000 OR back_us > 1000000
  GROUP BY tenant_id, run_id
)
SELECT doubt, pipeline_id, run_id, node_id, since, evidence, tenant_id
FROM (FROM of_nodes UNION ALL FROM of_runs UNION ALL FROM holes UNION ALL FROM clocks)
ORDER BY doubt = 'open', since DESC, run_id, node_id, doubt
LIMIT 1000;
