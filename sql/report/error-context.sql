-- An event of a run and what happened around it.
WITH events_of_run AS (
  SELECT *, epoch_us(timestamp) AS moment
  FROM report_entries(run_id := getvariable('run_id'))
  WHERE tenant_id IS NOT DISTINCT FROM nullif(getvariable('run_tenant'), '')
)
(FROM events_of_run WHERE run_seq <= CAST(getvariable('run_seq') AS BIGINT) ORDER BY run_seq DESC LIMIT 5)
UNION ALL
(FROM events_of_run WHERE run_seq > CAST(getvariable('run_seq') AS BIGINT) ORDER BY run_seq LIMIT 3)
ORDER BY run_seq;
