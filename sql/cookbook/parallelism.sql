-- How much of each run was spent in parallel?
SELECT
  runs.run_id,
  runs.pipeline_id,
  round(sum(nodes.duration_ms), 1) AS node_ms,
  round(any_value(runs.duration_ms), 1) AS run_ms,
  round(sum(nodes.duration_ms) / any_value(runs.duration_ms), 2) AS nodes_at_a_time
FROM runs JOIN nodes USING (run_id)
WHERE runs.state <> 'unfinished' AND runs.duration_ms > 0
GROUP BY runs.run_id, runs.pipeline_id, runs.started_at
ORDER BY runs.started_at DESC
LIMIT 20;
