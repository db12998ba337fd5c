#include "project/dvt.h"

#include <algorithm>
#include <array>

#include "base/json_canonical.h"
#include "base/time.h"

namespace weir::project::dvt {
namespace {

using event::Type;

/// What an event does to the run's status, or with `of_step` to a step's.
struct Row {
  std::string_view name;
  std::optional<Type> type;  // of ours
  bool of_step;
  std::string_view status;  // empty: stays
};

constexpr Row kRows[] = {
    {"RunQueued", {}, false, ""},
    {"RunStarted", Type::kPipelineStarted, false, "RUNNING"},
    {"RunPaused", Type::kPipelinePaused, false, "PAUSED"},
    {"RunResumed", Type::kPipelineResumed, false, "RUNNING"},
    {"RunCompleted", Type::kPipelineCompleted, false, "COMPLETED"},
    {"RunFailed", Type::kPipelineFailed, false, "FAILED"},
    {"RunCancelled", Type::kPipelineCancelled, false, "CANCELLED"},
    {"StepStarted", Type::kNodeStarted, true, "RUNNING"},
    {"StepCompleted", Type::kNodeCompleted, true, "COMPLETED"},
    {"StepFailed", Type::kNodeFailed, true, "FAILED"},
    {"StepSkipped", Type::kNodeSkipped, true, "SKIPPED"},
};

const Row* find(std::string_view name) {
  const auto* row = std::ranges::find(kRows, name, &Row::name);
  return row == std::end(kRows) ? nullptr : row;
}

/// How dvt writes a moment: "2026-02-12T00:00:00.001Z".
std::string milliseconds_text(Timestamp time) {
  constexpr std::size_t kToMilliseconds = 23;
  return to_string(time).substr(0, kToMilliseconds) + "Z";
}

Result<Sha256> hash_of_parts(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const auto part : parts) {
    if (part.find('|') != std::string_view::npos) {
      return fail(ErrorCode::kInvalidInput,
                  "'" + std::string(part) + "': a part of an idempotency key has no '|' in it");
    }
    text.append(part).append("|");
  }
  text.pop_back();
  return sha256(text);
}

void set_if_known(json::Object& object, std::string_view key, const std::string& text) {
  if (!text.empty()) object.set(key, text);
}

}  // namespace

std::optional<std::string_view> name_of(Type type) {
  for (const auto& row : kRows) {
    if (row.type == type) return row.name;
  }
  return {};
}

std::optional<Type> type_of(std::string_view name) {
  const auto* row = find(name);
  return row == nullptr ? std::nullopt : row->type;
}

Result<Sha256> idempotency_key(const EventKey& key) {
  return hash_of_parts({key.run_id, key.step_id.empty() ? "RUN" : key.step_id,
                        std::to_string(key.logical_attempt_id), key.event_type, key.plan_id,
                        key.plan_version});
}

Result<Sha256> idempotency_key_v1(const EventKey& key) {
  return hash_of_parts({key.run_id, key.step_id.empty() ? "RUN" : key.step_id,
                        std::to_string(key.logical_attempt_id), key.event_type, key.plan_version});
}

void Snapshot::apply(std::string_view event_type, std::string_view step_id,
                     std::string_view emitted_at) {
  const auto* row = find(event_type);
  if (row == nullptr) return;
  const bool starts = row->status == "RUNNING" && row->type != Type::kPipelineResumed;
  const bool ends = row->status == "COMPLETED" || row->status == "FAILED" ||
                    row->status == "CANCELLED" || row->status == "SKIPPED";
  const auto note_time = [&](auto& of) {
    if (starts && of.started_at.empty()) of.started_at = emitted_at;
    if (ends) of.completed_at = emitted_at;
  };
  if (row->of_step) {
    auto& step = steps[std::string(step_id)];
    step.status = row->status;
    if (starts) ++step.attempts;
    return note_time(step);
  }
  if (!row->status.empty()) status = row->status;
  if (row->type == Type::kPipelinePaused) paused = true;
  if (row->type == Type::kPipelineResumed) paused = false;
  note_time(*this);
}

void Snapshot::apply(const event::EventView& event) {
  if (run_id.empty()) run_id = event.run_id().text();
  if (const auto name = name_of(event.type())) {
    apply(*name, event.text(event::Field::kNodeId), milliseconds_text(event.timestamp()));
  }
}

json::Object Snapshot::to_json() const {
  json::Object of_steps;
  for (const auto& [id, step] : steps) {
    json::Object object;
    object.set("status", step.status);
    object.set("attempts", step.attempts);
    set_if_known(object, "startedAt", step.started_at);
    set_if_known(object, "completedAt", step.completed_at);
    of_steps.append({id, std::move(object)});
  }
  json::Object object;
  object.set("runId", run_id);
  object.set("status", status);
  object.set("paused", paused);
  set_if_known(object, "startedAt", started_at);
  set_if_known(object, "completedAt", completed_at);
  object.set("steps", std::move(of_steps));
  return object;
}

Result<Sha256> Snapshot::hash() const {
  WEIR_TRY(const auto text, json::canonical_text(to_json()));
  return sha256(text);
}

}  // namespace weir::project::dvt
