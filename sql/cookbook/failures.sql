-- What failed, how often, and when last?
SELECT
  pipeline_id,
  node_id,
  error_type,
  count(*) AS failures,
  max(timestamp) AS last_seen,
  arg_max(error_message, timestamp) AS last_message
FROM logs
WHERE event_type = 'pipeline_node_failed'
GROUP BY ALL
ORDER BY failures DESC, last_seen DESC
LIMIT 20;
