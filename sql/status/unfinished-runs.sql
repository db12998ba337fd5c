-- Which runs have no end, the newest first? They go on, or their process was lost.
SELECT
  run_id,
  any_value(pipeline_type) AS pipeline_type,
  epoch_us(min(timestamp)) AS started_at,
  epoch_us(max(timestamp)) AS last_event_at
FROM logs
GROUP BY run_id
HAVING NOT bool_or(event_type IN ('pipeline_completed', 'pipeline_failed', 'pipeline_cancelled'))
ORDER BY started_at DESC, run_id DESC
