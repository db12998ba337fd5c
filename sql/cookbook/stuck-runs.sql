-- Which runs are stuck or late, and which were never started?
-- Measured by the history of the pipeline, from five runs on. now: the time to judge by, YYYY-MM-DD
-- HH:MM:SS in UTC; the present if it is not set. A run is stuck when it has said nothing for as long as
-- all of it takes in 19 of 20 cases, and for half an hour at least; late when it goes on and has taken
-- twice as long as that; a pipeline was not started when twice its usual time between starts, and that of
-- 19 of 20 cases, has gone by.
WITH
judged AS (SELECT coalesce(getvariable('now')::TIMESTAMP, now()::TIMESTAMP) AS now),
-- What is said of whole runs: a few events of each, read once. A process says nothing of the kind of itself,
-- so `logs` would have to look at two columns more.
bounds AS MATERIALIZED (
  SELECT run_id, tenant_id, pipeline_id, event_type, timestamp, duration_ms
  FROM events
  WHERE event_type IN ('pipeline_started', 'pipeline_completed', 'pipeline_failed', 'pipeline_cancelled')
),
finished AS (
  SELECT pipeline_id, count(*) AS times, quantile_disc(duration_ms, 0.95) AS usual_ms
  FROM bounds
  WHERE event_type = 'pipeline_completed'
  GROUP BY pipeline_id
),
open_ids AS MATERIALIZED (
  SELECT run_id, tenant_id
  FROM bounds
  GROUP BY run_id, tenant_id
  HAVING bool_and(event_type = 'pipeline_started')
),
open_runs AS (
  SELECT run_id, any_value(pipeline_id) AS pipeline_id, min(timestamp) AS started_at, max(timestamp) AS last_at
  FROM events
  SEMI JOIN open_ids ON events.run_id = open_ids.run_id AND events.tenant_id IS NOT DISTINCT FROM open_ids.tenant_id
  GROUP BY run_id, tenant_id
),
starts AS (
  SELECT
    pipeline_id,
    timestamp,
    epoch_ms(timestamp - lag(timestamp) OVER (PARTITION BY pipeline_id ORDER BY timestamp)) AS since_ms
  FROM bounds
  WHERE event_type = 'pipeline_started'
),
rhythm AS (
  SELECT
    pipeline_id,
    max(timestamp) AS last_start,
    greatest(2 * median(since_ms), quantile_disc(since_ms, 0.95)) AS usual_ms
  FROM starts
  GROUP BY pipeline_id
  HAVING count(*) >= 5
),
problems AS (
  SELECT
    CASE WHEN epoch_ms(now - last_at) > greatest(coalesce(usual_ms, 0), 1800000) THEN 'stuck'
         WHEN epoch_ms(now - started_at) > 2 * usual_ms THEN 'late' END AS problem,
    pipeline_id, run_id, started_at AS since, epoch_ms(now - last_at) AS silent_ms,
    epoch_ms(now - started_at) AS for_ms, usual_ms
  FROM open_runs
  LEFT JOIN (FROM finished WHERE times >= 5) AS known USING (pipeline_id), judged
  UNION ALL
  SELECT 'not started', pipeline_id, NULL, last_start, NULL, epoch_ms(now - last_start), usual_ms
  FROM rhythm, judged
  WHERE epoch_ms(now - last_start) > usual_ms
)
SELECT problem, pipeline_id, run_id, since, for_ms, silent_ms, round(usual_ms, 1) AS usual_ms
FROM problems
WHERE problem IS NOT NULL
ORDER BY problem DESC, for_ms DESC, pipeline_id, run_id;
