-- How many tokens are used, what do they cost and how fast are the answers, hour by hour?
-- From the rollups. since: from when on, YYYY-MM-DD HH:MM in UTC, or so long ago (24h);
-- the last seven days if it is not set.
-- The percentiles are within 1 %.
SELECT
  hour,
  provider,
  operation,
  model_id,
  sum(events)::BIGINT AS calls,
  coalesce(sum(events) FILTER (event_type = 'provider_call_failed'), 0)::BIGINT AS failed,
  sum(input_tokens)::BIGINT AS input_tokens,
  sum(output_tokens)::BIGINT AS output_tokens,
  round(sum(cost_usd), 6) AS cost_usd,
  round(weir_quantile(weir_merge(durations) FILTER (event_type = 'provider_call_completed'), 0.95), 1) AS p95_ms
FROM rollup_hours
WHERE event_type IN ('provider_call_completed', 'provider_call_failed')
  AND hour >= coalesce(weir_moment(getvariable('since')), now()::TIMESTAMP - INTERVAL 7 DAY)
GROUP BY hour, provider, operation, model_id
ORDER BY hour, calls DESC, provider, operation, model_id;
