-- All that happened in these runs, and what was said of them elsewhere, in order.
SELECT *, epoch_us(timestamp) AS moment, count(*) OVER () AS total
FROM report_entries()
WHERE list_contains(CAST(getvariable('run_ids') AS VARCHAR[]), run_id)
   OR list_contains(CAST(getvariable('run_ids') AS VARCHAR[]), target_run_id)
ORDER BY timestamp, run_id, run_seq
LIMIT CAST(getvariable('limit') AS BIGINT);
