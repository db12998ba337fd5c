-- Functions of other dialects that published queries over these logs use.
CREATE MACRO cardinality(list) AS len(list);
CREATE MACRO width_bucket(x, low, high, buckets) AS
  CASE WHEN x < low THEN 0
       WHEN x >= high THEN buckets + 1
       ELSE 1 + floor((x - low) * buckets / (high - low))::BIGINT
  END;
