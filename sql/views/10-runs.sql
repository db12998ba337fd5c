-- One row a run: two tenants may have one run_id. A run without a terminal event is running, or was
-- interrupted: only its lock tells. A trace of another system is a run that begins with its first span and
-- ends with its root. Where whoever told of a run did not say how long it took, it took from its first start
-- to its end.
CREATE VIEW runs AS
SELECT
  * EXCLUDE (first_failed_node_id, first_start) REPLACE (
    CASE WHEN duration_ms IS NULL AND pipeline_type = 'external' THEN weir_ms_between(first_start, ended_at)
         ELSE duration_ms END AS duration_ms,
    CASE WHEN failed_node_id IS NULL AND pipeline_type = 'external' AND state = 'failed' THEN first_failed_node_id
         ELSE failed_node_id END AS failed_node_id)
FROM (
  SELECT
    run_id,
    any_value(pipeline_id) AS pipeline_id,
    any_value(pipeline_version) AS pipeline_version,
    any_value(pipeline_type) AS pipeline_type,
    -- A run ends once: what is told of another end comes later.
    coalesce(arg_min(end_state, run_seq) FILTER (end_state IS NOT NULL), 'unfinished') AS state,
    min(CASE WHEN weir_is_of_trace(event_type, source) THEN weir_begin_of_span(timestamp, duration_ms)
             ELSE timestamp END) AS started_at,
    arg_min(timestamp, run_seq) FILTER (end_state IS NOT NULL) AS ended_at,
    arg_min(duration_ms, run_seq) FILTER (end_state IS NOT NULL) AS duration_ms,
    max(node_count) AS node_count,
    count(DISTINCT node_id) FILTER (node_state = 'completed') AS completed_nodes,
    max(failed_node_id) AS failed_node_id,
    max(error_type) FILTER (end_state = 'failed') AS error_type,
    max(error_message) FILTER (end_state = 'failed') AS error_message,
    count(*) AS events,
    tenant_id,
    arg_min(node_id, timestamp) FILTER (node_state = 'failed') AS first_failed_node_id,
    min(timestamp) FILTER (event_type = 'pipeline_started') AS first_start
  FROM (
    SELECT
      *,
      CASE event_type
        WHEN 'pipeline_completed' THEN 'completed'
        WHEN 'pipeline_failed' THEN 'failed'
        WHEN 'pipeline_cancelled' THEN 'cancelled'
        WHEN 'span' THEN CASE WHEN weir_is_of_trace(event_type, source) AND node_id IS NULL AND duration_ms IS NOT NULL
                              THEN weir_state_of_span(duration_ms, level) END
      END AS end_state,
      CASE event_type
        WHEN 'pipeline_node_completed' THEN 'completed'
        WHEN 'pipeline_node_failed' THEN 'failed'
        WHEN 'span' THEN CASE WHEN weir_is_of_trace(event_type, source) THEN weir_state_of_span(duration_ms, level) END
      END AS node_state
    FROM logs
  )
  GROUP BY run_id, tenant_id
);
