-- Which nodes failed, and of what.
SELECT pipeline_id, node_id, coalesce(error_type, 'unknown') AS type, count(*) AS count, count(*) OVER () AS total
FROM report_attempts AS attempts JOIN report_runs USING (run_key)
WHERE attempts.state = 'failed'
GROUP BY 1, 2, 3
ORDER BY count DESC, pipeline_id, node_id, type
LIMIT 4 * CAST(getvariable('most') AS INTEGER);
