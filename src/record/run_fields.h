#pragma once

#include <cstdint>
#include <string>

#include "base/id.h"
#include "event/redaction.h"
#include "record/correlation_ids.h"

namespace weir::record {

/// When `emit` returns, and what the end of the process leaves of what it was given.
///
///                       kMemory        kBatch (default)      kCommit
///   emit returns when   it is queued   it is queued          it is committed
///   committed within    0.2 s          5 ms                  at once
///   exit, abort         may be lost    nothing is lost       nothing is lost
///   a fatal signal      may be lost    up to 2 s are given   nothing is lost
///   kill -9, power      may be lost    the last 5 ms are     nothing is lost
enum class Durability : std::uint8_t { kMemory, kBatch, kCommit };

/// What every event of a run says. Secrets in the texts are masked: as fields of an event.
struct RunFields {
  RunId run_id;
  std::string pipeline_type;  ///< dag, linear or external
  std::string pipeline_id;
  std::string pipeline_version;
  TraceId trace_id;
  Durability durability = Durability::kBatch;
  /// Columns of every event: those that events have. Its `run_id` is the parent's.
  CorrelationIds correlation{};
  /// Of a run that goes on: the number of its last event.
  std::int64_t last_run_seq = 0;
  /// What whoever made these texts has masked in them; what the recorder masks is counted with it.
  event::RedactionCounts redacted{};
};

}  // namespace weir::record
