-- How the agents did, those with the most runs first.
WITH runs AS (
  SELECT
    timestamp, agent_id, agent_version, model_id,
    CASE WHEN duration_ms BETWEEN 0 AND 1e12 THEN duration_ms END AS duration_ms,
    input_tokens, output_tokens, cost_usd,
    CASE
      WHEN outcome IN ('success', 'completed', 'ok') THEN 'success'
      WHEN outcome IN ('failure', 'failed', 'error') THEN 'failure'
      WHEN outcome IN ('partial', 'timeout') THEN outcome
      ELSE 'other'
    END AS status,
    TRY_CAST(coalesce(attributes->>'$.quality.citationCount', attributes->>'$.quality.citation_count',
                      attributes->>'$.citationCount', attributes->>'$.citation_count') AS DOUBLE) AS citations,
    TRY_CAST(coalesce(attributes->>'$.quality.wordCount', attributes->>'$.quality.word_count',
                      attributes->>'$.wordCount', attributes->>'$.word_count') AS DOUBLE) AS words,
    TRY_CAST(coalesce(attributes->>'$.quality.completeness', attributes->>'$.completeness') AS DOUBLE) AS completeness,
    coalesce(json_array_length(coalesce(
      attributes->'$.quality.uncertainAreas', attributes->'$.quality.uncertain_areas',
      attributes->'$.uncertainAreas', attributes->'$.uncertain_areas')), 0) AS uncertain_areas
  FROM logs
  WHERE event_type = 'agent_run'
    AND timestamp >= CAST(getvariable('since') AS TIMESTAMP)
    AND timestamp < CAST(getvariable('until') AS TIMESTAMP)
    AND (getvariable('agent_id') IS NULL OR agent_id = getvariable('agent_id'))
    AND (getvariable('pipeline_id') IS NULL OR pipeline_id = getvariable('pipeline_id'))
    AND (getvariable('tenant_id') IS NULL OR tenant_id = getvariable('tenant_id'))
)
SELECT
  agent_id,
  count(*) AS runs,
  count(*) FILTER (status = 'success') AS success,
  count(*) FILTER (status = 'failure') AS failure,
  count(*) FILTER (status = 'partial') AS partial,
  count(*) FILTER (status = 'timeout') AS timeout,
  count(*) FILTER (status = 'other') AS other,
  count(duration_ms) AS durations,
  avg(duration_ms) AS average_ms,
  min(duration_ms) AS min_ms,
  quantile_cont(duration_ms, 0.5) AS median_ms,
  quantile_cont(duration_ms, 0.95) AS p95_ms,
  max(duration_ms) AS max_ms,
  coalesce(sum(input_tokens), 0) AS input_tokens,
  coalesce(sum(output_tokens), 0) AS output_tokens,
  coalesce(sum(cost_usd), 0) AS cost_usd,
  avg(citations) AS citations,
  avg(words) AS words,
  avg(completeness) AS completeness,
  sum(uncertain_areas) AS uncertain_areas,
  list_sort(array_agg(DISTINCT agent_version) FILTER (agent_version IS NOT NULL)) AS versions,
  list_sort(array_agg(DISTINCT model_id) FILTER (model_id IS NOT NULL)) AS models,
  epoch_us(max(timestamp)) AS last_run_at
FROM runs
GROUP BY agent_id
ORDER BY runs DESC, agent_id
LIMIT 10000;
