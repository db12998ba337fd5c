-- When the first run began, and the last ended.
SELECT
  epoch_us(min(started_at)) AS first,
  epoch_us(max(greatest(started_at, coalesce(ended_at, started_at)))) AS last
FROM report_runs;
