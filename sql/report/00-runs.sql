-- The runs that a report is about: those that began in the window, and what became of each.
CREATE OR REPLACE TEMP TABLE report_runs AS
WITH lives AS (
  SELECT
    run_id,
    tenant_id,
    any_value(pipeline_id) AS pipeline_id,
    coalesce(any_value(workflow_id), any_value(pipeline_id)) AS workflow,
    any_value(pipeline_type) AS pipeline_type,
    max(CASE event_type
          WHEN 'pipeline_completed' THEN 'completed'
          WHEN 'pipeline_failed' THEN 'failed'
          WHEN 'pipeline_cancelled' THEN 'cancelled'
          WHEN 'span' THEN weir_state_of_span(duration_ms, level)
        END) FILTER (is_end) AS end_state,
    min(CASE event_type WHEN 'span' THEN weir_begin_of_span(timestamp, duration_ms) ELSE timestamp END)
      FILTER (event_type IN ('pipeline_started', 'span')) AS begun_at,
    max(timestamp) FILTER (is_end) AS ended_at,
    -- Longer than thirty years is another system's mistake.
    max(duration_ms) FILTER (is_end AND duration_ms BETWEEN 0 AND 1e12) AS duration_ms
  FROM (
    -- A trace of another system begins with its first span and ends with its root, as the view `runs` has it.
    SELECT *, CASE event_type WHEN 'pipeline_started' THEN false
                              WHEN 'span' THEN node_id IS NULL AND duration_ms IS NOT NULL
                              ELSE true END AS is_end
    FROM logs
    WHERE event_type IN ('pipeline_started', 'pipeline_completed', 'pipeline_failed', 'pipeline_cancelled')
       OR weir_is_of_trace(event_type, source))
  WHERE timestamp >= CAST(getvariable('since') AS TIMESTAMP)
    AND (getvariable('pipeline_id') IS NULL OR pipeline_id = getvariable('pipeline_id'))
    AND (getvariable('tenant_id') IS NULL OR tenant_id = getvariable('tenant_id'))
  GROUP BY run_id, tenant_id
), dated AS (
  -- One that was refused has an end alone, and so has one that began before the window.
  SELECT *, coalesce(begun_at, ended_at - to_microseconds(CAST(coalesce(duration_ms, 0) * 1000 AS BIGINT))) AS started_at
  FROM lives
)
SELECT
  CAST(row_number() OVER () AS INTEGER) AS run_key,
  run_id,
  tenant_id,
  pipeline_id,
  workflow,
  coalesce(
    end_state,
    CASE WHEN pipeline_type = 'external' OR list_contains(CAST(getvariable('owned') AS VARCHAR[]), run_id)
         THEN 'running' ELSE 'interrupted' END) AS state,
  started_at,
  ended_at,
  CASE WHEN end_state IS NOT NULL THEN duration_ms END AS duration_ms
FROM dated
WHERE started_at >= CAST(getvariable('since') AS TIMESTAMP)
  AND started_at < CAST(getvariable('until') AS TIMESTAMP);
