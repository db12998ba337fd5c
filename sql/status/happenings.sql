-- What happened that people want to hear of? The newest of each kind; what waits for a person, all.
-- `recent`: how many; `day`: the time from which on notifications are news.
WITH told AS MATERIALIZED (
  SELECT
    epoch_us(timestamp) AS at_us, event_type, level, run_id, run_seq, pipeline_id, node_id, agent_id,
    actor_id, message, reason, outcome, error_type, error_message, artifact_path, artifact_sha256,
    target_run_id, duration_ms, written_bytes, tenant_id,
    CASE WHEN event_type IN ('alert_fired', 'alert_resolved')
      THEN coalesce(attributes ->> '$.alert', error_code, message) END AS alert
  FROM events
  WHERE event_type IN ('pipeline_completed', 'pipeline_failed', 'pipeline_cancelled',
                       'pipeline_node_failed', 'approval_decided', 'agent_run', 'artifact_written',
                       'artifact_reviewed', 'notification', 'alert_fired', 'alert_resolved')
),
recent AS (
  FROM told
  WHERE event_type IN ('pipeline_completed', 'pipeline_failed', 'pipeline_cancelled',
                       'pipeline_node_failed', 'approval_decided', 'agent_run', 'artifact_reviewed')
  ORDER BY at_us DESC, run_seq DESC
  LIMIT getvariable('recent')::BIGINT
),
notifications AS (
  FROM told
  WHERE event_type = 'notification' AND at_us >= getvariable('day')::BIGINT
  ORDER BY at_us DESC, run_seq DESC
  LIMIT getvariable('recent')::BIGINT
),
-- Of each alert the last word.
alerts AS (
  FROM told
  WHERE event_type IN ('alert_fired', 'alert_resolved') AND at_us >= getvariable('day')::BIGINT
  QUALIFY event_type = 'alert_fired'
    AND row_number() OVER (PARTITION BY alert, target_run_id ORDER BY at_us DESC, run_seq DESC) = 1
),
-- The newest content of each artifact, when nobody has judged it.
reviews AS (
  FROM (
    FROM told
    WHERE event_type = 'artifact_written'
    QUALIFY row_number() OVER (PARTITION BY tenant_id, pipeline_id, artifact_path ORDER BY at_us DESC, run_seq DESC) = 1
  ) AS newest
  WHERE NOT EXISTS (
    FROM told AS review
    WHERE review.event_type = 'artifact_reviewed'
      AND review.artifact_sha256 = newest.artifact_sha256
      AND review.tenant_id IS NOT DISTINCT FROM newest.tenant_id)
  ORDER BY at_us DESC
  LIMIT 10000
)
FROM recent
UNION
FROM notifications
UNION
FROM alerts
UNION
FROM reviews
ORDER BY at_us, run_seq
