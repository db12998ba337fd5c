-- How are the durations of nodes distributed, in steps of 100 ms up to 2 s?
SELECT width_bucket(duration_ms, 0, 2000, 20) AS bucket,
       COUNT(*) AS count
FROM logs
WHERE event_type = 'pipeline_node_completed'
GROUP BY bucket
ORDER BY bucket;
