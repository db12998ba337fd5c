-- What was recorded as an error in the window, and agents that failed. An error that another event
-- tells again counts once: a run's that names the node, and a child run's in its parent.
CREATE OR REPLACE TEMP VIEW report_errors AS
SELECT *, coalesce(error_type, CASE WHEN event_type = 'agent_run' THEN outcome END, event_type) AS type
FROM logs
WHERE (level IN ('ERROR', 'FATAL')
       OR (event_type = 'agent_run' AND outcome IN ('failure', 'failed', 'error', 'timeout')))
  AND NOT (event_type = 'pipeline_failed' AND failed_node_id IS NOT NULL)
  AND event_type NOT IN ('pipeline_child_failed', 'node_wide', 'pipeline_wide')
  AND timestamp >= CAST(getvariable('since') AS TIMESTAMP)
  AND timestamp < CAST(getvariable('until') AS TIMESTAMP)
  AND (getvariable('pipeline_id') IS NULL OR pipeline_id = getvariable('pipeline_id'))
  AND (getvariable('tenant_id') IS NULL OR tenant_id = getvariable('tenant_id'));
