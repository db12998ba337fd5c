-- One row a tool: how often it was called, and how that went.
CREATE VIEW tools AS
SELECT
  plugin_id,
  tool_id,
  count(*) AS calls,
  count(*) FILTER (state = 'failed') AS failures,
  avg(duration_ms) AS avg_ms,
  quantile_cont(duration_ms, 0.95) AS p95_ms,
  max(ended_at) AS last_ended_at
FROM attempts
GROUP BY plugin_id, tool_id;
