-- One row a finished run of an agent.
CREATE VIEW agents AS
SELECT
  timestamp, run_id, node_id, agent_id, agent_version, model_id, outcome, duration_ms,
  input_tokens, output_tokens, cost_usd, error_message, attributes,
  tenant_id
FROM logs
WHERE event_type = 'agent_run';
