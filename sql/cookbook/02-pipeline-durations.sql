-- How long do completed runs of each pipeline take, on average and at the 95th percentile?
SELECT pipeline_id,
       AVG(duration_ms) AS avg_ms,
       PERCENTILE_CONT(0.95) WITHIN GROUP (ORDER BY duration_ms) AS p95_ms
FROM logs
WHERE event_type = 'pipeline_completed'
GROUP BY pipeline_id;
