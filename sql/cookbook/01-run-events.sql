-- What happened in a run?
-- run_id: which; the latest of a graph if it is not set.
SELECT *
FROM logs
WHERE run_id = coalesce(getvariable('run_id'), (SELECT arg_max(run_id, started_at) FROM runs WHERE pipeline_type = 'dag'))
ORDER BY timestamp, run_seq;
