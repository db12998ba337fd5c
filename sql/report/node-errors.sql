-- Which nodes failed, and of what.
SELECT pipeline_id, node_id, coalesce(error_type, 'unknown') AS type, count(*) AS count
FROM report_attempts AS attempts JOIN report_runs USING (run_key)
WHERE attempts.state = 'failed'
GROUP BY ALL
ORDER BY count DESC, pipeline_id, node_id, type
LIMIT 4 * CAST(getvariable('most') AS INTEGER);
