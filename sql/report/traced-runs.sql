-- The runs of a workflow, or a run and those that it and they started.
WITH RECURSIVE children AS MATERIALIZED (
  SELECT DISTINCT run_id, target_run_id FROM logs WHERE event_type = 'pipeline_child_spawned'
), members AS (
  SELECT DISTINCT run_id FROM logs WHERE workflow_id = getvariable('id') OR run_id = getvariable('id')
  UNION
  SELECT children.target_run_id FROM children JOIN members USING (run_id)
)
SELECT
  run_id,
  any_value(pipeline_id) AS pipeline_id,
  coalesce(
    max(CASE event_type
          WHEN 'pipeline_completed' THEN 'completed'
          WHEN 'pipeline_failed' THEN 'failed'
          WHEN 'pipeline_cancelled' THEN 'cancelled'
        END),
    CASE WHEN any_value(pipeline_type) = 'external'
              OR list_contains(CAST(getvariable('owned') AS VARCHAR[]), run_id)
         THEN 'running' ELSE 'interrupted' END) AS state,
  epoch_us(min(timestamp)) AS started_at,
  max(duration_ms) FILTER (event_type IN ('pipeline_completed', 'pipeline_failed', 'pipeline_cancelled')) AS duration_ms,
  count(*) AS events
FROM logs JOIN members USING (run_id)
GROUP BY run_id
ORDER BY started_at, run_id;
