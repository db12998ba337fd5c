-- One row a node of a run, as it is after its last event: what an earlier attempt said of its end is in
-- `attempts`. Of a trace the spans below its root are its nodes. Where whoever told of a node did not say how
-- long it took, it took from its first start to its end.
CREATE VIEW nodes AS
SELECT
  * EXCLUDE (is_foreign) REPLACE (
    CASE WHEN duration_ms IS NULL AND is_foreign THEN weir_ms_between(started_at, ended_at)
         ELSE duration_ms END AS duration_ms)
FROM (
  SELECT
    run_id,
    any_value(pipeline_id) AS pipeline_id,
    node_id,
    max(weir_attempt(attempt, run_seq)) AS attempt,
    any_value(plugin_id) AS plugin_id,
    any_value(tool_id) AS tool_id,
    any_value(step_index) AS step_index,
    arg_max(state, place) AS state,
    min(CASE event_type WHEN 'pipeline_node_started' THEN timestamp
                        WHEN 'span' THEN weir_begin_of_span(timestamp, duration_ms) END) AS started_at,
    arg_max_null(CASE WHEN state <> 'unfinished' THEN timestamp END, place) AS ended_at,
    arg_max_null(duration_ms, place) AS duration_ms,
    arg_max_null(cpu_ms, place) AS cpu_ms,
    arg_max_null(memory_bytes, place) AS memory_bytes,
    arg_max_null(rows, place) AS rows,
    max(predecessor_node_ids) AS predecessor_node_ids,
    arg_max_null(cache_hit, place) AS cache_hit,
    arg_max_null(error_type, place) AS error_type,
    arg_max_null(error_message, place) AS error_message,
    tenant_id,
    arg_max_null(read_bytes, place) AS read_bytes,
    arg_max_null(written_bytes, place) AS written_bytes,
    weir_is_foreign(max(run_seq)) AS is_foreign
  FROM (
    SELECT
      *,
      weir_state_after(event_type, duration_ms, level) AS state,
      -- Events of other systems may come in any order; of two of one time the start is the first. An open span
      -- says only that nothing of its node has ended yet.
      CASE WHEN NOT weir_is_foreign(run_seq) THEN run_seq
           WHEN event_type = 'span' AND duration_ms IS NULL THEN -9e18::BIGINT
           ELSE 2 * epoch_us(timestamp) + (weir_state_after(event_type, duration_ms, level) <> 'unfinished')::BIGINT
      END AS place
    FROM logs
    WHERE event_type IN ('pipeline_node_started', 'pipeline_node_completed', 'pipeline_node_failed',
                         'pipeline_node_cancelled', 'pipeline_node_skipped', 'span')
      AND (event_type <> 'span' OR weir_is_of_trace(event_type, source) AND node_id IS NOT NULL)
  )
  GROUP BY run_id, tenant_id, node_id
);
