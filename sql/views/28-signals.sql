-- One row a signal: who asked a run for what, and what became of it. Several runs may be asked by one id.
CREATE VIEW signals AS
SELECT
  signal_id,
  coalesce(target_run_id, run_id) AS run_id,
  any_value(signal_type) AS signal_type,
  any_value(actor_id) FILTER (event_type = 'signal_requested') AS actor_id,
  min(timestamp) FILTER (event_type = 'signal_requested') AS requested_at,
  arg_max(replace(event_type, 'signal_', ''), timestamp) AS state,
  max(timestamp) FILTER (event_type <> 'signal_requested') AS decided_at,
  arg_max(reason, timestamp) AS reason,
  tenant_id
FROM events
WHERE event_type IN ('signal_requested', 'signal_accepted', 'signal_rejected', 'signal_deferred')
GROUP BY signal_id, coalesce(target_run_id, run_id), tenant_id;
