-- Where are events missing, and where was a run silent for long?
-- silence_s: how long, in seconds; 300 if it is not set. Events are missing where the numbers that a
-- producer gave its events have a hole, or where somebody noticed it at the time (projection_gap).
WITH
limits AS (SELECT coalesce(getvariable('silence_s')::DOUBLE, 300) AS silence_s),
numbered AS (
  SELECT
    run_id, pipeline_id, timestamp, source_seq,
    lag(source_seq) OVER before AS last_seq,
    lag(timestamp) OVER before AS last_at
  FROM (
    SELECT DISTINCT ON (run_id, tenant_id, source_seq) run_id, tenant_id, pipeline_id, timestamp, source_seq
    FROM events
    WHERE source_seq IS NOT NULL)
  WINDOW before AS (PARTITION BY run_id, tenant_id ORDER BY source_seq)
),
long_runs AS MATERIALIZED (
  SELECT run_id, tenant_id
  FROM logs
  GROUP BY run_id, tenant_id
  HAVING epoch_ms(max(timestamp) - min(timestamp)) > 1000 * (SELECT silence_s FROM limits)
),
timed AS (
  SELECT
    run_id, pipeline_id, timestamp,
    lag(timestamp) OVER (PARTITION BY run_id, tenant_id ORDER BY timestamp, run_seq) AS last_at
  FROM logs
  SEMI JOIN long_runs ON logs.run_id = long_runs.run_id AND logs.tenant_id IS NOT DISTINCT FROM long_runs.tenant_id
)
SELECT
  'missing events' AS gap, pipeline_id, run_id, last_at AS from_time, timestamp AS to_time,
  source_seq - last_seq - 1 AS events, last_seq + 1 AS first_missing, source_seq - 1 AS last_missing
FROM numbered
WHERE source_seq > last_seq + 1
UNION ALL
SELECT 'noticed gap', NULL, target_run_id, NULL, timestamp, NULL, NULL, NULL
FROM events
WHERE event_type = 'projection_gap'
UNION ALL
SELECT 'silence', pipeline_id, run_id, last_at, timestamp, NULL, NULL, NULL
FROM timed, limits
WHERE epoch_ms(timestamp - last_at) > 1000 * silence_s
ORDER BY to_time DESC, run_id, gap
LIMIT 200;
