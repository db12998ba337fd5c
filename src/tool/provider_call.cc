#include "tool/provider_call.h"

#include <utility>

#include "base/id.h"

namespace weir::tool {
namespace {

using Kind = ProviderCallReport::Kind;

std::unexpected<Error> wrong(const std::string& message) {
  return weir::fail(ErrorCode::kInvalidInput, "a provider call " + message);
}

std::string text_in(const json::Object& object, std::string_view key) {
  const auto* value = object.find(key);
  return value == nullptr || value->string() == nullptr ? "" : *value->string();
}

std::optional<std::int64_t> integer_in(const json::Object& object, std::string_view key) {
  const auto* value = object.find(key);
  if (value == nullptr || value->integer() == nullptr || *value->integer() < 0) return {};
  return *value->integer();
}

std::optional<double> number_in(const json::Object& object, std::string_view key) {
  if (const auto whole = integer_in(object, key)) return static_cast<double>(*whole);
  const auto* value = object.find(key);
  if (value == nullptr) return {};
  const auto* real = std::get_if<double>(&value->variant());
  return real == nullptr || !(*real >= 0) ? std::nullopt : std::optional(*real);
}

const json::Object* object_in(const json::Object& object, std::string_view key) {
  const auto* value = object.find(key);
  return value == nullptr ? nullptr : value->object();
}

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::kStarted:
      return "started";
    case Kind::kCompleted:
      return "completed";
    case Kind::kFailed:
      break;
  }
  return "failed";
}

std::optional<Kind> kind_from(std::string_view text) {
  for (const auto kind : {Kind::kStarted, Kind::kCompleted, Kind::kFailed}) {
    if (text == to_string(kind)) return kind;
  }
  return {};
}

json::Object error_object(const Failure& failure) {
  json::Object error;
  error.set("type", failure.type);
  error.set("message", failure.message);
  if (failure.retryable) error.set("retryable", *failure.retryable);
  return error;
}

Failure failure_from(const json::Object* error) {
  Failure failure{.type = "ProviderError", .message = {}, .exit_code = {}, .usage = {}};
  if (error == nullptr) return failure;
  if (auto type = text_in(*error, "type"); !type.empty()) failure.type = std::move(type);
  failure.message = text_in(*error, "message");
  const auto* retryable = error->find("retryable");
  if (retryable != nullptr && retryable->boolean() != nullptr) {
    failure.retryable = *retryable->boolean();
  }
  return failure;
}

}  // namespace

json::Object to_object(const ProviderCallReport& report) {
  json::Object object;
  object.set("event", to_string(report.kind));
  object.set("call_id", report.call_id);
  object.set("operation", report.operation);
  object.set("provider", report.provider);
  if (!report.model_id.empty()) object.set("model_id", report.model_id);
  if (report.kind == Kind::kStarted) {
    if (!report.context.empty()) object.set("context", report.context);
    return object;
  }
  object.set("duration_ms", report.duration_ms);
  const auto& usage = report.usage;
  if (usage.input_tokens) object.set("input_tokens", *usage.input_tokens);
  if (usage.output_tokens) object.set("output_tokens", *usage.output_tokens);
  if (usage.cost_usd) object.set("cost_usd", *usage.cost_usd);
  if (!usage.metrics.empty()) object.set("metrics", usage.metrics);
  if (report.kind == Kind::kFailed) object.set("error", error_object(report.failure));
  return object;
}

Result<ProviderCallReport> provider_call_from(const json::Object& object) {
  const auto kind = kind_from(text_in(object, "event"));
  if (!kind) return wrong("needs 'event': started, completed or failed");
  ProviderCallReport report{.kind = *kind,
                            .operation = text_in(object, "operation"),
                            .provider = text_in(object, "provider"),
                            .call_id = text_in(object, "call_id"),
                            .model_id = text_in(object, "model_id")};
  if (report.operation.empty() || report.provider.empty() || report.call_id.empty()) {
    return wrong("needs 'operation', 'provider' and 'call_id', texts");
  }
  if (*kind == Kind::kStarted) {
    if (const auto* context = object_in(object, "context")) report.context.update(*context);
    return report;
  }
  report.duration_ms = number_in(object, "duration_ms").value_or(0);
  report.usage.input_tokens = integer_in(object, "input_tokens");
  report.usage.output_tokens = integer_in(object, "output_tokens");
  report.usage.cost_usd = number_in(object, "cost_usd");
  if (const auto* metrics = object_in(object, "metrics")) report.usage.metrics.update(*metrics);
  if (*kind == Kind::kFailed) report.failure = failure_from(object_in(object, "error"));
  return report;
}

ProviderCall::ProviderCall(const Call& call, What what)
    : call_(call),
      report_{.kind = Kind::kStarted,
              .operation = std::move(what.operation),
              .provider = std::move(what.provider),
              .call_id = RunId::make(system_clock().now()).text(),
              .model_id = std::move(what.model_id),
              .context = std::move(what.context)},
      start_(std::chrono::steady_clock::now()) {
  if (call_.provider_call) call_.provider_call(report_);
}

ProviderCall::~ProviderCall() {
  if (report_.kind != Kind::kStarted) return;
  failed({.type = "Abandoned",
          .message = "its tool did not say how it ended",
          .exit_code = {},
          .usage = {}});
}

void ProviderCall::completed(ProviderUsage usage) { end(Kind::kCompleted, std::move(usage)); }

void ProviderCall::failed(Failure failure, ProviderUsage usage) {
  report_.failure = std::move(failure);
  end(Kind::kFailed, std::move(usage));
}

void ProviderCall::end(Kind how, ProviderUsage usage) {
  if (report_.kind != Kind::kStarted) return;  // it has ended
  report_.kind = how;
  report_.usage = std::move(usage);
  report_.duration_ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start_).count();
  if (call_.provider_call) call_.provider_call(report_);
}

}  // namespace weir::tool
