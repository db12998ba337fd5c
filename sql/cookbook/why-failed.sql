-- What did the failed node of the latest failed run say?
SELECT logs.timestamp, logs.level, logs.event_type, coalesce(logs.message, logs.error_message) AS text
FROM logs
JOIN (
  SELECT run_id, tenant_id, failed_node_id
  FROM runs
  WHERE state = 'failed'
  ORDER BY ended_at DESC, run_id DESC
  LIMIT 1
) AS run
  ON logs.run_id = run.run_id AND logs.tenant_id IS NOT DISTINCT FROM run.tenant_id
 AND logs.node_id = run.failed_node_id
ORDER BY logs.run_seq;
