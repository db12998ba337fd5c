-- Which chain of nodes decided how long the latest finished run took?
WITH RECURSIVE
latest AS (
  SELECT run_id FROM runs WHERE state = 'completed' ORDER BY ended_at DESC, run_id DESC LIMIT 1
),
executed AS (
  SELECT node_id, step_index, started_at, ended_at, duration_ms, predecessor_node_ids
  FROM nodes JOIN latest USING (run_id)
  WHERE state = 'completed'
),
-- Back from the node that ended last, each time to the predecessor that ended last.
path AS (
  (SELECT * FROM executed ORDER BY ended_at DESC, step_index DESC LIMIT 1)
  UNION ALL
  (SELECT executed.*
   FROM executed, path
   WHERE executed.node_id = (
     SELECT before.node_id FROM executed AS before
     WHERE list_contains(path.predecessor_node_ids, before.node_id)
     ORDER BY before.ended_at DESC, before.step_index DESC LIMIT 1))
)
SELECT
  node_id,
  round(duration_ms, 1) AS duration_ms,
  round(epoch_us(started_at - min(started_at) OVER ()) / 1000, 1) AS starts_after_ms,
  round(100 * duration_ms / sum(duration_ms) OVER (), 1) AS percent_of_path
FROM path
ORDER BY started_at, step_index;
