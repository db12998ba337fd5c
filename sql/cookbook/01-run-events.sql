-- What happened in a run?
-- run_id: which; the latest if it is not set.
SELECT *
FROM logs
WHERE pipeline_type = 'dag'
  AND run_id = coalesce(getvariable('run_id'), (SELECT arg_max(run_id, started_at) FROM runs))
ORDER BY timestamp, run_seq;
