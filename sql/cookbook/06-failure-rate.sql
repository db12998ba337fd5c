-- Which share of the runs of each pipeline fails?
WITH runs AS (
  SELECT pipeline_id, run_id,
         MAX(CASE WHEN event_type = 'pipeline_completed' THEN 1 ELSE 0 END) AS completed,
         MAX(CASE WHEN event_type = 'pipeline_failed' THEN 1 ELSE 0 END) AS failed
  FROM logs
  WHERE pipeline_type = 'dag'
  GROUP BY pipeline_id, run_id
)
SELECT pipeline_id,
       SUM(failed) AS failed_runs,
       SUM(completed) AS successful_runs,
       SUM(failed)::DOUBLE / NULLIF(SUM(failed) + SUM(completed), 0) AS failure_rate
FROM runs
GROUP BY pipeline_id;
