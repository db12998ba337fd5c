-- One row each time something was kept, with the last judgement of its tenant's people on its content.
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
    tenant_id,
    artifact_sha256,
    arg_max(outcome, timestamp) AS outcome,
    arg_max(actor_id, timestamp) AS actor_id,
    max(timestamp) AS timestamp
  FROM events
  WHERE event_type = 'artifact_reviewed'
  GROUP BY tenant_id, artifact_sha256
) AS review
  ON review.artifact_sha256 = written.artifact_sha256 AND review.tenant_id IS NOT DISTINCT FROM written.tenant_id
WHERE written.event_type = 'artifact_written';
