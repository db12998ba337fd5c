-- One row a span: runs, executions of nodes, and what other systems have told. Without an end it is open;
-- with the status LOST its process was lost, and the run has been resumed: nobody knows when it ended.
CREATE VIEW spans AS
SELECT
  told.* EXCLUDE (engine_attempt) REPLACE (
    CASE WHEN status IS NULL AND node_id IS NOT NULL AND told.engine_attempt < taken_up.engine_attempt THEN 'LOST'
         ELSE status END AS status)
FROM (
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
    tenant_id,
    coalesce(max(engine_attempt), 1) AS engine_attempt
  FROM logs
  WHERE span_id IS NOT NULL
    AND event_type IN ('pipeline_started', 'pipeline_completed', 'pipeline_failed', 'pipeline_cancelled',
                       'pipeline_node_started', 'pipeline_node_completed', 'pipeline_node_failed',
                       'pipeline_node_cancelled', 'span')
  GROUP BY trace_id, span_id, run_id, tenant_id
) AS told
LEFT JOIN weir_taken_up() AS taken_up
  ON told.run_id = taken_up.run_id AND told.tenant_id IS NOT DISTINCT FROM taken_up.tenant_id;
