-- Where the newest errors are.
SELECT run_id, tenant_id, run_seq
FROM report_errors
ORDER BY timestamp DESC, run_id, tenant_id, run_seq DESC
LIMIT CAST(getvariable('limit') AS BIGINT);
