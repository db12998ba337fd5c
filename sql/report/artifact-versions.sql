-- The contents that artifacts had, the newest first. Of a content that was written again, without
-- another in between, the first time counts.
WITH written AS (
  SELECT
    *,
    lag(artifact_sha256) OVER (PARTITION BY tenant_id, pipeline_id, artifact_path ORDER BY timestamp, run_id, run_seq) AS earlier
  FROM logs
  WHERE event_type = 'artifact_written'
), versions AS (
  SELECT
    *,
    row_number() OVER (PARTITION BY tenant_id, pipeline_id, artifact_path ORDER BY timestamp, run_id, run_seq) AS version,
    row_number() OVER (PARTITION BY tenant_id, pipeline_id, artifact_path ORDER BY timestamp DESC, run_id DESC, run_seq DESC) = 1 AS is_newest
  FROM written
  WHERE earlier IS DISTINCT FROM artifact_sha256
), reviews AS (
  SELECT
    tenant_id,
    artifact_sha256,
    arg_max(outcome, timestamp) AS outcome,
    arg_max(actor_id, timestamp) AS actor_id,
    max(timestamp) AS reviewed_at,
    list(message ORDER BY timestamp) FILTER (message IS NOT NULL) AS comments
  FROM events
  WHERE event_type = 'artifact_reviewed'
  GROUP BY tenant_id, artifact_sha256
)
SELECT
  artifact_path AS path,
  version,
  versions.artifact_sha256 AS sha256,
  pipeline_id,
  node_id,
  agent_id,
  run_id,
  versions.tenant_id,
  epoch_us(timestamp) AS written_at,
  written_bytes AS bytes,
  is_newest,
  coalesce(reviews.outcome, 'pending') AS review,
  reviews.actor_id AS reviewed_by,
  epoch_us(reviews.reviewed_at) AS reviewed_at,
  reviews.comments
FROM versions
LEFT JOIN reviews
  ON reviews.artifact_sha256 = versions.artifact_sha256 AND reviews.tenant_id IS NOT DISTINCT FROM versions.tenant_id
WHERE (getvariable('path') IS NULL OR artifact_path = getvariable('path'))
  AND (getvariable('sha256') IS NULL OR starts_with(versions.artifact_sha256, getvariable('sha256')))
  AND (getvariable('run_id') IS NULL OR run_id = getvariable('run_id'))
ORDER BY timestamp DESC, path, version DESC, run_id
LIMIT CAST(getvariable('limit') AS BIGINT);
