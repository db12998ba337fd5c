#pragma once

// Long: one table, which is read best in one place.
//
// The two tables that catalogue.h turns into code.

/// X(id, name, FieldType, group, meaning), in the order in which a line has them.
#define WEIR_FIELDS(X)                                                                            \
  X(kTimestamp, "timestamp", kTimestamp, "base", "when it happened")                              \
  X(kEventType, "event_type", kString, "base", "what happened")                                   \
  X(kLevel, "level", kString, "base", "DEBUG, INFO, WARNING, ERROR or FATAL")                     \
  X(kPipelineType, "pipeline_type", kString, "base", "dag, linear or external")                   \
  X(kPipelineId, "pipeline_id", kString, "base", "which pipeline")                                \
  X(kPipelineVersion, "pipeline_version", kString, "base", "which version of it")                 \
  X(kRunId, "run_id", kString, "base", "which execution: a UUID")                                 \
  X(kRunSeq, "run_seq", kInteger, "base", "place in the run, from 1, without holes")              \
  X(kTenantId, "tenant_id", kString, "place", "whose data it is")                                 \
  X(kProjectId, "project_id", kString, "place", "project of the tenant")                          \
  X(kEnvironmentId, "environment_id", kString, "place", "production, staging, …")                 \
  X(kAdapter, "adapter", kString, "place", "what ran it: local, or another system")               \
  X(kComponent, "component", kString, "place", "part of the system that speaks")                  \
  X(kLogger, "logger", kString, "place", "name of the logger")                                    \
  X(kParentRunId, "parent_run_id", kString, "correlation", "the run that started this one")       \
  X(kPreviousRunId, "previous_run_id", kString, "correlation", "the run that this one repeats")   \
  X(kSessionId, "session_id", kString, "correlation", "session of the user")                      \
  X(kRequestId, "request_id", kString, "correlation", "request that caused it")                   \
  X(kUserId, "user_id", kString, "correlation", "user that caused it")                            \
  X(kOrgId, "org_id", kString, "correlation", "organisation of the user")                         \
  X(kWorkflowId, "workflow_id", kString, "correlation", "workflow that the run belongs to")       \
  X(kCorrelationId, "correlation_id", kString, "correlation", "id shared with other systems")     \
  X(kTraceId, "trace_id", kString, "correlation", "W3C trace id: 32 hex digits")                  \
  X(kSpanId, "span_id", kString, "correlation", "W3C span id: 16 hex digits")                     \
  X(kParentSpanId, "parent_span_id", kString, "correlation", "span that this one is part of")     \
  X(kNodeId, "node_id", kString, "node", "which node of the pipeline")                            \
  X(kPluginId, "plugin_id", kString, "node", "plugin of its tool")                                \
  X(kToolId, "tool_id", kString, "node", "its tool")                                              \
  X(kStepIndex, "step_index", kInteger, "node", "place in topological order, from 0")             \
  X(kPredecessorNodeIds, "predecessor_node_ids", kStrings, "node", "in the order of the edges")   \
  X(kAttempt, "attempt", kInteger, "node", "try of the work, from 1")                             \
  X(kEngineAttempt, "engine_attempt", kInteger, "node", "restart of the machinery, from 1")       \
  X(kFrameIndex, "frame_index", kInteger, "node", "frame of a stream")                            \
  X(kExecutionMode, "execution_mode", kString, "node", "how the node was run")                    \
  X(kDurationMs, "duration_ms", kNumber, "outcome", "how long it took, in milliseconds")          \
  X(kOutcome, "outcome", kString, "outcome", "partial, timeout, oom, cached, denied, unknown")    \
  X(kOutputKeys, "output_keys", kStrings, "outcome", "top-level keys of the output, in order")    \
  X(kOutput, "output", kObject, "outcome", "the output, up to 4 KiB")                             \
  X(kOutputSha256, "output_sha256", kString, "outcome", "the output as an artifact, when larger") \
  X(kCacheHit, "cache_hit", kBoolean, "outcome", "whether the result came from the cache")        \
  X(kErrorType, "error_type", kString, "outcome", "kind of error, as a program names it")         \
  X(kErrorCode, "error_code", kString, "outcome", "code of the error in its system")              \
  X(kErrorMessage, "error_message", kString, "outcome", "the error, for people")                  \
  X(kErrorSource, "error_source", kString, "outcome", "where the error arose")                    \
  X(kRetryable, "retryable", kBoolean, "outcome", "whether another try may succeed")              \
  X(kStackTrace, "stack_trace", kString, "outcome", "frames, newest first")                       \
  X(kExitCode, "exit_code", kInteger, "outcome", "exit code of the process")                      \
  X(kCpuMs, "cpu_ms", kNumber, "used", "processor time, in milliseconds")                         \
  X(kMemoryBytes, "memory_bytes", kInteger, "used", "most memory in use at a time (RSS)")         \
  X(kReadBytes, "read_bytes", kInteger, "used", "bytes read")                                     \
  X(kWrittenBytes, "written_bytes", kInteger, "used", "bytes written")                            \
  X(kRows, "rows", kInteger, "used", "rows made")                                                 \
  X(kPipelineName, "pipeline_name", kString, "run", "name of the pipeline, for people")           \
  X(kEntryNodes, "entry_nodes", kStrings, "run", "where the run begins")                          \
  X(kOutputNodes, "output_nodes", kStrings, "run", "whose outputs are the result")                \
  X(kOutputNodeIds, "output_node_ids", kStrings, "run", "whose outputs were the result")          \
  X(kNodeCount, "node_count", kInteger, "run", "nodes of the pipeline")                           \
  X(kSuccessCount, "success_count", kInteger, "run", "nodes completed")                           \
  X(kFailedCount, "failed_count", kInteger, "run", "nodes failed")                                \
  X(kFailedNodeId, "failed_node_id", kString, "run", "first node that failed, or null")           \
  X(kDefinitionSha256, "definition_sha256", kString, "run", "the pipeline file, as an artifact")  \
  X(kInputSha256, "input_sha256", kString, "run", "the initial payload, as an artifact")          \
  X(kParams, "params", kObject, "run", "parameters given")                                        \
  X(kMessage, "message", kString, "text", "what happened, for people")                            \
  X(kReason, "reason", kString, "text", "why")                                                    \
  X(kTargetRunId, "target_run_id", kString, "target", "another run that this is about")           \
  X(kSignalId, "signal_id", kString, "target", "which request to a run")                          \
  X(kSignalType, "signal_type", kString, "target", "pause, resume, cancel, …")                    \
  X(kArtifactPath, "artifact_path", kString, "target", "name of the artifact")                    \
  X(kArtifactSha256, "artifact_sha256", kString, "target", "address of its content")              \
  X(kActorId, "actor_id", kString, "target", "who did it")                                        \
  X(kAgentId, "agent_id", kString, "agent", "which agent")                                        \
  X(kAgentVersion, "agent_version", kString, "agent", "which version of it")                      \
  X(kProvider, "provider", kString, "agent", "whose model or service")                            \
  X(kOperation, "operation", kString, "agent", "what was called")                                 \
  X(kModelId, "model_id", kString, "agent", "which model")                                        \
  X(kCallId, "call_id", kString, "agent", "which call")                                           \
  X(kInputTokens, "input_tokens", kInteger, "agent", "tokens read")                               \
  X(kOutputTokens, "output_tokens", kInteger, "agent", "tokens written")                          \
  X(kCostUsd, "cost_usd", kNumber, "agent", "cost in US dollars")                                 \
  X(kEventId, "event_id", kString, "source", "id that the producer gave the event")               \
  X(kIdempotencyKey, "idempotency_key", kString, "source", "given twice, stored once")            \
  X(kSource, "source", kString, "source", "system that the event came from")                      \
  X(kSourceRunId, "source_run_id", kString, "source", "its id of the run")                        \
  X(kSourceSeq, "source_seq", kInteger, "source", "its number of the event")                      \
  X(kAttributes, "attributes", kObject, "rest", "everything else that the producer sent")

