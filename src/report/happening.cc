#include "report/happening.h"

#include <algorithm>
#include <utility>

namespace weir::report {
namespace {

using event::Field;
using event::Type;

/// sql/status/happenings.sql names the same.
constexpr Type kTypes[] = {
    Type::kPipelineCompleted, Type::kPipelineFailed,   Type::kPipelineCancelled,
    Type::kNodeFailed,        Type::kApprovalDecided,  Type::kAgentRun,
    Type::kArtifactWritten,   Type::kArtifactReviewed, Type::kNotification,
    Type::kAlertFired,        Type::kAlertResolved};

constexpr std::pair<Field, std::string Happening::*> kTexts[] = {
    {Field::kEventType, &Happening::event_type},
    {Field::kLevel, &Happening::level},
    {Field::kRunId, &Happening::run_id},
    {Field::kPipelineId, &Happening::pipeline_id},
    {Field::kNodeId, &Happening::node_id},
    {Field::kAgentId, &Happening::agent_id},
    {Field::kActorId, &Happening::actor_id},
    {Field::kMessage, &Happening::message},
    {Field::kReason, &Happening::reason},
    {Field::kOutcome, &Happening::outcome},
    {Field::kErrorType, &Happening::error_type},
    {Field::kErrorMessage, &Happening::error_message},
    {Field::kArtifactPath, &Happening::artifact_path},
    {Field::kArtifactSha256, &Happening::artifact_sha256},
    {Field::kTargetRunId, &Happening::target_run_id},
    {Field::kTenantId, &Happening::tenant_id}};

/// By what the one who fired it calls it, else by what it says.
std::string alert_of(const event::EventView& event) {
  if (event.has(Field::kAttributes)) {
    const auto parsed = json::parse(event.text(Field::kAttributes));
    const auto* object = parsed ? parsed->object() : nullptr;
    const auto* name = object == nullptr ? nullptr : object->find("alert");
    if (name != nullptr && name->string() != nullptr) return *name->string();
  }
  const auto code = event.text(Field::kErrorCode);
  return std::string(code.empty() ? event.text(Field::kMessage) : code);
}

}  // namespace

std::optional<Happening> happening_of(const event::EventView& event) {
  if (std::ranges::find(kTypes, event.type()) == std::end(kTypes)) return {};
  Happening happening{.at = event.timestamp(), .run_seq = event.run_seq()};
  for (const auto& [field, member] : kTexts) happening.*member = event.text(field);
  happening.duration_ms = event.number(Field::kDurationMs);
  happening.written_bytes = event.integer(Field::kWrittenBytes);
  if (event.type() == Type::kAlertFired || event.type() == Type::kAlertResolved)
    happening.alert = alert_of(event);
  return happening;
}

Happening happening_of(const std::vector<std::string>& columns,
                       const std::vector<json::Value>& row) {
  Happening happening;
  for (std::size_t i = 0; i < columns.size() && i < row.size(); ++i) {
    const auto* text = row[i].string();
    if (columns[i] == "alert" && text != nullptr) happening.alert = *text;
    for (const auto& [field, member] : kTexts) {
      if (text != nullptr && columns[i] == event::info(field).name) happening.*member = *text;
    }
    if (columns[i] == "at_us" && row[i].integer() != nullptr)
      happening.at = Timestamp(std::chrono::microseconds(*row[i].integer()));
    if (columns[i] == "run_seq" && row[i].integer() != nullptr)
      happening.run_seq = *row[i].integer();
    if (columns[i] == "written_bytes" && row[i].integer() != nullptr)
      happening.written_bytes = *row[i].integer();
    if (columns[i] == "duration_ms" && !row[i].is_null()) {
      const auto* number = std::get_if<double>(&row[i].variant());
      if (number != nullptr) happening.duration_ms = *number;
    }
  }
  return happening;
}

}  // namespace weir::report
