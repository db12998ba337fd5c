-- One row a hook: what it did, over all processes that told (docs/reference/hooks.md).
CREATE VIEW hooks AS
SELECT
  attributes ->> 'hook' AS hook,
  sum((attributes ->> 'calls')::BIGINT)::BIGINT AS calls,
  sum((attributes ->> 'errors')::BIGINT)::BIGINT AS errors,
  sum((attributes ->> 'timeouts')::BIGINT)::BIGINT AS timeouts,
  sum((attributes ->> 'dropped')::BIGINT)::BIGINT AS dropped_events,
  sum(duration_ms) AS duration_ms,
  sum(duration_ms) / nullif(sum((attributes ->> 'calls')::BIGINT), 0) AS avg_ms,
  count(DISTINCT run_id) FILTER (event_type = 'hook_calls') AS processes,
  max(timestamp) AS last_told_at,
  arg_max(error_type, timestamp) AS last_error_type,
  arg_max(error_message, timestamp) AS last_error_message
FROM events
WHERE event_type IN ('hook_calls', 'hook_failed') AND pipeline_type = 'external' AND pipeline_id = 'weir'
GROUP BY hook;