/// X(id, name, family, Level, meaning, required fields…).
#define WEIR_TYPES(X)                                                                              \
  X(kPipelineStarted, "pipeline_started", "run", kInfo, "a run begins", Field::kEntryNodes,        \
    Field::kOutputNodes, Field::kNodeCount)                                                        \
  X(kPipelineCompleted, "pipeline_completed", "run", kInfo, "a run succeeded", Field::kDurationMs, \
    Field::kNodeCount, Field::kOutputNodeIds)                                                      \
  X(kPipelineFailed, "pipeline_failed", "run", kError, "a run failed, or was refused",             \
    Field::kDurationMs, Field::kFailedNodeId, Field::kErrorType, Field::kErrorMessage)             \
  X(kPipelineCancelled, "pipeline_cancelled", "run", kWarning, "a run was stopped",                \
    Field::kDurationMs, Field::kReason)                                                            \
  X(kPipelinePaused, "pipeline_paused", "run", kInfo, "a run waits")                               \
  X(kPipelineResumed, "pipeline_resumed", "run", kInfo, "a run goes on")                           \
  X(kPipelineFetched, "pipeline_fetched", "run", kInfo, "a definition was read",                   \
    Field::kDefinitionSha256)                                                                      \
  X(kPipelineValidated, "pipeline_validated", "run", kInfo, "a definition was checked",            \
    Field::kDefinitionSha256)                                                                      \
  X(kNodeStarted, "pipeline_node_started", "node", kInfo, "a node begins", Field::kNodeId,         \
    Field::kPluginId, Field::kToolId, Field::kStepIndex, Field::kPredecessorNodeIds)               \
  X(kNodeCompleted, "pipeline_node_completed", "node", kInfo, "a node succeeded", Field::kNodeId,  \
    Field::kPluginId, Field::kToolId, Field::kStepIndex, Field::kDurationMs, Field::kOutputKeys)   \
  X(kNodeFailed, "pipeline_node_failed", "node", kError, "an attempt of a node failed",            \
    Field::kNodeId, Field::kPluginId, Field::kToolId, Field::kStepIndex, Field::kErrorType,        \
    Field::kErrorMessage)                                                                          \
  X(kNodeSkipped, "pipeline_node_skipped", "node", kInfo, "a node was not needed", Field::kNodeId, \
    Field::kReason)                                                                                \
  X(kNodeCancelled, "pipeline_node_cancelled", "node", kWarning, "a running node was stopped",     \
    Field::kNodeId, Field::kReason)                                                                \
  X(kNodeRetryScheduled, "pipeline_node_retry_scheduled", "node", kWarning, "it is tried again",   \
    Field::kNodeId, Field::kAttempt, Field::kReason)                                               \
  X(kNodeIo, "node_io", "node detail", kDebug, "masked input and output", Field::kNodeId)          \
  X(kCacheHit, "cache_hit", "node detail", kInfo, "the result was known", Field::kNodeId)          \
  X(kCacheMiss, "cache_miss", "node detail", kDebug, "the result was not known", Field::kNodeId,   \
    Field::kReason)                                                                                \
  X(kCheckpointCreated, "checkpoint_created", "node detail", kInfo, "a point to go on from")       \
  X(kToolInvoked, "tool_invoked", "tool", kInfo, "a tool was asked for", Field::kToolId)           \
  X(kToolStarted, "tool_started", "tool", kInfo, "a tool begins", Field::kToolId)                  \
  X(kToolCompleted, "tool_completed", "tool", kInfo, "a tool succeeded", Field::kToolId,           \
    Field::kDurationMs)                                                                            \
  X(kToolFailed, "tool_failed", "tool", kError, "a tool failed", Field::kToolId,                   \
    Field::kErrorType, Field::kErrorMessage)                                                       \
  X(kToolDenied, "tool_denied", "tool", kWarning, "a tool was not allowed", Field::kToolId,        \
    Field::kReason)                                                                                \
  X(kToolUndone, "tool_undone", "tool", kInfo, "its effects were taken back", Field::kToolId)      \
  X(kToolUndoFailed, "tool_undo_failed", "tool", kError, "its effects remain", Field::kToolId,     \
    Field::kErrorMessage)                                                                          \
  X(kApprovalRequested, "approval_requested", "approval", kInfo, "a person is asked",              \
    Field::kNodeId)                                                                                \
  X(kApprovalDecided, "approval_decided", "approval", kInfo, "a person answered", Field::kNodeId,  \
    Field::kOutcome)                                                                               \
  X(kGuardRetryAttempt, "guard_retry_attempt", "guard", kWarning, "a guard asks for another try",  \
    Field::kNodeId, Field::kAttempt)                                                               \
  X(kGuardRetryExhausted, "guard_retry_exhausted", "guard", kError, "a guard gave up",             \
    Field::kNodeId, Field::kReason)                                                                \
  X(kGuardRetryRecovered, "guard_retry_recovered", "guard", kInfo, "a guard is content",           \
    Field::kNodeId)                                                                                \
  X(kProviderCallStarted, "provider_call_started", "provider", kInfo, "a call begins",             \
    Field::kProvider, Field::kOperation)                                                           \
  X(kProviderCallCompleted, "provider_call_completed", "provider", kInfo, "a call succeeded",      \
    Field::kProvider, Field::kOperation, Field::kDurationMs)                                       \
  X(kProviderCallFailed, "provider_call_failed", "provider", kError, "a call failed",              \
    Field::kProvider, Field::kOperation, Field::kErrorType, Field::kErrorMessage)                  \
  X(kCircuitOpened, "circuit_opened", "provider", kWarning, "calls are refused for a while",       \
    Field::kProvider, Field::kOperation)                                                           \
  X(kCircuitHalfOpen, "circuit_half_open", "provider", kInfo, "one call is let through",           \
    Field::kProvider, Field::kOperation)                                                           \
  X(kCircuitClosed, "circuit_closed", "provider", kInfo, "calls are let through again",            \
    Field::kProvider, Field::kOperation)                                                           \
  X(kAgentRun, "agent_run", "agent", kInfo, "an agent finished a run", Field::kAgentId,            \
    Field::kOutcome)                                                                               \
  X(kStreamChunkDropped, "stream_chunk_dropped", "stream", kWarning, "a chunk did not fit")        \
  X(kStreamProducerBlocked, "stream_producer_blocked", "stream", kWarning, "a producer waited")    \
  X(kStreamThrottleStarted, "stream_throttle_started", "stream", kWarning, "producers slow down")  \
  X(kStreamThrottleEnded, "stream_throttle_ended", "stream", kInfo, "producers go on")             \
  X(kStreamBufferOverflow, "stream_buffer_overflow", "stream", kWarning, "a buffer was too small") \
  X(kStreamBufferUnderrun, "stream_buffer_underrun", "stream", kWarning, "a buffer ran dry")       \
  X(kStreamBufferRecovered, "stream_buffer_recovered", "stream", kInfo, "a buffer is well again")  \
  X(kStreamQueueClosed, "stream_queue_closed", "stream", kInfo, "a stream ended")                  \
  X(kChildSpawned, "pipeline_child_spawned", "child runs", kInfo, "a run started another",         \
    Field::kTargetRunId)                                                                           \
  X(kChildCompleted, "pipeline_child_completed", "child runs", kInfo, "it succeeded",              \
    Field::kTargetRunId)                                                                           \
  X(kChildFailed, "pipeline_child_failed", "child runs", kError, "it failed", Field::kTargetRunId, \
    Field::kErrorMessage)                                                                          \
  X(kSignalRequested, "signal_requested", "signal", kInfo, "somebody asks something of a run",     \
    Field::kSignalId, Field::kSignalType, Field::kTargetRunId)                                     \
  X(kSignalAccepted, "signal_accepted", "signal", kInfo, "the run does it", Field::kSignalId,      \
    Field::kSignalType)                                                                            \
  X(kSignalRejected, "signal_rejected", "signal", kWarning, "the run does not do it",              \
    Field::kSignalId, Field::kSignalType, Field::kReason)                                          \
  X(kSignalDeferred, "signal_deferred", "signal", kWarning, "the run does it later",               \
    Field::kSignalId, Field::kSignalType)                                                          \
  X(kArtifactWritten, "artifact_written", "artifact", kInfo, "a node kept bytes",                  \
    Field::kArtifactPath, Field::kArtifactSha256)                                                  \
  X(kArtifactReviewed, "artifact_reviewed", "artifact", kInfo, "a person judged them",             \
    Field::kArtifactSha256, Field::kOutcome)                                                       \
  X(kNodeWide, "node_wide", "wide", kInfo, "everything about a node", Field::kNodeId)              \
  X(kPipelineWide, "pipeline_wide", "wide", kInfo, "everything about a run")                       \
  X(kSpan, "span", "observed", kInfo, "timed work, with its place in a trace", Field::kTraceId,    \
    Field::kSpanId)                                                                                \
  X(kLog, "log", "observed", kInfo, "a log line", Field::kMessage)                                 \
  X(kMetric, "metric", "observed", kInfo,                                                          \
    "a measurement of another system: name, kind, value and unit are in its attributes")           \
  X(kAdapterHeartbeat, "adapter_heartbeat", "machinery", kDebug, "an adapter is alive",            \
    Field::kAdapter)                                                                               \
  X(kAdapterCallCompleted, "adapter_call_completed", "machinery", kDebug, "an adapter answered",   \
    Field::kAdapter, Field::kDurationMs)                                                           \
  X(kAdapterCallFailed, "adapter_call_failed", "machinery", kError, "an adapter did not answer",   \
    Field::kAdapter, Field::kErrorType, Field::kErrorMessage)                                      \
  X(kWorkerPoolChanged, "worker_pool_changed", "machinery", kInfo, "workers came or went")         \
  X(kCapabilityDegraded, "capability_degraded", "machinery", kWarning, "something works less",     \
    Field::kReason)                                                                                \
  X(kSessionStarted, "session_started", "machinery", kInfo, "a session begins", Field::kSessionId) \
  X(kSessionEnded, "session_ended", "machinery", kInfo, "a session ended", Field::kSessionId)      \
  X(kNotification, "notification", "people", kInfo, "something to tell a person", Field::kMessage) \
  X(kAudit, "audit", "people", kInfo, "who did what", Field::kActorId, Field::kOperation)          \
  X(kAlertFired, "alert_fired", "people", kError, "a rule is broken", Field::kMessage)             \
  X(kAlertResolved, "alert_resolved", "people", kInfo, "a rule holds again", Field::kMessage)      \
  X(kProjectionGap, "projection_gap", "people", kError, "a producer's events are missing",         \
    Field::kTargetRunId)
