-- How fast and how dear are the calls of each provider and model?
SELECT
  provider,
  operation,
  model_id,
  count(*) AS calls,
  count(*) FILTER (event_type = 'provider_call_failed') AS failed,
  round(quantile_disc(duration_ms, 0.5) FILTER (event_type = 'provider_call_completed'), 1) AS p50_ms,
  round(quantile_disc(duration_ms, 0.95) FILTER (event_type = 'provider_call_completed'), 1) AS p95_ms,
  sum(input_tokens) AS input_tokens,
  sum(output_tokens) AS output_tokens,
  round(sum(cost_usd), 6) AS cost_usd
FROM logs
WHERE event_type IN ('provider_call_completed', 'provider_call_failed')
GROUP BY provider, operation, model_id
ORDER BY calls DESC, provider, operation, model_id;
