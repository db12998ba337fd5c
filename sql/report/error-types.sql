-- How many errors: of all types, then of each.
SELECT
  CASE WHEN grouping(type) = 0 THEN type END AS type,
  count(*) AS count,
  epoch_us(max(timestamp)) AS last_at,
  count(*) OVER () - 1 AS types
FROM report_errors
GROUP BY GROUPING SETS ((), (type))
ORDER BY grouping(type) DESC, count DESC, type
LIMIT 1 + CAST(getvariable('most') AS INTEGER);
