#include "tool/own_event.h"

#include <algorithm>
#include <array>

namespace weir::tool {
namespace {

using event::Field;

/// Those that no other part of Weir says of a node's events.
constexpr std::array kColumns = {
    Field::kDurationMs,   Field::kOutcome,      Field::kErrorType,      Field::kErrorCode,
    Field::kErrorMessage, Field::kRetryable,    Field::kRows,           Field::kMessage,
    Field::kReason,       Field::kArtifactPath, Field::kArtifactSha256, Field::kAgentId,
    Field::kAgentVersion, Field::kProvider,     Field::kOperation,      Field::kModelId,
    Field::kCallId,       Field::kInputTokens,  Field::kOutputTokens,   Field::kCostUsd,
};

/// Words that the catalogue's types begin with: new ones may come.
constexpr std::array<std::string_view, 5> kReservedBeginnings = {"pipeline_", "signal_",
                                                                 "approval_", "weir_", "weir."};

/// Types of the catalogue that tools may say.
constexpr std::array kTypes = {event::Type::kAgentRun, event::Type::kNotification};

std::unexpected<Error> wrong_event(const OwnEvent& event, const std::string& what) {
  return fail(ErrorCode::kInvalidInput, "an event '" + event.type.substr(0, 128) + "' " + what);
}

bool is_of_type(event::FieldType type, const json::Value& value) {
  switch (type) {
    case event::FieldType::kInteger:
      return value.integer() != nullptr;
    case event::FieldType::kNumber:
      return value.integer() != nullptr || std::holds_alternative<double>(value.variant());
    case event::FieldType::kBoolean:
      return value.boolean() != nullptr;
    default:
      return value.string() != nullptr;
  }
}

}  // namespace

std::optional<Field> column_for(std::string_view name) {
  const auto field = event::find_field(name);
  if (!field || std::ranges::find(kColumns, *field) == kColumns.end()) return {};
  return field;
}

Result<void> check(const OwnEvent& event) {
  const auto type = event::find_type(event.type);
  if (!type) return wrong_event(event, "has no name: a-z, 0-9, '_' and '.', at most 128");
  const bool is_reserved = std::ranges::any_of(
      kReservedBeginnings, [&](std::string_view word) { return event.type.starts_with(word); });
  const bool is_known = std::ranges::find(kTypes, *type) != kTypes.end();
  if (is_reserved || (type != event::Type::kCustom && !is_known)) {
    return wrong_event(event,
                       "is not for tools to say: a name of their own, agent_run or notification");
  }
  if (json::to_text(event.members).size() > kMaxOwnEventBytes) {
    return wrong_event(event, "is larger than " + std::to_string(kMaxOwnEventBytes) + " bytes");
  }
  for (const auto& member : event.members) {
    const auto field = column_for(member.key);
    if (field && !is_of_type(event::info(*field).type, member.value)) {
      return wrong_event(event, "has a value of another type in '" + member.key + "'");
    }
  }
  if (!is_known) return {};
  for (const auto field : event::info(*type).required) {
    const auto name = event::info(field).name;
    if (event.members.find(name) == nullptr) {
      return wrong_event(event, "needs '" + std::string(name) + "'");
    }
  }
  return {};
}

json::Object to_object(const OwnEvent& event) {
  json::Object object;
  object.set("type", event.type);
  object.set("level", event::to_string(event.level));
  object.set("data", event.members);
  return object;
}

OwnEvent own_event_from(const json::Object& object) {
  OwnEvent event;
  const auto* type = object.find("type");
  if (type != nullptr && type->string() != nullptr) event.type = *type->string();
  const auto* level = object.find("level");
  if (level != nullptr && level->string() != nullptr) event.level = level_from(*level->string());
  const auto* data = object.find("data");
  if (data != nullptr && data->object() != nullptr) event.members.update(*data->object());
  return event;
}

void warn_of_event(const Call& call, const Error& why) {
  if (why.code == ErrorCode::kExhausted || !call.log) return;
  const auto message = "an event of it was passed over: " + why.message;
  call.log({.level = event::Level::kWarning, .message = message, .logger = "plugin"});
}

event::Level level_from(std::string word) {
  for (auto& letter : word) {
    if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
  }
  using enum event::Level;
  for (const auto level : {kDebug, kWarning, kError, kFatal}) {
    if (word == event::to_string(level)) return level;
  }
  return kInfo;
}

}  // namespace weir::tool
