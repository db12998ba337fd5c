-- Events in short, of all runs or of one.
CREATE OR REPLACE TEMP MACRO report_entries(run_id := NULL) AS TABLE
SELECT
  event.timestamp,
  event.run_id,
  event.tenant_id,
  event.run_seq,
  event.pipeline_id,
  event.event_type,
  event.level,
  event.node_id,
  event.attempt,
  event.agent_id,
  event.duration_ms,
  event.error_type,
  coalesce(event.error_message, event.message, event.reason, event.artifact_path, event.signal_type,
           event.operation, event.outcome) AS text,
  event.target_run_id
FROM weir_events(run_id := run_id) AS event;
