-- The rows of a file of rollups, made of the table `rolled`: each series and time once, within the
-- limits on names (docs/formats/rollups.md).
WITH
pipelines AS (
  SELECT tenant_id, pipeline_id, row_number() OVER (PARTITION BY tenant_id ORDER BY sum(events) DESC, pipeline_id) AS place
  FROM rolled
  GROUP BY tenant_id, pipeline_id
  QUALIFY place > 500
),
types AS (
  SELECT tenant_id, event_type, row_number() OVER (PARTITION BY tenant_id ORDER BY sum(events) DESC, event_type) AS place
  FROM rolled
  GROUP BY tenant_id, event_type
  QUALIFY place > 200
),
known AS MATERIALIZED (
  SELECT rolled.* REPLACE (
    CASE WHEN pipelines.place IS NULL THEN rolled.pipeline_id ELSE 'other' END AS pipeline_id,
    CASE WHEN types.place IS NULL THEN rolled.event_type ELSE 'other' END AS event_type),
    -- Instead of all these, which would have to be compared one by one.
    hash(pipeline_type, level, node_id, plugin_id, tool_id, agent_id, provider, operation, model_id, signal_type,
         outcome, error_type, reason, cache_hit) AS names
  FROM rolled
  LEFT JOIN pipelines
    ON rolled.pipeline_id = pipelines.pipeline_id AND rolled.tenant_id IS NOT DISTINCT FROM pipelines.tenant_id
  LEFT JOIN types
    ON rolled.event_type = types.event_type AND rolled.tenant_id IS NOT DISTINCT FROM types.tenant_id
),
series AS (
  SELECT
    tenant_id, pipeline_id, event_type, names,
    row_number() OVER (PARTITION BY tenant_id ORDER BY sum(events) DESC, pipeline_id, event_type, names) AS place,
    -- A pipeline of thousands of nodes is not to cost the small ones their names.
    count(*) OVER (PARTITION BY tenant_id, pipeline_id) AS of_pipeline
  FROM known
  GROUP BY tenant_id, pipeline_id, event_type, names
  QUALIFY place > 2000 AND of_pipeline > 100
),
named AS (
  SELECT known.* REPLACE (
    CASE WHEN place IS NOT NULL AND node_id IS NOT NULL THEN 'other' ELSE node_id END AS node_id,
    CASE WHEN place IS NOT NULL AND plugin_id IS NOT NULL THEN 'other' ELSE plugin_id END AS plugin_id,
    CASE WHEN place IS NOT NULL AND tool_id IS NOT NULL THEN 'other' ELSE tool_id END AS tool_id,
    CASE WHEN place IS NOT NULL AND agent_id IS NOT NULL THEN 'other' ELSE agent_id END AS agent_id,
    CASE WHEN place IS NOT NULL AND provider IS NOT NULL THEN 'other' ELSE provider END AS provider,
    CASE WHEN place IS NOT NULL AND operation IS NOT NULL THEN 'other' ELSE operation END AS operation,
    CASE WHEN place IS NOT NULL AND model_id IS NOT NULL THEN 'other' ELSE model_id END AS model_id,
    CASE WHEN place IS NOT NULL AND signal_type IS NOT NULL THEN 'other' ELSE signal_type END AS signal_type,
    CASE WHEN place IS NOT NULL AND outcome IS NOT NULL THEN 'other' ELSE outcome END AS outcome,
    CASE WHEN place IS NOT NULL AND error_type IS NOT NULL THEN 'other' ELSE error_type END AS error_type,
    CASE WHEN place IS NOT NULL AND reason IS NOT NULL THEN 'other' ELSE reason END AS reason)
  FROM known
  LEFT JOIN series
    ON known.tenant_id IS NOT DISTINCT FROM series.tenant_id
    AND known.pipeline_id = series.pipeline_id
    AND known.event_type = series.event_type
    AND known.names = series.names
)
SELECT
  time, tenant_id, pipeline_type, pipeline_id, event_type, level, node_id, plugin_id, tool_id, agent_id, provider,
  operation, model_id, signal_type, outcome, error_type, reason, cache_hit,
  sum(events)::BIGINT AS events,
  sum(timed)::BIGINT AS timed,
  sum(duration_ms) AS duration_ms,
  min(duration_ms_min) AS duration_ms_min,
  max(duration_ms_max) AS duration_ms_max,
  weir_merge(durations) AS durations,
  sum(cpu_ms) AS cpu_ms,
  sum(rows) AS rows,
  sum(read_bytes) AS read_bytes,
  sum(written_bytes) AS written_bytes,
  sum(input_tokens) AS input_tokens,
  sum(output_tokens) AS output_tokens,
  max(memory_bytes_max) AS memory_bytes_max,
  sum(cost_usd) AS cost_usd
FROM named
GROUP BY ALL
-- All that a row is known by, so that the same events make the same file. A pipeline's rows are together: the
-- distributions of others need not be read.
ORDER BY
  event_type, pipeline_id, time, node_id, tenant_id, pipeline_type, level, plugin_id, tool_id, agent_id, provider,
  operation, model_id, signal_type, outcome, error_type, reason, cache_hit
