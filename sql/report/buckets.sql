-- The runs by when they began.
SELECT
  (epoch_us(started_at) - CAST(getvariable('bucket_begin') AS BIGINT))
    // CAST(getvariable('bucket_us') AS BIGINT) AS bucket,
  count(*) FILTER (state = 'completed') AS completed,
  count(*) FILTER (state = 'failed') AS failed,
  count(*) FILTER (state = 'cancelled') AS cancelled,
  count(*) FILTER (state IN ('running', 'interrupted')) AS open,
  quantile_cont(duration_ms, 0.5) AS median_ms,
  quantile_cont(duration_ms, 0.95) AS p95_ms
FROM report_runs
GROUP BY bucket
ORDER BY bucket;
