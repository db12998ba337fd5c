-- One row a call of a provider. One that is unfinished goes on, or its process was lost and nobody has
-- resumed the run; where the run was resumed, nobody will ever tell how it ended: it is lost.
CREATE VIEW providers AS
SELECT
  calls.* EXCLUDE (engine_attempt) REPLACE (
    CASE WHEN state = 'unfinished' AND calls.engine_attempt < taken_up.engine_attempt THEN 'lost'
         ELSE state END AS state)
FROM (
  SELECT
    run_id,
    call_id,
    any_value(node_id) AS node_id,
    any_value(provider) AS provider,
    any_value(operation) AS operation,
    any_value(model_id) AS model_id,
    coalesce(
      max(CASE event_type
            WHEN 'provider_call_completed' THEN 'completed'
            WHEN 'provider_call_failed' THEN 'failed'
          END),
      'unfinished') AS state,
    min(timestamp) AS started_at,
    max(duration_ms) AS duration_ms,
    max(input_tokens) AS input_tokens,
    max(output_tokens) AS output_tokens,
    max(cost_usd) AS cost_usd,
    max(error_type) AS error_type,
    max(error_message) AS error_message,
    tenant_id,
    coalesce(max(engine_attempt), 1) AS engine_attempt
  FROM logs
  WHERE event_type IN ('provider_call_started', 'provider_call_completed', 'provider_call_failed')
  GROUP BY run_id, tenant_id, call_id
) AS calls
LEFT JOIN weir_taken_up() AS taken_up
  ON calls.run_id = taken_up.run_id AND calls.tenant_id IS NOT DISTINCT FROM taken_up.tenant_id;
