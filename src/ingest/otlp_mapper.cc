#include "ingest/otlp_mapper.h"

#include <cstring>

namespace weir::ingest::otlp {

using event::Field;
using enum Known;

Resource& Mapper::clear_resource() {
  resource_.clear();
  return resource_;
}

Scope& Mapper::clear_scope() {
  scope_.clear();
  return scope_;
}

void Mapper::begin_resource() {
  of_resource_.clear();
  put_object(of_resource_, "resource", resource_.attributes);
  put_count(of_resource_, "resource_dropped_attributes_count", resource_.dropped_attributes);
  put_text(of_resource_, "resource_schema_url", resource_.schema_url);
  const auto& known = resource_.known;
  pipeline_id_ = known.text<kWeirPipelineId, kPipelineName, kServiceName>();
  if (pipeline_id_.empty()) pipeline_id_ = "otlp";
  pipeline_version_ = known.text<kServiceVersion>();
  environment_ = known.text<kDeploymentName, kDeployment>();
  day_.reset();
}

void Mapper::begin_scope() { shared_.reset(); }

const SharedAttributes& Mapper::shared() {
  if (shared_) return *shared_;
  of_scope_.clear();
  of_scope_.raw(of_resource_.view());
  const auto before = of_scope_.size();
  of_scope_.member("scope");
  of_scope_.open('{');
  const auto empty = of_scope_.size();
  put_text(of_scope_, "name", scope_.name);
  put_text(of_scope_, "version", scope_.version);
  put_object(of_scope_, "attributes", scope_.attributes);
  put_count(of_scope_, "dropped_attributes_count", scope_.dropped_attributes);
  if (of_scope_.size() == empty) {
    of_scope_.cut_to(before);
  } else {
    of_scope_.close('}');
  }
  put_text(of_scope_, "schema_url", scope_.schema_url);
  return shared_.emplace(lines_.share(type_, "otlp", of_scope_.view()));
}

bool Mapper::begin_record(const Problem& problem) {
  ++rejections_.records;
  if (!problem.empty()) return reject(problem.text());
  if (!resource_.problem.empty()) return reject("its resource: " + resource_.problem.text());
  if (!scope_.problem.empty()) return reject("its scope: " + scope_.problem.text());
  return true;
}

bool Mapper::reject(std::string reason) {
  rejections_.add(rejections_.records - 1, std::move(reason));
  return false;
}

Timestamp Mapper::time_of(const Nanoseconds& first, const Nanoseconds& second) const {
  const auto count = first.count != 0 ? first.count : second.count;
  if (count == 0) return arrived_;
  return Timestamp(std::chrono::microseconds(static_cast<std::int64_t>(count / 1000)));
}

RunId Mapper::run_of_trace(std::string_view trace_id) {
  std::uint16_t end = 0;
  std::memcpy(&end, trace_id.data() + trace_id.size() - sizeof end, sizeof end);
  // Of a hexadecimal digit the low nibble and one more bit tell which it is.
  auto& entry = trace_runs_[(end ^ end >> 4U) % trace_runs_.size()];
  if (std::string_view(entry.trace_id.data(), entry.trace_id.size()) != trace_id) {
    trace_id.copy(entry.trace_id.data(), entry.trace_id.size());
    entry.run = foreign_run_id("otlp", trace_id);
  }
  return entry.run;
}

RunId Mapper::run_of_day(Timestamp time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  if (day_ != day) {
    constexpr std::size_t kDate = 10;  // 2026-01-31
    std::string id("{");
    id.append(resource_.attributes.view()).append("}\n");
    day_run_ = foreign_run_id("otlp", id.append(to_string(Timestamp(day)).substr(0, kDate)));
    day_ = day;
  }
  return day_run_;
}

std::string_view Mapper::pipeline_of(const KnownValues& known) const {
  const auto own = known.text<kWeirPipelineId>();
  if (!own.empty()) return own;
  // The resource's own name for it stands above what a span says of a part.
  const auto of_resource = resource_.known.text<kWeirPipelineId>();
  const auto of_record = known.text<kPipelineName>();
  return of_resource.empty() && !of_record.empty() ? of_record : pipeline_id_;
}

std::string_view Mapper::environment_of(const KnownValues& known) const {
  const auto own = known.text<kDeploymentName, kDeployment>();
  return own.empty() ? environment_ : own;
}

namespace {

/// OpenTelemetry's name for what other conventions call otherwise.
std::string_view operation_of(const KnownValues& known) {
  struct Named {
    std::string_view name, operation;
  };
  static constexpr Named kNames[] = {
      {"LLM", "chat"},           {"EMBEDDING", "embeddings"}, {"TOOL", "execute_tool"},
      {"AGENT", "invoke_agent"}, {"RETRIEVER", "retrieval"},  {"completion", "text_completion"},
      {"chat", "chat"},          {"embedding", "embeddings"},
  };
  const auto own = known.text<kGenAiOperation>();
  if (!own.empty()) return own;
  const auto other = known.text<kOpenInferenceKind, kLlmRequestType>();
  for (const auto& [name, operation] : kNames) {
    if (name == other) return operation;
  }
  return {};
}

}  // namespace

void Mapper::put_agent(const KnownValues& known, std::string_view other_operation) {
  const auto operation = operation_of(known);
  fields_.put(Field::kAgentId, known.text<kGenAiAgentId, kGenAiAgentName, kAgentName>());
  fields_.put(Field::kAgentVersion, known.text<kGenAiAgentVersion>());
  fields_.put(Field::kProvider,
              known.text<kGenAiProvider, kGenAiSystem, kLlmProvider, kLlmSystem, kLlmVendor>());
  fields_.put(Field::kOperation, operation.empty() ? other_operation : operation);
  fields_.put(
      Field::kModelId,
      known.text<kGenAiResponseModel, kLlmResponseModel, kGenAiRequestModel, kLlmRequestModel,
                 kLlmModelName, kEmbeddingModelName, kRerankerModelName>());
  fields_.put(Field::kCallId, known.text<kGenAiResponseId, kGenAiToolCallId, kToolCallId>());
  fields_.put(
      Field::kInputTokens,
      known.integer<kGenAiInputTokens, kGenAiPromptTokens, kLlmPromptCount, kLlmPromptTokens>());
  fields_.put(Field::kOutputTokens, known.integer<kGenAiOutputTokens, kGenAiCompletionTokens,
                                                  kLlmCompletionCount, kLlmCompletionTokens>());
  fields_.put(Field::kCostUsd, known.number<kGenAiCost, kLlmCost>());
}

}  // namespace weir::ingest::otlp
