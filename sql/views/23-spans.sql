-- One row a span: runs, executions of nodes, and what other systems have told. Without an end it is open;
-- with the status LOST its process was lost, and the run has been resumed: nobody knows when it ended.
CREATE VIEW spans AS
SELECT
  told.* EXCLUDE (engine_attempt, pipeline_type) REPLACE (
    CASE WHEN status IS NULL AND node_id IS NOT NULL AND told.engine_attempt < taken_up.engine_attempt THEN 'LOST'
         ELSE status END AS status,
    CASE WHEN duration_ms IS NULL AND pipeline_type = 'external' THEN weir_ms_between(started_at, ended_at)
         ELSE duration_ms END AS duration_ms)
FROM (
  SELECT
    trace_id,
    span_id,
    any_value(parent_span_id) AS parent_span_id,
    run_id,
    any_value(node_id) AS node_id,
    coalesce(
      any_value(node_id),
      any_value(operation),
      any_value(CASE WHEN event_type = 'span' THEN pipeline_name END),
      any_value(pipeline_id)) AS name,
    min(CASE WHEN event_type = 'span' THEN weir_begin_of_span(timestamp, duration_ms) ELSE timestamp END) AS started_at,
    max(timestamp) FILTER (end_status IS NOT NULL) AS ended_at,
    max(duration_ms) AS duration_ms,
    min(end_status) AS status,  -- of a node that is tried again, ERROR
    any_value(error_type) AS error_type,
    tenant_id,
    coalesce(max(engine_attempt), 1) AS engine_attempt,
    any_value(pipeline_type) AS pipeline_type
  FROM (
    SELECT
      *,
      CASE
        WHEN event_type IN ('pipeline_node_started', 'pipeline_started') THEN NULL
        WHEN event_type IN ('pipeline_node_failed', 'pipeline_failed') THEN 'ERROR'
        WHEN event_type <> 'span' THEN 'OK'
        WHEN duration_ms IS NULL THEN NULL
        WHEN level IN ('ERROR', 'FATAL') THEN 'ERROR'
        ELSE 'OK'
      END AS end_status
    FROM logs
    WHERE span_id IS NOT NULL
      AND event_type IN ('pipeline_started', 'pipeline_completed', 'pipeline_failed', 'pipeline_cancelled',
                         'pipeline_node_started', 'pipeline_node_completed', 'pipeline_node_failed',
                         'pipeline_node_cancelled', 'span')
  )
  GROUP BY trace_id, span_id, run_id, tenant_id
) AS told
LEFT JOIN weir_taken_up() AS taken_up
  ON told.run_id = taken_up.run_id AND told.tenant_id IS NOT DISTINCT FROM taken_up.tenant_id;
