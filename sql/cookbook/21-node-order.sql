-- Which nodes of a pipeline completed, in the order of their steps, and how long did each take?
-- pipeline_id: which; that of the latest run if it is not set.
SELECT node_id, duration_ms
FROM logs
WHERE pipeline_id = coalesce(getvariable('pipeline_id'), (SELECT arg_max(pipeline_id, started_at) FROM runs))
  AND event_type = 'pipeline_node_completed'
ORDER BY step_index;
