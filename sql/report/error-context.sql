-- An event of a run and what happened around it.
(SELECT *, epoch_us(timestamp) AS moment FROM report_entries(run_id := getvariable('run_id'))
 WHERE run_seq <= CAST(getvariable('run_seq') AS BIGINT)
 ORDER BY run_seq DESC LIMIT 5)
UNION ALL
(SELECT *, epoch_us(timestamp) AS moment FROM report_entries(run_id := getvariable('run_id'))
 WHERE run_seq > CAST(getvariable('run_seq') AS BIGINT)
 ORDER BY run_seq LIMIT 3)
ORDER BY run_seq;
