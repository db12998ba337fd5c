-- What did the failed node of the latest failed run say?
-- run_id: of which run; the latest that failed if it is not set.
WITH
chosen AS MATERIALIZED (
  SELECT run_id, tenant_id
  FROM logs
  WHERE CASE WHEN getvariable('run_id') IS NULL
             THEN event_type = 'pipeline_failed'
             ELSE run_id = getvariable('run_id') END
  ORDER BY timestamp DESC, run_id DESC
  LIMIT 1
),
failed AS MATERIALIZED (
  SELECT run_id, tenant_id, arg_max(failed_node_id, run_seq) AS failed_node_id
  FROM logs SEMI JOIN chosen ON logs.run_id = chosen.run_id AND logs.tenant_id IS NOT DISTINCT FROM chosen.tenant_id
  WHERE event_type = 'pipeline_failed'
  GROUP BY run_id, tenant_id
)
SELECT logs.timestamp, logs.level, logs.event_type, coalesce(logs.message, logs.error_message) AS text
FROM logs
JOIN failed
  ON logs.run_id = failed.run_id AND logs.tenant_id IS NOT DISTINCT FROM failed.tenant_id
 AND logs.node_id = failed.failed_node_id
ORDER BY logs.run_seq;
