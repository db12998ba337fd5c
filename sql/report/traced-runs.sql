-- What became of them.
SELECT
  logs.run_id,
  logs.tenant_id,
  any_value(pipeline_id) AS pipeline_id,
  coalesce(
    max(CASE event_type
          WHEN 'pipeline_completed' THEN 'completed'
          WHEN 'pipeline_failed' THEN 'failed'
          WHEN 'pipeline_cancelled' THEN 'cancelled'
        END),
    CASE WHEN any_value(pipeline_type) = 'external'
              OR list_contains(CAST(getvariable('owned') AS VARCHAR[]), logs.run_id)
         THEN 'running' ELSE 'interrupted' END) AS state,
  epoch_us(min(timestamp)) AS started_at,
  max(duration_ms) FILTER (event_type IN ('pipeline_completed', 'pipeline_failed', 'pipeline_cancelled')) AS duration_ms,
  count(*) AS events
FROM logs
SEMI JOIN traced_runs ON logs.run_id = traced_runs.run_id AND logs.tenant_id IS NOT DISTINCT FROM traced_runs.tenant_id
GROUP BY logs.run_id, logs.tenant_id
ORDER BY started_at, logs.run_id, logs.tenant_id;
