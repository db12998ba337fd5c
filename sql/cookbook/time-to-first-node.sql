-- How long do the runs of each pipeline take until their first node begins?
WITH begun AS (
  SELECT
    any_value(pipeline_id) AS pipeline_id,
    epoch_us(min(timestamp) FILTER (event_type = 'pipeline_node_started')
             - min(timestamp) FILTER (event_type = 'pipeline_started')) / 1000 AS ms
  FROM events
  WHERE event_type IN ('pipeline_started', 'pipeline_node_started')
  GROUP BY run_id, tenant_id
)
SELECT
  pipeline_id,
  count(ms) AS runs,
  round(quantile_disc(ms, 0.5), 1) AS p50_ms,
  round(quantile_disc(ms, 0.95), 1) AS p95_ms,
  round(max(ms), 1) AS max_ms,
  count(*) - count(ms) AS without_nodes
FROM begun
GROUP BY pipeline_id
ORDER BY p95_ms DESC NULLS LAST, pipeline_id;
