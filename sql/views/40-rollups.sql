-- The nearest number that a DECIMAL has room for.
CREATE MACRO weir_within(x, greatest_x) AS
  CASE WHEN x > greatest_x THEN greatest_x WHEN x < -greatest_x THEN -greatest_x ELSE x END;

-- The events that no file of rollups counts, summed up by minute: docs/formats/rollups.md.
-- weir_unrolled() gives these events, weir_rolled_minutes() and weir_rolled_hours() the files' rows.
CREATE MACRO weir_rollup() AS TABLE
SELECT
  date_trunc('minute', timestamp) AS time,
  tenant_id, pipeline_type, pipeline_id, event_type, level,
  weir_node_of_item(node_id) AS node_id,
  plugin_id, tool_id, agent_id, provider, operation, model_id, signal_type, outcome, error_type,
  CASE WHEN event_type IN ('pipeline_node_retry_scheduled', 'cache_miss') THEN reason END AS reason,
  cache_hit,
  count(*) AS events,
  count(duration_ms) AS timed,
  sum(weir_within(duration_ms, 999999999999)::DECIMAL(18, 6))::DECIMAL(38, 6) AS duration_ms,
  min(duration_ms) AS duration_ms_min,
  max(duration_ms) AS duration_ms_max,
  weir_histogram(duration_ms) AS durations,
  sum(weir_within(cpu_ms, 999999999999)::DECIMAL(18, 6))::DECIMAL(38, 6) AS cpu_ms,
  sum(rows)::DECIMAL(38, 0) AS rows,
  sum(read_bytes)::DECIMAL(38, 0) AS read_bytes,
  sum(written_bytes)::DECIMAL(38, 0) AS written_bytes,
  sum(input_tokens)::DECIMAL(38, 0) AS input_tokens,
  sum(output_tokens)::DECIMAL(38, 0) AS output_tokens,
  max(memory_bytes) AS memory_bytes_max,
  sum(weir_within(cost_usd, 999999999)::DECIMAL(18, 9))::DECIMAL(38, 9) AS cost_usd
FROM weir_unrolled()
GROUP BY ALL;

-- One row a minute and series, and several where it is counted in several files: to be added up.
CREATE VIEW rollup_minutes AS
SELECT time AS minute, * EXCLUDE (time, node_id) FROM weir_rolled_minutes()
UNION ALL BY NAME
SELECT time AS minute, * EXCLUDE (time, node_id) FROM weir_rollup();

-- The same by hour, and by node.
CREATE VIEW rollup_hours AS
SELECT time AS hour, * EXCLUDE (time) FROM weir_rolled_hours()
UNION ALL BY NAME
SELECT date_trunc('hour', time) AS hour, * EXCLUDE (time) FROM weir_rollup();
