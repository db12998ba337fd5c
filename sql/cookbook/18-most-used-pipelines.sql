-- Which pipelines ran most in the last 24 hours?
SELECT pipeline_id, COUNT(DISTINCT run_id) AS runs
FROM logs
WHERE event_type = 'pipeline_started'
  AND timestamp > NOW() - INTERVAL '1 day'
GROUP BY pipeline_id
ORDER BY runs DESC;
