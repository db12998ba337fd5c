-- Which runs are stuck or late, and which were never started?
-- now: the time to judge by, YYYY-MM-DD HH:MM:SS in UTC; the present if it is not set. Measured by the history
-- of the pipeline, from five runs on. A run is stuck when it has said nothing for as long as all of it takes
-- in 19 of 20 cases, and for half an hour at least; late when it goes on and has taken twice as long as that,
-- and a minute at least. A pipeline was not started when the run that its `expect` says was due has not begun
-- within the `grace`; or, without `expect`, when twice its usual time between starts, that of 19 of 20 cases
-- and half an hour have gone by. due_at is when it should have been; since, its last start, or if there was
-- none, when its `expect` was recorded.
WITH
judged AS (SELECT coalesce(getvariable('now')::TIMESTAMP, now()::TIMESTAMP) AS now),
-- What is said of whole runs: a few events of each, read once. A process says nothing of the kind of itself,
-- so `logs` would have to look at two columns more.
bounds AS MATERIALIZED (
  SELECT run_id, tenant_id, pipeline_id, event_type, timestamp, duration_ms
  FROM events
  WHERE event_type IN ('pipeline_started', 'pipeline_completed', 'pipeline_failed', 'pipeline_cancelled')
    AND timestamp <= coalesce(getvariable('now')::TIMESTAMP, now()::TIMESTAMP)
),
finished AS (
  SELECT tenant_id, pipeline_id, count(*) AS times, quantile_disc(duration_ms, 0.95) AS usual_ms
  FROM bounds
  WHERE event_type = 'pipeline_completed'
  GROUP BY tenant_id, pipeline_id
),
open_ids AS MATERIALIZED (
  SELECT run_id, tenant_id
  FROM bounds
  GROUP BY run_id, tenant_id
  HAVING bool_and(event_type = 'pipeline_started')
),
open_runs AS (
  SELECT
    run_id, tenant_id, any_value(pipeline_id) AS pipeline_id, min(timestamp) AS started_at, max(timestamp) AS last_at
  FROM events
  SEMI JOIN open_ids ON events.run_id = open_ids.run_id AND events.tenant_id IS NOT DISTINCT FROM open_ids.tenant_id
  WHERE timestamp <= coalesce(getvariable('now')::TIMESTAMP, now()::TIMESTAMP)
  GROUP BY run_id, tenant_id
),
starts AS (
  SELECT
    tenant_id,
    pipeline_id,
    timestamp,
    epoch_ms(timestamp - lag(timestamp) OVER (PARTITION BY tenant_id, pipeline_id ORDER BY timestamp)) AS since_ms
  FROM bounds
  WHERE event_type = 'pipeline_started'
),
rhythm AS (
  SELECT
    tenant_id,
    pipeline_id,
    count(*) AS times,
    max(timestamp) AS last_start,
    greatest(2 * median(since_ms), quantile_disc(since_ms, 0.95), 1800000) AS usual_ms
  FROM starts
  GROUP BY tenant_id, pipeline_id
),
-- What the pipelines' files say is expected, and since when.
validated AS (
  SELECT
    tenant_id, timestamp, run_seq,
    attributes ->> '$.pipeline_id' AS expected_id,
    attributes ->> '$.expect' AS expect
  FROM events
  WHERE event_type = 'pipeline_validated' AND outcome IS DISTINCT FROM 'errors'
),
latest AS (
  SELECT
    *,
    last_value(expect) OVER (
      PARTITION BY tenant_id, expected_id ORDER BY timestamp, run_seq
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS last_expect
  FROM validated, judged
  WHERE timestamp <= now
),
expected AS (
  SELECT
    tenant_id,
    expected_id AS pipeline_id,
    min(timestamp) AS known_at,
    any_value(to_milliseconds(least(TRY_CAST(expect ->> '$.every_ms' AS BIGINT), 1000000000000))) AS every,
    any_value(regexp_split_to_array(trim(expect ->> '$.cron'), ' +')) AS cron,
    any_value(to_milliseconds(least(coalesce(TRY_CAST(expect ->> '$.grace_ms' AS BIGINT), 0), 1000000000000))) AS grace
  FROM latest
  WHERE expect = last_expect
  GROUP BY tenant_id, expected_id
),
due AS (
  SELECT
    coalesce(expected.tenant_id, rhythm.tenant_id) AS tenant_id,
    coalesce(expected.pipeline_id, rhythm.pipeline_id) AS pipeline_id,
    last_start,
    coalesce(last_start, known_at) AS since,
    CASE WHEN known_at IS NULL THEN last_start + to_milliseconds(usual_ms::BIGINT)
         WHEN cron IS NULL THEN coalesce(last_start, known_at) + every
         ELSE weir_cron_last(cron, known_at, now - grace) END AS due_at,
    coalesce(grace, INTERVAL 0 SECOND) AS grace,
    CASE WHEN known_at IS NULL THEN usual_ms END AS usual_ms
  FROM expected
  FULL JOIN rhythm
    ON expected.pipeline_id = rhythm.pipeline_id AND expected.tenant_id IS NOT DISTINCT FROM rhythm.tenant_id,
  judged
  WHERE known_at IS NOT NULL OR times >= 5
),
problems AS (
  SELECT
    CASE WHEN epoch_ms(now - last_at) > greatest(coalesce(usual_ms, 0), 1800000) THEN 'stuck'
         WHEN epoch_ms(now - started_at) > 2 * usual_ms AND now - started_at > INTERVAL 1 MINUTE THEN 'late'
         END AS problem,
    open_runs.pipeline_id, run_id, started_at AS since, NULL AS due_at, epoch_ms(now - last_at) AS silent_ms, usual_ms,
    open_runs.tenant_id
  FROM open_runs
  LEFT JOIN (FROM finished WHERE times >= 5) AS known
    ON open_runs.pipeline_id = known.pipeline_id AND open_runs.tenant_id IS NOT DISTINCT FROM known.tenant_id,
  judged
  UNION ALL
  SELECT 'not started', pipeline_id, NULL, since, due_at, NULL, usual_ms, tenant_id
  FROM due, judged
  WHERE now > due_at + grace AND coalesce(last_start < due_at, true)
)
SELECT
  problem, pipeline_id, run_id, since, epoch_ms(now - since) AS for_ms, silent_ms, round(usual_ms, 1) AS usual_ms,
  due_at, tenant_id
FROM problems, judged
WHERE problem IS NOT NULL
ORDER BY problem DESC, for_ms DESC, pipeline_id, run_id;
