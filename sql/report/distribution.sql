-- How many runs took how long: `edges` are the ends of the bins, the last bin's included.
WITH bins AS (
  SELECT least(len(list_filter(CAST(getvariable('edges') AS DOUBLE[]), edge -> edge <= duration_ms)),
               len(CAST(getvariable('edges') AS DOUBLE[])) - 1) AS bin
  FROM report_runs
  WHERE duration_ms IS NOT NULL
)
SELECT bin - 1 AS bin, count(*) AS runs FROM bins GROUP BY bin ORDER BY bin;
