-- One row a measurement of another system.
CREATE VIEW metrics AS
SELECT timestamp, run_id, node_id, source, attributes
FROM events
WHERE event_type = 'metric';
