-- How many contents of artifacts were made in the window, and what people think of them now.
WITH made AS (
  SELECT DISTINCT tenant_id, pipeline_id, artifact_path, artifact_sha256
  FROM logs
  WHERE event_type = 'artifact_written'
    AND timestamp >= CAST(getvariable('since') AS TIMESTAMP)
    AND timestamp < CAST(getvariable('until') AS TIMESTAMP)
    AND (getvariable('pipeline_id') IS NULL OR pipeline_id = getvariable('pipeline_id'))
    AND (getvariable('tenant_id') IS NULL OR tenant_id = getvariable('tenant_id'))
), judged AS (
  SELECT tenant_id, artifact_sha256, arg_max(outcome, timestamp) AS outcome
  FROM events
  WHERE event_type = 'artifact_reviewed'
  GROUP BY tenant_id, artifact_sha256
)
SELECT
  count(*) AS created,
  count(*) FILTER (outcome = 'approved') AS approved,
  count(*) FILTER (outcome = 'rejected') AS rejected
FROM made
LEFT JOIN judged
  ON judged.artifact_sha256 = made.artifact_sha256 AND judged.tenant_id IS NOT DISTINCT FROM made.tenant_id;
