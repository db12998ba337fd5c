-- How the plugins did, as the calls of their tools tell that ended here.
WITH calls AS (
  SELECT
    plugin_id, timestamp, duration_ms, error_type, error_message,
    event_type = 'pipeline_node_failed' AS has_failed,
    row_number() OVER (PARTITION BY plugin_id ORDER BY timestamp DESC, run_id DESC, run_seq DESC) AS age
  FROM events
  WHERE event_type IN ('pipeline_node_completed', 'pipeline_node_failed')
    AND plugin_id IS NOT NULL
    AND pipeline_type <> 'external'
    AND outcome IS DISTINCT FROM 'cached'
)
SELECT
  plugin_id,
  count(*) FILTER (NOT has_failed) AS successes,
  count(*) FILTER (has_failed) AS failures,
  bool_or(has_failed AND age = 1) AS has_failed,
  any_value(concat_ws(': ', error_type, error_message)) FILTER (has_failed AND age = 1) AS reason,
  any_value(duration_ms) FILTER (age = 1) AS last_ms,
  avg(duration_ms) FILTER (age <= 10) AS average_ms,
  epoch_us(max(timestamp)) AS last_used
FROM calls
GROUP BY plugin_id
ORDER BY plugin_id
