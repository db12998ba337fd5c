-- One row a signal: who asked a run for what, and what became of it. Several runs may be asked by one id.
CREATE VIEW signals AS
SELECT
  signal_id,
  run_id,
  signal_type,
  actor_id,
  requested_at,
  newest.state AS state,
  decided_at,
  newest.reason AS reason,
  tenant_id,
  node_id,
  newest.error_code AS error_code
FROM (
  SELECT
    signal_id,
    coalesce(target_run_id, events.run_id) AS run_id,
    any_value(signal_type) AS signal_type,
    any_value(actor_id) FILTER (event_type = 'signal_requested') AS actor_id,
    min(timestamp) FILTER (event_type = 'signal_requested') AS requested_at,
    max(timestamp) FILTER (event_type <> 'signal_requested') AS decided_at,
    -- Who asks has numbers of its own: at one time the decision is the last.
    arg_max(
      struct_pack(state := replace(event_type, 'signal_', ''), reason := reason, error_code := error_code),
      row(timestamp, event_type <> 'signal_requested', run_seq)) AS newest,
    tenant_id,
    any_value(node_id) AS node_id
  FROM events
  WHERE event_type IN ('signal_requested', 'signal_accepted', 'signal_rejected', 'signal_deferred')
  GROUP BY signal_id, coalesce(target_run_id, events.run_id), tenant_id
);
