-- One row a span: runs, attempts, and what other systems have told. Without an end it is open.
CREATE VIEW spans AS
SELECT
  trace_id,
  span_id,
  any_value(parent_span_id) AS parent_span_id,
  run_id,
  any_value(node_id) AS node_id,
  coalesce(any_value(node_id), any_value(operation), any_value(pipeline_id)) AS name,
  min(timestamp) AS started_at,
  max(timestamp) FILTER (event_type NOT LIKE '%\_started' ESCAPE '\') AS ended_at,
  max(duration_ms) AS duration_ms,
  CASE
    WHEN bool_or(event_type LIKE '%\_failed' ESCAPE '\') THEN 'ERROR'
    WHEN bool_or(event_type NOT LIKE '%\_started' ESCAPE '\') THEN 'OK'
  END AS status,
  any_value(error_type) AS error_type,
  tenant_id
FROM logs
WHERE span_id IS NOT NULL
  AND event_type IN ('pipeline_started', 'pipeline_completed', 'pipeline_failed', 'pipeline_cancelled',
                     'pipeline_node_started', 'pipeline_node_completed', 'pipeline_node_failed',
                     'pipeline_node_cancelled', 'span')
GROUP BY trace_id, span_id, run_id, tenant_id;
