#include "record/log_record.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "base/time.h"

namespace weir::record {
namespace {

using event::EventView;
using event::Field;
using event::Type;

constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kTypeNames = {{
    {"pipeline_node_started", "node_start"},
    {"pipeline_node_completed", "node_complete"},
    {"pipeline_node_failed", "node_failed"},
    {"pipeline_started", "pipeline_start"},
    {"pipeline_completed", "pipeline_complete"},
}};

json::Value text_or_null(std::string_view text) {
  return text.empty() ? json::Value() : json::Value(text);
}

template <class T>
json::Value value_or_null(const std::optional<T>& value) {
  return value ? json::Value(*value) : json::Value();
}

std::string level_name(std::string_view level) {
  if (level == event::to_string(event::Level::kFatal)) return "critical";
  std::string lower(level);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  return lower;
}

json::Value status_of(const EventView& event) {
  switch (event.type()) {
    case Type::kNodeStarted:
      return "running";
    case Type::kNodeCompleted:
      return "success";
    case Type::kNodeFailed:
      return "failed";
    case Type::kPipelineCompleted:
      return event.integer(Field::kFailedCount).value_or(0) > 0 ? "partial_failure" : "success";
    default:
      return {};
  }
}

json::Value cache_hit_of(const EventView& event) {
  if (event.type() == Type::kCacheHit) return true;
  if (event.type() == Type::kCacheMiss) return false;
  const auto* member = event.find(Field::kCacheHit);
  return member == nullptr ? json::Value() : json::Value(member->boolean);
}

json::Value memory_mb_of(const EventView& event) {
  const auto bytes = event.integer(Field::kMemoryBytes);
  return bytes ? json::Value(static_cast<double>(*bytes) / (1024 * 1024)) : json::Value();
}

/// The attributes without those that have keys of their own, and what ODIBI CORE keeps among them.
json::Object metadata_of(const EventView& event, const json::Object& attributes) {
  json::Object metadata;
  for (const auto& member : attributes) {
    if (member.key != "layer" && member.key != "engine") metadata.append(member);
  }
  for (const auto field : {Field::kPipelineName, Field::kSuccessCount, Field::kFailedCount}) {
    const auto* member = event.find(field);
    if (member == nullptr) continue;
    const auto is_text = member->kind == json::Kind::kString;
    metadata.append({std::string(event::info(field).name),
                     is_text ? json::Value(member->text) : json::Value(member->integer)});
  }
  return metadata;
}

}  // namespace

std::string_view node_name_of(const EventView& event) {
  const auto node = event.text(Field::kNodeId);
  return node.empty() && event.type() == Type::kLog ? event.text(Field::kComponent) : node;
}

std::string_view to_odibi_name(std::string_view event_type) {
  const auto found =
      std::ranges::find(kTypeNames, event_type, [](const auto& pair) { return pair.first; });
  return found == kTypeNames.end() ? event_type : found->second;
}

std::string_view from_odibi_name(std::string_view event_type) {
  const auto found =
      std::ranges::find(kTypeNames, event_type, [](const auto& pair) { return pair.second; });
  return found == kTypeNames.end() ? event_type : found->first;
}

json::Object to_log_record(const EventView& event) {
  json::Value parsed;
  if (auto attributes = json::parse(event.text(Field::kAttributes)))
    parsed = *std::move(attributes);
  const auto attributes = parsed.object() == nullptr ? json::Object() : *parsed.object();
  const auto attribute = [&](std::string_view key) {
    const auto* value = attributes.find(key);
    return value == nullptr ? json::Value() : *value;
  };
  auto metadata = metadata_of(event, attributes);
  json::Object record;
  record.append({"timestamp", to_string(event.timestamp())});
  record.append({"level", level_name(event.text(Field::kLevel))});
  const bool is_error = event.type() == Type::kLog && event.has(Field::kErrorMessage);
  record.append({"event_type", is_error ? "error" : to_odibi_name(event.type_name())});
  record.append({"message", event.text(Field::kMessage)});
  record.append({"node_name", text_or_null(node_name_of(event))});
  record.append({"layer", attribute("layer")});
  record.append({"engine", attribute("engine")});
  record.append({"status", status_of(event)});
  record.append({"duration_ms", value_or_null(event.number(Field::kDurationMs))});
  record.append({"error", text_or_null(event.text(Field::kErrorMessage))});
  record.append({"cache_hit", cache_hit_of(event)});
  record.append({"row_count", value_or_null(event.integer(Field::kRows))});
  record.append({"memory_mb", memory_mb_of(event)});
  record.append({"user", text_or_null(event.text(Field::kUserId))});
  record.append({"metadata", metadata.empty() ? json::Value() : json::Value(std::move(metadata))});
  return record;
}

}  // namespace weir::record
