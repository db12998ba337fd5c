-- The values that a field of cron names: `*`, N or N-M, with /STEP behind, or a list of these. `names`: of
-- the lowest value and those after it.
CREATE MACRO weir_cron_value(word, lowest, names) AS
  coalesce(TRY_CAST(word AS BIGINT), list_position(names, word) - 1 + lowest);
CREATE MACRO weir_cron_values(field, lowest, highest, names) AS flatten([
  range(
    CASE WHEN starts_with(part, '*') THEN lowest
         ELSE weir_cron_value(regexp_extract(part, '^[^-/]+'), lowest, names) END,
    CASE WHEN contains(part, '-') THEN weir_cron_value(regexp_extract(part, '-([^/]+)', 1), lowest, names)
         WHEN starts_with(part, '*') OR contains(part, '/') THEN highest
         ELSE weir_cron_value(part, lowest, names) END + 1,
    coalesce(TRY_CAST(regexp_extract(part, '/(.+)$', 1) AS BIGINT), 1))
  for part in string_split(field, ',')]);

-- Whether a day is one of cron's `fields`: minute, hour, day of the month, month, day of the week, of which 0
-- and 7 are Sunday. Where both sorts of days are named, either will do.
CREATE MACRO weir_cron_has_day(fields, day) AS (
  SELECT is_month AND CASE WHEN starts_with(fields[3], '*') OR starts_with(fields[5], '*')
                           THEN is_day AND is_weekday ELSE is_day OR is_weekday END
  FROM (
    SELECT
      list_contains(weir_cron_values(fields[4], 1, 12, ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug',
                                                        'sep', 'oct', 'nov', 'dec']), month(day)) AS is_month,
      list_contains(weir_cron_values(fields[3], 1, 31, NULL), dayofmonth(day)) AS is_day,
      list_contains([value % 7 for value in weir_cron_values(
        fields[5], 0, 7, ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'])], dayofweek(day)) AS is_weekday
  )
);

-- The last minute of cron's `fields` that is no earlier and no later than these times, or NULL.
CREATE MACRO weir_cron_last(fields, from_time, to_time) AS (
  SELECT max(minute)
  FROM (
    SELECT unnest([day + to_minutes(minute) for minute in minutes]) AS minute
    FROM (
      SELECT
        day,
        flatten([[60 * hour + minute for minute in weir_cron_values(fields[1], 0, 59, NULL)]
                 for hour in weir_cron_values(fields[2], 0, 23, NULL)]) AS minutes
      FROM (
        SELECT day
        FROM (
          -- Every day of the calendar comes again in eight years.
          SELECT unnest(generate_series(
            greatest(from_time, to_time - INTERVAL 9 YEAR)::DATE::TIMESTAMP, to_time, INTERVAL 1 DAY)) AS day
        )
        WHERE weir_cron_has_day(fields, day)
        ORDER BY day DESC
        LIMIT 2  -- of the last one no minute may have come yet
      )
    )
  )
  WHERE minute BETWEEN from_time AND to_time
);
