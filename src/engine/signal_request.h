#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "artifact/artifact_store.h"
#include "base/id.h"
#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "event/decoder.h"
#include "event/field_value.h"
#include "record/recorder.h"

namespace weir::engine {

/// What somebody asks of a run.
struct SignalRequest {
  RunId run;
  std::string tenant_id{};   ///< whose run it is
  std::string signal_id;     ///< the same id is the same request
  std::string type;          ///< "retry-step": see signal_types.h
  std::string node_id{};     ///< if it is about a node
  std::string actor_id{};    ///< who asks
  std::string reason{};      ///< why
  json::Object payload{};    ///< what else the type needs
  std::string payload_of{};  ///< the artifact that holds the payload: see read_payload
  Timestamp asked_at{};      ///< of one that was read
};

/// Of a `signal_*` event. `run` is its target_run_id, or the run of the event itself.
[[nodiscard]] SignalRequest read_signal(const event::EventView& event);

/// Gets the payload if it is an artifact. Errors: those of the artifact store; kCorrupt.
[[nodiscard]] Result<void> read_payload(SignalRequest& request,
                                        const artifact::ArtifactStore& artifacts);

/// What was decided of a request, and why.
struct SignalDecision {
  enum class Kind : std::uint8_t { kAccepted, kDeferred, kRejected };
  Kind kind = Kind::kAccepted;
  std::string code{};    ///< for programs: "STEP_TERMINAL"
  std::string reason{};  ///< for people

  [[nodiscard]] static SignalDecision accepted() { return {}; }
  [[nodiscard]] static SignalDecision rejected(std::string code, std::string reason) {
    return {.kind = Kind::kRejected, .code = std::move(code), .reason = std::move(reason)};
  }
  [[nodiscard]] static SignalDecision deferred(std::string code, std::string reason) {
    return {.kind = Kind::kDeferred, .code = std::move(code), .reason = std::move(reason)};
  }
};

[[nodiscard]] event::Type event_type(SignalDecision::Kind kind);

/// The fields of a `signal_*` event, in the order of the catalogue. What they name is the
/// request's, the decision's and this object's.
class SignalFields {
 public:
  /// For an event of the run itself.
  SignalFields(const SignalRequest& request, const SignalDecision& decision);
  /// For one of another run, which names the run that it is about.
  [[nodiscard]] static SignalFields about(const SignalRequest& request,
                                          const SignalDecision& decision);
  SignalFields(const SignalFields&) = delete;
  SignalFields& operator=(const SignalFields&) = delete;

  [[nodiscard]] std::span<const event::FieldValue> get() const { return fields_; }

 private:
  SignalFields(const SignalRequest& request, const SignalDecision& decision, std::string target);
  std::string target_;
  std::string attributes_;
  std::vector<event::FieldValue> fields_;
};

/// Records in this process's own run that somebody asks, and waits for the commit. A payload that
/// may not stand in an event becomes an artifact. Errors: those of the log and of the artifact
/// store.
[[nodiscard]] Result<void> record_request(SignalRequest& request, record::Recorder& recorder,
                                          const artifact::ArtifactStore& artifacts);

/// The same of a decision about a run that cannot decide itself: it has ended, or nobody has it.
[[nodiscard]] Result<void> record_decision(const SignalRequest& request,
                                           const SignalDecision& decision,
                                           record::Recorder& recorder);

}  // namespace weir::engine
