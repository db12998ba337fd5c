#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

#include "project/span_attributes.h"

/// The way back of what came over OTLP: ingest/otlp_map_span.cc is the way in.
namespace weir::project {
namespace {

using event::Field;

std::string text_in(const json::Object& object, std::string_view name) {
  const auto* value = object.find(name);
  return value == nullptr || value->string() == nullptr ? std::string() : *value->string();
}

std::uint32_t count_in(const json::Object& object, std::string_view name) {
  const auto* value = object.find(name);
  const auto* count = value == nullptr ? nullptr : value->integer();
  if (count == nullptr || *count < 0 || *count > UINT32_MAX) return 0;
  return static_cast<std::uint32_t>(*count);
}

json::Object object_in(const json::Object& object, std::string_view name) {
  const auto* value = object.find(name);
  return value == nullptr || value->object() == nullptr ? json::Object() : *value->object();
}

const json::Array& array_in(const json::Object& object, std::string_view name) {
  static const json::Array none;
  const auto* value = object.find(name);
  return value == nullptr || value->array() == nullptr ? none : *value->array();
}

std::uint64_t number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : 0;
}

SpanKind kind_of(const json::Object& otlp) {
  const auto kind = text_in(otlp, "kind");
  for (std::size_t i = 1; i <= static_cast<std::size_t>(SpanKind::kConsumer); ++i) {
    if (kind == to_string(static_cast<SpanKind>(i))) return static_cast<SpanKind>(i);
  }
  return SpanKind::kUnspecified;
}

void set_observed_status(Span& span, const event::EventView& event, const json::Object& otlp) {
  const auto level = event.text(Field::kLevel);
  if (level == "ERROR" || level == "FATAL") {
    span.status = SpanStatus::kError;
    span.status_message = event.text(Field::kErrorMessage);
    return;
  }
  if (text_in(otlp, "status_code") == "ok") span.status = SpanStatus::kOk;
  span.status_message = text_in(otlp, "status_message");
}

/// Start and end to the nanosecond: the start is in the key, the duration is exact. The key of a
/// span that has only begun ends with "-open".
void set_observed_times(Span& span, const event::EventView& event) {
  constexpr std::string_view kOpen = "-open";
  auto key = event.text(Field::kEventId);
  if (key.ends_with(kOpen)) {
    key.remove_suffix(kOpen.size());
    span.start_ns = number_of(key.substr(key.rfind('-') + 1));
    if (span.start_ns == 0) span.start_ns = nanoseconds_of(event.timestamp());
    return;
  }
  span.start_ns = number_of(key.substr(key.rfind('-') + 1));
  const auto duration_ms = event.number(Field::kDurationMs);
  if (span.start_ns == 0) {
    span.end_ns = nanoseconds_of(event.timestamp());
    return;
  }
  if (!duration_ms) return;
  const auto duration_ns = std::llround(std::clamp(*duration_ms * 1e6, -4e18, 4e18));
  span.end_ns = span.start_ns + static_cast<std::uint64_t>(duration_ns);
}

std::vector<SpanEvent> events_of(const json::Object& otlp) {
  std::vector<SpanEvent> events;
  for (const auto& item : array_in(otlp, "events")) {
    if (item.object() == nullptr) continue;
    const auto& object = *item.object();
    events.push_back({.time_ns = number_of(text_in(object, "time_unix_nano")),
                      .name = text_in(object, "name"),
                      .attributes = object_in(object, "attributes"),
                      .dropped_attributes = count_in(object, "dropped_attributes_count")});
  }
  return events;
}

std::vector<SpanLink> links_of(const json::Object& otlp) {
  std::vector<SpanLink> links;
  for (const auto& item : array_in(otlp, "links")) {
    if (item.object() == nullptr) continue;
    const auto& object = *item.object();
    SpanLink link{.to = {text_in(object, "trace_id"), text_in(object, "span_id")},
                  .trace_state = text_in(object, "trace_state"),
                  .attributes = object_in(object, "attributes"),
                  .dropped_attributes = count_in(object, "dropped_attributes_count"),
                  .flags = count_in(object, "flags")};
    if (TraceId::parse(link.to.trace_id) && SpanId::parse(link.to.span_id)) {
      links.push_back(std::move(link));
    }
  }
  return links;
}

SpanOrigin observed_origin(const json::Object& otlp) {
  const auto scope = object_in(otlp, "scope");
  return {.resource = object_in(otlp, "resource"),
          .dropped_resource_attributes = count_in(otlp, "resource_dropped_attributes_count"),
          .resource_schema_url = text_in(otlp, "resource_schema_url"),
          .scope_name = text_in(scope, "name"),
          .scope_version = text_in(scope, "version"),
          .scope_attributes = object_in(scope, "attributes"),
          .dropped_scope_attributes = count_in(scope, "dropped_attributes_count"),
          .schema_url = text_in(otlp, "schema_url")};
}

/// What the sender said, and what was put aside since it is called as ours.
json::Object sent_attributes(const json::Object& all, const json::Object& otlp) {
  json::Object sent;
  const auto* ours = all.find("otlp");
  for (const auto& member : all) {
    if (&member.value != ours) sent.append(member);
  }
  sent.update(object_in(otlp, "attributes"));
  return sent;
}

}  // namespace

Span observed_span_of(const event::EventView& event,
                      const std::shared_ptr<const SpanOrigin>& last_origin) {
  json::Object all;
  if (const auto* member = event.find(Field::kAttributes)) {
    auto value = json::parse(member->text);
    if (value && value->object() != nullptr) all = std::move(*value->object());
  }
  const auto otlp = object_in(all, "otlp");
  const auto parent = event.text(Field::kParentSpanId);
  Span span{.run_id = event.run_id(),
            .pipeline_id = std::string(event.text(Field::kPipelineId)),
            .context = {std::string(event.text(Field::kTraceId)),
                        std::string(event.text(Field::kSpanId))},
            .parent_span_id = std::string(parent),
            .trace_state = text_in(otlp, "trace_state"),
            .flags = count_in(otlp, "flags"),
            .name = std::string(event.text(parent.empty() ? Field::kPipelineName : Field::kToolId)),
            .kind = kind_of(otlp),
            .status_message = {},
            .attributes = sent_attributes(all, otlp),
            .events = events_of(otlp),
            .links = links_of(otlp),
            .dropped_attributes = count_in(otlp, "dropped_attributes_count"),
            .dropped_events = count_in(otlp, "dropped_events_count"),
            .dropped_links = count_in(otlp, "dropped_links_count"),
            .origin = {},
            .lane = Span::kNoLane};
  set_observed_times(span, event);
  set_observed_status(span, event, otlp);
  auto origin = observed_origin(otlp);
  span.origin = last_origin != nullptr && *last_origin == origin
                    ? last_origin
                    : std::make_shared<const SpanOrigin>(std::move(origin));
  return span;
}

}  // namespace weir::project
