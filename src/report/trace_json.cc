#include "project/run_state_json.h"
#include "report/trace.h"

namespace weir::report {

json::Object to_json(const Trace& trace) {
  json::Object object;
  object.set("run_id", trace.run_id.text());
  object.set("pipeline_id", trace.pipeline_id);
  object.set("trace_id", trace.trace_id.empty() ? json::Value() : json::Value(trace.trace_id));
  json::Array spans;
  spans.reserve(trace.spans.size());
  const auto text_or = [](const std::string& text) {
    return text.empty() ? json::Value() : json::Value(text);
  };
  for (const auto& span : trace.spans) {
    json::Object item;
    item.set("kind", kind_name(span.kind));
    item.set("name", span.name);
    item.set("detail", text_or(span.detail));
    item.set("node_id", text_or(span.node_id));
    item.set("span_id", text_or(span.span_id));
    item.set("parent",
             span.parent ? json::Value(static_cast<std::int64_t>(*span.parent)) : json::Value());
    item.set("depth", static_cast<std::int64_t>(span.depth));
    item.set("started_at", weir::to_string(span.started_at));
    item.set("ended_at",
             span.ended_at ? json::Value(weir::to_string(*span.ended_at)) : json::Value());
    item.set("duration_ms", span.duration_ms);
    item.set("state", span.state);
    item.set("error", text_or(span.error));
    item.set("critical", span.is_critical);
    project::add_usage(item, span.usage);
    spans.emplace_back(std::move(item));
  }
  object.set("spans", std::move(spans));
  return object;
}

}  // namespace weir::report
