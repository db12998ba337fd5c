-- How much is done, minute by minute?
-- From the rollups. since: from when on, YYYY-MM-DD HH:MM in UTC, or so long ago (24h);
-- the last 24 hours if it is not set.
-- pipeline_id: of which pipeline; of all if it is not set. Nodes that completed, the rows and bytes that
-- they told of, and how many nodes were at work on average.
SELECT
  minute,
  sum(events) FILTER (event_type = 'pipeline_node_completed')::BIGINT AS nodes,
  sum(rows) FILTER (event_type = 'pipeline_node_completed')::BIGINT AS rows,
  round(sum(rows) FILTER (event_type = 'pipeline_node_completed') / 60, 1) AS rows_per_s,
  sum(read_bytes) FILTER (event_type = 'pipeline_node_completed')::BIGINT AS read_bytes,
  sum(written_bytes) FILTER (event_type = 'pipeline_node_completed')::BIGINT AS written_bytes,
  round(sum(duration_ms) / 60000, 2) AS nodes_at_a_time
FROM rollup_minutes
WHERE event_type IN ('pipeline_node_completed', 'pipeline_node_failed', 'pipeline_node_cancelled')
  AND (getvariable('pipeline_id') IS NULL OR pipeline_id = getvariable('pipeline_id'))
  AND minute >= coalesce(weir_moment(getvariable('since')), now()::TIMESTAMP - INTERVAL 24 HOUR)
GROUP BY minute
ORDER BY minute;
