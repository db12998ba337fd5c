#include "server/jaeger_traces.h"

#include <algorithm>

#include "base/json.h"
#include "export/otlp.h"
#include "server/jaeger_query.h"

namespace weir::server {
namespace {

using project::Span;
using project::SpanStatus;

/// Spans that are written at once in v3.
constexpr std::size_t kV3Batch = 512;

void append_member(std::string& out, std::string_view name, std::string_view value) {
  out.append(",\"").append(name).append("\":");
  json::append_string(out, value);
}

/// {"key", "type", "value"}
class Tags {
 public:
  explicit Tags(std::string& out) : out_(out) { out_ += '['; }
  void add(std::string_view key, const json::Value& value) {
    if (std::exchange(has_any_, true)) out_ += ',';
    out_ += "{\"key\":";
    json::append_string(out_, key);
    const auto put = [&](std::string_view type, std::string_view text) {
      out_.append(R"(,"type":")").append(type).append(R"(","value":)").append(text).append("}");
    };
    if (value.boolean() != nullptr) return put("bool", *value.boolean() ? "true" : "false");
    if (value.integer() != nullptr) return put("int64", std::to_string(*value.integer()));
    if (std::holds_alternative<double>(value.variant())) {
      return put("float64", json::to_text(value));
    }
    out_ += R"(,"type":"string","value":)";
    json::append_string(out_, tag_text(value));
    out_ += '}';
  }
  void add_all(const json::Object& attributes) {
    for (const auto& member : attributes) add(member.key, member.value);
  }
  void end() { out_ += ']'; }

 private:
  std::string& out_;
  bool has_any_ = false;
};

void append_reference(std::string& out, std::string_view type, std::string_view trace_id,
                      std::string_view span_id) {
  out.append(R"({"refType":")").append(type).append("\"");
  append_member(out, "traceID", trace_id);
  append_member(out, "spanID", span_id);
  out += '}';
}

void append_references(std::string& out, const Span& span) {
  out += ",\"references\":[";
  const char* separator = "";
  if (!span.parent_span_id.empty()) {
    append_reference(out, "CHILD_OF", span.context.trace_id, span.parent_span_id);
    separator = ",";
  }
  for (const auto& link : span.links) {
    out += std::exchange(separator, ",");
    append_reference(out, "FOLLOWS_FROM", link.to.trace_id, link.to.span_id);
  }
  out += ']';
}

void append_tags(std::string& out, const Span& span) {
  out += ",\"tags\":";
  Tags tags(out);
  tags.add_all(span.attributes);
  if (span.kind != project::SpanKind::kUnspecified) {
    tags.add("span.kind", project::to_string(span.kind));
  }
  if (span.status == SpanStatus::kError) tags.add("error", true);
  if (span.status != SpanStatus::kUnset) {
    tags.add("otel.status_code", span.status == SpanStatus::kOk ? "OK" : "ERROR");
  }
  const auto add_text = [&](std::string_view name, const std::string& text) {
    if (!text.empty()) tags.add(name, text);
  };
  add_text("otel.status_description", span.status_message);
  add_text("otel.scope.name", span.origin->scope_name);
  add_text("otel.scope.version", span.origin->scope_version);
  add_text("w3c.tracestate", span.trace_state);
  if (span.is_open()) tags.add("weir.open", true);
  tags.end();
}

void append_logs(std::string& out, const Span& span) {
  out += ",\"logs\":[";
  const char* separator = "";
  for (const auto& event : span.events) {
    out += std::exchange(separator, ",");
    out += "{\"timestamp\":" + std::to_string(event.time_ns / 1000) + ",\"fields\":";
    Tags fields(out);
    fields.add("event", event.name);
    fields.add_all(event.attributes);
    fields.end();
    out += '}';
  }
  out += ']';
}

std::size_t size_of(const Span& span) {
  auto size = sizeof(Span) + span.name.size() + json::to_text(span.attributes).size();
  for (const auto& event : span.events) {
    size += sizeof event + event.name.size() + json::to_text(event.attributes).size();
  }
  for (const auto& link : span.links) {
    size += sizeof link + json::to_text(link.attributes).size();
  }
  return size;
}

}  // namespace

void JaegerTrace::add(Span&& given) {
  auto span = std::move(given);
  if (count_ >= kMostSpans) {
    // The root ends last, and without it there is no tree.
    if (!span.parent_span_id.empty() || std::exchange(has_late_root_, true)) {
      ++left_out_;
      return;
    }
  }
  ++count_;
  if (version_ == JaegerVersion::kV1) return add_v1(span);
  if (waiting_.size() >= kV3Batch) flush_v3();
  waiting_bytes_ += size_of(span);
  waiting_.push_back(std::move(span));
}

std::size_t JaegerTrace::process_of(const Span& span) {
  std::string text = "{\"serviceName\":";
  json::append_string(text, span.pipeline_id);
  text += ",\"tags\":";
  Tags tags(text);
  tags.add_all(span.origin->resource);
  tags.end();
  text += '}';
  const auto size = text.size();
  const auto [at, is_new] = processes_.try_emplace(std::move(text), processes_.size() + 1);
  if (is_new) process_bytes_ += size;
  return at->second;
}

void JaegerTrace::add_v1(const Span& span) {
  auto& out = text_;
  out += out.empty() ? "{\"traceID\":" : ",{\"traceID\":";
  json::append_string(out, span.context.trace_id);
  append_member(out, "spanID", span.context.span_id);
  append_member(out, "operationName", span.name);
  append_references(out, span);
  const auto now_ns = static_cast<std::uint64_t>(now_.time_since_epoch().count()) * 1000;
  const auto end_ns = std::max(span.start_ns, span.is_open() ? now_ns : span.end_ns);
  out += ",\"startTime\":" + std::to_string(span.start_ns / 1000);
  out += ",\"duration\":" + std::to_string((end_ns - span.start_ns) / 1000);
  append_tags(out, span);
  append_logs(out, span);
  out += ",\"processID\":\"p" + std::to_string(process_of(span)) + "\",\"flags\":1,\"warnings\":";
  out += span.is_open() ? "[\"the span is open: its duration is until now\"]}" : "null}";
}

void JaegerTrace::flush_v3() {
  if (waiting_.empty()) return;
  constexpr std::string_view kBegin = R"({"resourceSpans":[)", kEnd = "]}";
  const auto request = exporting::to_otlp_json(waiting_);
  if (!text_.empty()) text_ += ',';
  text_.append(request, kBegin.size(), request.size() - kBegin.size() - kEnd.size());
  waiting_.clear();
  waiting_bytes_ = 0;
}

std::string JaegerTrace::take(std::string_view trace_id) {
  if (version_ == JaegerVersion::kV3) {
    if (left_out_ > 0 && !waiting_.empty()) {
      waiting_.back().attributes.set("weir.spans_left_out", static_cast<std::int64_t>(left_out_));
    }
    flush_v3();
    return std::move(text_);
  }
  std::string begin = "{\"traceID\":";
  json::append_string(begin, trace_id);
  text_.insert(0, begin + ",\"spans\":[");
  text_ += "],\"processes\":{";
  const char* separator = "";
  for (const auto& [process, number] : processes_) {
    text_ += std::exchange(separator, ",");
    text_ += "\"p" + std::to_string(number) + "\":" + process;
  }
  text_ += "},\"warnings\":";
  if (left_out_ == 0) {
    text_ += "null}";
  } else {
    text_ += "[\"" + std::to_string(left_out_) + " more spans are left out\"]}";
  }
  return std::move(text_);
}

}  // namespace weir::server
