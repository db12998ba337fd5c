#include <cmath>

#include "export/format.h"
#include "export/otlp.h"

namespace weir::exporting {
namespace {

using project::Span;

/// Spans of one line.
constexpr std::size_t kJsonBatch = 512;

json::Value any_value_json(const json::Value& value);

json::Array attributes_json(const json::Object& attributes) {
  json::Array list;
  for (const auto& member : attributes) {
    json::Object pair;
    pair.append({"key", member.key});
    pair.append({"value", any_value_json(member.value)});
    list.emplace_back(std::move(pair));
  }
  return list;
}

json::Value double_json(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
  return number;
}

json::Value any_value_json(const json::Value& value) {
  json::Object any;
  const auto set = [&](const char* type, json::Value what) { any.append({type, std::move(what)}); };
  if (value.string() != nullptr) {
    set("stringValue", value);
  } else if (value.boolean() != nullptr) {
    set("boolValue", value);
  } else if (const auto* integer = value.integer()) {
    set("intValue", std::to_string(*integer));
  } else if (const auto* large = std::get_if<std::uint64_t>(&value.variant())) {
    set("stringValue", std::to_string(*large));
  } else if (const auto* number = std::get_if<double>(&value.variant())) {
    set("doubleValue", double_json(*number));
  } else if (const auto* array = value.array()) {
    json::Object list;
    json::Array values;
    for (const auto& item : *array) values.push_back(any_value_json(item));
    list.append({"values", std::move(values)});
    set("arrayValue", std::move(list));
  } else if (const auto* object = value.object()) {
    json::Object list;
    list.append({"values", attributes_json(*object)});
    set("kvlistValue", std::move(list));
  }
  return any;
}

/// Adds members, leaving out what the protocol has as the default.
class JsonMessage {
 public:
  void text(const char* name, const std::string& value) {
    if (!value.empty()) object_.append({name, value});
  }
  void count(const char* name, std::uint32_t value) {
    if (value != 0) object_.append({name, std::int64_t{value}});
  }
  void time(const char* name, std::uint64_t value) {
    if (value != 0) object_.append({name, std::to_string(value)});
  }
  void list(const char* name, json::Array value) {
    if (!value.empty()) object_.append({name, std::move(value)});
  }
  void object(const char* name, json::Object value) { object_.append({name, std::move(value)}); }
  [[nodiscard]] json::Object take() { return std::move(object_); }

 private:
  json::Object object_;
};

json::Object event_json(const project::SpanEvent& event) {
  JsonMessage message;
  message.time("timeUnixNano", event.time_ns);
  message.text("name", event.name);
  message.list("attributes", attributes_json(event.attributes));
  message.count("droppedAttributesCount", event.dropped_attributes);
  return message.take();
}

json::Object link_json(const project::SpanLink& link) {
  JsonMessage message;
  message.text("traceId", link.to.trace_id);
  message.text("spanId", link.to.span_id);
  message.text("traceState", link.trace_state);
  message.list("attributes", attributes_json(link.attributes));
  message.count("droppedAttributesCount", link.dropped_attributes);
  message.count("flags", link.flags);
  return message.take();
}

json::Object span_json(const Span& span) {
  JsonMessage message;
  message.text("traceId", span.context.trace_id);
  message.text("spanId", span.context.span_id);
  message.text("traceState", span.trace_state);
  message.text("parentSpanId", span.parent_span_id);
  message.count("flags", span.flags);
  message.text("name", span.name);
  message.count("kind", static_cast<std::uint32_t>(span.kind));
  message.time("startTimeUnixNano", span.start_ns);
  message.time("endTimeUnixNano", span.end_ns);
  message.list("attributes", attributes_json(span.attributes));
  message.count("droppedAttributesCount", span.dropped_attributes);
  json::Array events, links;
  for (const auto& event : span.events) events.emplace_back(event_json(event));
  for (const auto& link : span.links) links.emplace_back(link_json(link));
  message.list("events", std::move(events));
  message.count("droppedEventsCount", span.dropped_events);
  message.list("links", std::move(links));
  message.count("droppedLinksCount", span.dropped_links);
  JsonMessage status;
  status.text("message", span.status_message);
  status.count("code", static_cast<std::uint32_t>(span.status));
  message.object("status", status.take());
  return message.take();
}

json::Object resource_spans_json(const SpansOfOrigin& group) {
  const auto& origin = *group.origin;
  JsonMessage resource, scope, scope_spans, message;
  resource.list("attributes", attributes_json(origin.resource));
  resource.count("droppedAttributesCount", origin.dropped_resource_attributes);
  scope.text("name", origin.scope_name);
  scope.text("version", origin.scope_version);
  scope.list("attributes", attributes_json(origin.scope_attributes));
  scope.count("droppedAttributesCount", origin.dropped_scope_attributes);
  scope_spans.object("scope", scope.take());
  json::Array spans;
  for (const auto* span : group.spans) spans.emplace_back(span_json(*span));
  scope_spans.list("spans", std::move(spans));
  scope_spans.text("schemaUrl", origin.schema_url);
  message.object("resource", resource.take());
  json::Array scopes;
  scopes.emplace_back(scope_spans.take());
  message.list("scopeSpans", std::move(scopes));
  message.text("schemaUrl", origin.resource_schema_url);
  return message.take();
}

class OtlpJson final : public SpanFormatWriter {
 public:
  explicit OtlpJson(WriteBytes write) : write_(std::move(write)) {}

 private:
  Result<void> put(Span&& span) override {
    spans_.push_back(std::move(span));
    return spans_.size() < kJsonBatch ? Result<void>() : end_spans();
  }
  Result<void> end_spans() override {
    if (spans_.empty()) return {};
    auto written = write_(to_otlp_json(spans_).append("\n"));
    spans_.clear();
    return written;
  }

  const WriteBytes write_;
  std::vector<Span> spans_;
};

}  // namespace

std::string to_otlp_json(std::span<const Span> spans) {
  json::Array resources;
  for (const auto& group : by_origin(spans)) resources.emplace_back(resource_spans_json(group));
  json::Object request;
  request.append({"resourceSpans", std::move(resources)});
  return json::to_text(request);
}

std::unique_ptr<FormatWriter> make_otlp_json(WriteBytes write) {
  return std::make_unique<OtlpJson>(std::move(write));
}

}  // namespace weir::exporting
