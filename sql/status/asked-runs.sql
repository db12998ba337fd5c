-- Which runs has somebody asked for something? What became of it, they say themselves.
SELECT DISTINCT target_run_id
FROM events
WHERE event_type = 'signal_requested' AND target_run_id IS NOT NULL
