-- What fails, hour by hour, and how often is it tried again?
-- From the rollups. since: from when on, YYYY-MM-DD HH:MM in UTC, or so long ago (24h);
-- the last seven days if it is not set.
-- pipeline_id: of which pipeline; of all if it is not set.
SELECT
  hour,
  pipeline_id,
  coalesce(error_type, reason) AS error_type,
  sum(events) FILTER (event_type = 'pipeline_failed')::BIGINT AS runs,
  sum(events) FILTER (event_type = 'pipeline_node_failed')::BIGINT AS attempts,
  sum(events) FILTER (event_type = 'pipeline_node_retry_scheduled')::BIGINT AS retries,
  sum(events) FILTER (event_type = 'provider_call_failed')::BIGINT AS provider_calls
FROM rollup_hours
WHERE event_type IN ('pipeline_failed', 'pipeline_node_failed', 'pipeline_node_retry_scheduled',
                     'provider_call_failed')
  AND (getvariable('pipeline_id') IS NULL OR pipeline_id = getvariable('pipeline_id'))
  AND hour >= coalesce(weir_moment(getvariable('since')), now()::TIMESTAMP - INTERVAL 7 DAY)
GROUP BY ALL
ORDER BY ALL;
