#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/json.h"
#include "base/result.h"
#include "event/catalogue.h"
#include "event/decoder.h"

/// What dvt's engine computes from a run's events, to the byte: docs/compatibility.md.
namespace weir::project::dvt {

/// dvt's name of one of our events ("StepStarted"); nothing for those that it has not.
[[nodiscard]] std::optional<std::string_view> name_of(event::Type type);
/// The event that dvt calls `name`. RunQueued is none of ours.
[[nodiscard]] std::optional<event::Type> type_of(std::string_view name);

/// What makes an event of dvt's the same one when it comes again. Views: read at once.
struct EventKey {
  std::string_view run_id;
  std::string_view step_id;  ///< empty: of the run
  std::int64_t logical_attempt_id = 1;
  std::string_view event_type;  ///< dvt's name
  std::string_view plan_id;     ///< not in version 1
  std::string_view plan_version;
};

/// SHA-256 of `runId|stepIdNormalized|logicalAttemptId|eventType|planId|planVersion`, version 2 of
/// the contract. Errors: kInvalidInput for a `|` in a field: two keys would be one.
[[nodiscard]] Result<Sha256> idempotency_key(const EventKey& key);
/// Version 1: the same without planId.
[[nodiscard]] Result<Sha256> idempotency_key_v1(const EventKey& key);

struct Step {
  std::string status = "PENDING";
  std::int64_t attempts = 0;
  std::string started_at;    ///< of the first attempt; empty: not yet
  std::string completed_at;  ///< when the last attempt ended, however; empty: not yet
};

/// dvt's snapshot of a run: a fold that checks nothing, as dvt's does not. RunState does.
struct Snapshot {
  std::string run_id;
  std::string status = "PENDING";
  bool paused = false;
  std::string started_at;
  std::string completed_at;
  std::map<std::string, Step, std::less<>> steps;

  /// `event_type` is dvt's name, `emitted_at` is kept as it is. Unknown events change nothing.
  void apply(std::string_view event_type, std::string_view step_id, std::string_view emitted_at);
  /// The same of an event of ours; its time is written as dvt writes it, in milliseconds.
  void apply(const event::EventView& event);

  /// {runId, status, paused, startedAt, completedAt, steps}, without what is not known.
  [[nodiscard]] json::Object to_json() const;
  /// SHA-256 of that in its canonical form (RFC 8785). Errors: kInvalidInput, ids not in UTF-8.
  [[nodiscard]] Result<Sha256> hash() const;
};

}  // namespace weir::project::dvt
