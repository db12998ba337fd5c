#include "record/context_carrier.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <vector>

#include "base/json.h"
#include "base/time.h"
#include "record/context_attributes.h"

namespace weir::record {
namespace {

constexpr std::string_view kBaggagePrefix = "x-baggage-";

struct TimeVariable {
  std::optional<Timestamp> CorrelationIds::* member;
  const char* name;
};
constexpr TimeVariable kTimes[] = {
    {&CorrelationIds::run_started_at, "WEIR_RUN_STARTED_AT"},
    {&CorrelationIds::session_started_at, "WEIR_SESSION_STARTED_AT"},
};

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

/// What a traceparent and its tracestate say, or a new trace.
TraceContext continue_trace(const std::optional<Traceparent>& parent, std::string_view tracestate) {
  if (!parent) return TraceContext::start();
  TraceContext context{
      .trace_id = parent->trace_id, .span_id = parent->parent_id, .flags = parent->flags};
  if (auto state = Tracestate::parse(tracestate)) context.tracestate = *std::move(state);
  return context;
}

std::string traceparent_text(const TraceContext& context) {
  if (!context.has_trace()) return {};
  const auto span = context.span_id.value != 0 ? context.span_id : SpanId::make();
  return Traceparent{context.trace_id, span, context.flags}.text();
}

std::string tracestate_text(const TraceContext& context) {
  if (!context.has_trace()) return {};
  auto state = context.tracestate;
  state.cut_to(kMaxSentTracestateBytes);
  return state.text();
}

/// Adds what others send beside, or instead of, the standard's header: one header a key.
void add_baggage(Baggage& baggage, const std::map<std::string, std::string_view>& singles) {
  std::vector<std::string> taken;
  for (const auto& member : baggage.members()) taken.push_back(lower_case(member.key));
  for (const auto& [key, value] : singles) {
    if (std::ranges::find(taken, key) != taken.end()) continue;
    // A key that is no token, or one too many: the rest still counts.
    [[maybe_unused]] const auto added = baggage.set({key, percent_decoded(value)});
  }
}

json::Value extra_value(const CorrelationIds& ids) {
  json::Object object;
  for (const auto& [key, value] : ids.extra) {
    if (object.size() < CorrelationIds::kMaxExtra && is_id(key) && is_id(value)) {
      object.append({key, value});
    }
  }
  return object;
}

/// Null for whatever is not JSON within our limit.
json::Value parse_list(std::string_view text) {
  if (text.empty() || text.size() > kMaxListBytes) return {};
  auto value = json::parse(text);
  return value ? *std::move(value) : json::Value();
}

void read_extra(CorrelationIds& ids, const json::Value& value) {
  if (value.object() == nullptr || value.object()->size() > CorrelationIds::kMaxExtra) return;
  for (const auto& [key, text, position] : *value.object()) {
    if (is_id(key) && text.string() != nullptr && is_id(*text.string())) {
      ids.extra[key] = *text.string();
    }
  }
}

}  // namespace

Headers to_headers(const TraceContext& context) {
  Headers headers;
  const auto put = [&](std::string_view name, std::string value) {
    if (!value.empty()) headers[std::string(name)] = std::move(value);
  };
  put("traceparent", traceparent_text(context));
  put("tracestate", tracestate_text(context));
  put("baggage", context.baggage.text());
  for (const auto& member : context.baggage.members()) {
    put(std::string(kBaggagePrefix) + lower_case(member.key), percent_encoded(member.value));
  }
  for (const auto& names : kCorrelationIdNames) {
    const auto& id = context.ids.*names.member;
    if (!names.header.empty() && is_id(id)) put(names.header, id);
  }
  return headers;
}

TraceContext from_headers(std::span<const Header> headers) {
  std::vector<std::string_view> parents, states, baggages;
  std::map<std::string, std::string_view> singles;
  CorrelationIds ids;
  for (const auto& header : headers) {
    const auto name = lower_case(header.name);
    if (name == "traceparent") parents.push_back(header.value);
    if (name == "tracestate") states.push_back(header.value);
    if (name == "baggage") baggages.push_back(header.value);
    if (name.starts_with(kBaggagePrefix) && singles.size() < Baggage::kMaxMembers) {
      singles.try_emplace(name.substr(kBaggagePrefix.size()), trimmed(header.value));
    }
    for (const auto& names : kCorrelationIdNames) {
      if (names.header.empty() || name != names.header) continue;
      auto& id = ids.*names.member;
      if (id.empty()) set_if_id(id, trimmed(header.value));
    }
  }
  const auto parent = parents.size() == 1 ? Traceparent::parse(parents[0]) : std::nullopt;
  auto context = continue_trace(parent, combine(states));
  context.baggage = Baggage::parse(combine(baggages));
  add_baggage(context.baggage, singles);
  context.ids = std::move(ids);
  return context;
}

TraceContext from_headers(const Headers& headers) {
  std::vector<Header> list;
  for (const auto& [name, value] : headers) list.push_back({name, value});
  return from_headers(list);
}

Variables to_environment(const TraceContext& context) {
  const auto& ids = context.ids;
  Variables variables{{"TRACEPARENT", traceparent_text(context)},
                      {"TRACESTATE", tracestate_text(context)},
                      {"BAGGAGE", context.baggage.text()}};
  for (const auto& names : kCorrelationIdNames) {
    if (names.variable.empty()) continue;
    const auto& id = ids.*names.member;
    variables[std::string(names.variable)] = is_id(id) ? id : std::string();
  }
  for (const auto& [member, name] : kTimes) {
    const auto& time = ids.*member;
    variables[name] = time ? to_string(*time) : std::string();
  }
  const auto list = [](bool empty, const json::Value& value) {
    return empty ? std::string() : json::to_text(value);
  };
  variables["WEIR_EXTRA"] = list(ids.extra.empty(), extra_value(ids));
  variables["WEIR_PREVIOUS_STEPS"] = list(ids.previous_steps.empty(), previous_steps_array(ids));
  return variables;
}

TraceContext from_environment(const Variables& variables) {
  const auto get = [&](std::string_view name) -> std::string_view {
    const auto found = variables.find(std::string(name));
    return found == variables.end() ? std::string_view() : found->second;
  };
  auto context = continue_trace(Traceparent::parse(get("TRACEPARENT")), get("TRACESTATE"));
  context.baggage = Baggage::parse(get("BAGGAGE"));
  for (const auto& names : kCorrelationIdNames) {
    if (!names.variable.empty()) set_if_id(context.ids.*names.member, get(names.variable));
  }
  for (const auto& [member, name] : kTimes) context.ids.*member = parse_rfc3339(get(name));
  read_extra(context.ids, parse_list(get("WEIR_EXTRA")));
  read_previous_steps(parse_list(get("WEIR_PREVIOUS_STEPS")), context.ids);
  return context;
}

Variables process_environment() {
  auto variables = to_environment({});  // every name
  for (auto& [name, value] : variables) {
    const char* found = std::getenv(name.c_str());
    if (found != nullptr) value = found;
  }
  return variables;
}

}  // namespace weir::record
