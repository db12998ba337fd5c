#pragma once

#include "base/json.h"
#include "event/decoder.h"

namespace weir::record {

/// An event as the document that dashboards, log shippers and Elasticsearch expect of a workflow
/// engine (docs/formats/json-lines-sink.md, "Documents"): who and where at the top, in camel case;
/// what else is known in `context`, and what was measured in `metrics`. Nothing is left out but
/// what the event does not say.
///
///   {"timestamp":"2026-01-05T03:00:00.250000Z","level":"INFO","component":"engine",
///    "eventType":"pipeline_started","message":"pipeline_started","runId":"0197…","runSeq":1,
///    "planId":"p","planVersion":"1","tenantId":"acme","environmentId":"prod","adapter":"local",
///    "context":{"engineAttemptId":2,"requestId":"req-7"},"metrics":{"nodeCount":3}}
[[nodiscard]] json::Object to_log_document(const event::EventView& event);

}  // namespace weir::record
