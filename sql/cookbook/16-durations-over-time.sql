-- How long did runs take, minute by minute?
SELECT DATE_TRUNC('minute', timestamp) AS minute,
       AVG(duration_ms) AS avg_ms
FROM logs
WHERE event_type = 'pipeline_completed'
GROUP BY minute
ORDER BY minute;
