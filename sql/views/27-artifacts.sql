-- One row each time something was kept, with the last judgement of a person on its content.
CREATE VIEW artifacts AS
SELECT
  written.timestamp AS written_at,
  written.run_id,
  written.node_id,
  written.artifact_path,
  written.artifact_sha256,
  review.outcome AS review,
  review.actor_id AS reviewed_by,
  review.timestamp AS reviewed_at,
  written.tenant_id
FROM events AS written
LEFT JOIN (
  SELECT
    artifact_sha256,
    arg_max(outcome, timestamp) AS outcome,
    arg_max(actor_id, timestamp) AS actor_id,
    max(timestamp) AS timestamp
  FROM events
  WHERE event_type = 'artifact_reviewed'
  GROUP BY artifact_sha256
) AS review USING (artifact_sha256)
WHERE written.event_type = 'artifact_written';
