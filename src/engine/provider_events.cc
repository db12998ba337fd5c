#include "base/exception.h"
#include "base/utf8.h"
#include "engine/error_summary.h"
#include "engine/node_events.h"
#include "engine/run_loggers.h"
#include "tool/provider_call.h"

// What a node's events say of providers.
namespace weir::engine {
namespace {

using event::Field;
using event::Type;
using Kind = tool::ProviderCallReport::Kind;
using Fields = event::FieldList;

/// Of the names that tools give; longer ones are cut.
constexpr std::size_t kMaxProviderName = 200;
/// Of what tools say beside the columns, as JSON; more is left out, and its size said.
constexpr std::size_t kMaxExtra = 4096;

Type type_of(Kind kind) {
  switch (kind) {
    case Kind::kStarted:
      return Type::kProviderCallStarted;
    case Kind::kCompleted:
      return Type::kProviderCallCompleted;
    case Kind::kFailed:
      break;
  }
  return Type::kProviderCallFailed;
}

Type type_of(CircuitState state) {
  switch (state) {
    case CircuitState::kClosed:
      return Type::kCircuitClosed;
    case CircuitState::kOpen:
      return Type::kCircuitOpened;
    case CircuitState::kHalfOpen:
      break;
  }
  return Type::kCircuitHalfOpen;
}

void add_error(Fields& fields, const ErrorSummary& error) {
  fields.push_back({Field::kErrorType, std::string_view(error.type)});
  fields.push_back({Field::kErrorCode, error.code});
  fields.push_back({Field::kErrorMessage, std::string_view(error.message)});
  fields.push_back({Field::kRetryable, error.retryable});
}

void add_call(Fields& fields, const tool::ProviderCallReport& report) {
  fields.push_back({Field::kProvider, utf8::cut(report.provider, kMaxProviderName)});
  fields.push_back({Field::kOperation, utf8::cut(report.operation, kMaxProviderName)});
  if (!report.model_id.empty()) {
    fields.push_back({Field::kModelId, utf8::cut(report.model_id, kMaxProviderName)});
  }
  fields.push_back({Field::kCallId, utf8::cut(report.call_id, kMaxProviderName)});
  const auto& usage = report.usage;
  if (usage.input_tokens) fields.push_back({Field::kInputTokens, *usage.input_tokens});
  if (usage.output_tokens) fields.push_back({Field::kOutputTokens, *usage.output_tokens});
  if (usage.cost_usd) fields.push_back({Field::kCostUsd, *usage.cost_usd});
}

std::string attributes_of(const tool::ProviderCallReport& report) {
  const bool starts = report.kind == Kind::kStarted;
  const auto& extra = starts ? report.context : report.usage.metrics;
  if (extra.empty()) return {};
  json::Object attributes;
  const auto size = json::to_text(extra).size();
  if (size <= kMaxExtra) {
    attributes.set(starts ? "context" : "metrics", extra);
  } else {
    attributes.set("left_out_bytes", static_cast<std::int64_t>(size));
  }
  return json::to_text(attributes);
}

}  // namespace

void NodeEvents::provider_call(const tool::ProviderCallReport& report) {
  auto fields = common();
  add_attempt(fields);
  if (report.kind != Kind::kStarted) fields.push_back({Field::kDurationMs, report.duration_ms});
  const auto error = summarize(report.failure);
  if (report.kind == Kind::kFailed) add_error(fields, error);
  add_call(fields, report);
  const auto attributes = attributes_of(report);
  if (!attributes.empty()) fields.push_back({Field::kAttributes, event::ObjectText{attributes}});
  emit(type_of(report.kind), fields);
  if (place_.provider_calls == nullptr) return;
  try {
    tell_logger(report);
  } catch (...) {
    const auto message = "the logger of provider calls failed: " + describe_exception();
    log({.level = event::Level::kWarning, .message = message, .logger = "provider_calls"});
  }
}

void NodeEvents::tell_logger(const tool::ProviderCallReport& report) {
  if (report.kind == Kind::kStarted) {
    const auto run_id = run_.id().text();
    place_.provider_calls->log_call_start({.call_id = report.call_id,
                                           .operation = report.operation,
                                           .provider = report.provider,
                                           .model_id = report.model_id,
                                           .run_id = run_id,
                                           .node_id = node_id_,
                                           .context = report.context});
    return;
  }
  const auto& usage = report.usage;
  json::Object metrics = usage.metrics;
  if (usage.input_tokens) metrics.set("input_tokens", *usage.input_tokens);
  if (usage.output_tokens) metrics.set("output_tokens", *usage.output_tokens);
  if (usage.cost_usd) metrics.set("cost_usd", *usage.cost_usd);
  const auto error = summarize(report.failure);
  place_.provider_calls->log_call_end({.call_id = report.call_id,
                                       .success = report.kind == Kind::kCompleted,
                                       .latency_ms = report.duration_ms,
                                       .error = report.kind == Kind::kFailed ? &error : nullptr,
                                       .metrics = metrics});
}

void NodeEvents::circuit(const tool::CircuitChange& change) {
  using Told = tool::CircuitChange::State;
  static_assert(static_cast<int>(Told::kOpen) == static_cast<int>(CircuitState::kOpen) &&
                static_cast<int>(Told::kHalfOpen) == static_cast<int>(CircuitState::kHalfOpen));
  circuit(
      static_cast<CircuitState>(change.state),
      {.operation = change.operation, .provider = change.provider, .open_for = change.open_for});
}

void NodeEvents::circuit(CircuitState state, const pipeline::CircuitBreaker& rules) {
  auto fields = common();
  add_attempt(fields);
  fields.push_back({Field::kProvider, std::string_view(rules.provider)});
  fields.push_back({Field::kOperation, std::string_view(rules.operation)});
  std::string attributes;
  if (state == CircuitState::kOpen) {
    attributes = R"({"open_for_ms":)" + std::to_string(rules.open_for.count()) + "}";
    fields.push_back({Field::kAttributes, event::ObjectText{attributes}});
  }
  emit(type_of(state), fields);
}

}  // namespace weir::engine
