-- Which runs have no end, the newest first? They go on, or their process was lost. Of other systems' runs
-- those that have said something since `silent`, in microseconds.
WITH unfinished AS MATERIALIZED (
  (SELECT run_id, tenant_id FROM logs WHERE event_type = 'pipeline_started'
   UNION
   SELECT run_id, tenant_id
   FROM logs
   WHERE pipeline_type = 'external' AND epoch_us(timestamp) >= getvariable('silent')::BIGINT)
  EXCEPT
  SELECT run_id, tenant_id
  FROM logs
  WHERE event_type IN ('pipeline_completed', 'pipeline_failed', 'pipeline_cancelled')
)
SELECT
  run_id,
  any_value(pipeline_type) AS pipeline_type,
  epoch_us(min(timestamp)) AS started_at,
  epoch_us(max(timestamp)) AS last_event_at,
  tenant_id
FROM logs
SEMI JOIN unfinished ON logs.run_id = unfinished.run_id AND logs.tenant_id IS NOT DISTINCT FROM unfinished.tenant_id
GROUP BY run_id, tenant_id
ORDER BY started_at DESC, run_id DESC, tenant_id
