-- All that happened in these runs, and what was said of them elsewhere, by their tenants or by nobody, in order.
SELECT *, epoch_us(timestamp) AS moment, count(*) OVER () AS total
FROM report_entries()
WHERE (run_id, coalesce(tenant_id, '')) IN (SELECT (run_id, coalesce(tenant_id, '')) FROM traced_runs)
   OR (target_run_id, coalesce(tenant_id, '')) IN (
     SELECT (run_id, unnest([coalesce(tenant_id, ''), ''])) FROM traced_runs)
ORDER BY timestamp, run_id, run_seq
LIMIT CAST(getvariable('limit') AS BIGINT);
