-- One row a measurement of another system: its name, its kind (gauge, sum, histogram, …), value and unit
-- are these members of the event's attributes, in which the rest is.
CREATE VIEW metrics AS
SELECT
  timestamp,
  run_id,
  node_id,
  source,
  attributes ->> '$.name' AS name,
  attributes ->> '$.kind' AS kind,
  TRY_CAST(attributes ->> '$.value' AS DOUBLE) AS value,
  attributes ->> '$.unit' AS unit,
  attributes,
  tenant_id
FROM events
WHERE event_type = 'metric';
