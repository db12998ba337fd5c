#include "embed_engine/call_state.h"

#include <utility>

#include "embed/state.h"
#include "engine/error_summary.h"
#include "tool/lineage.h"
#include "tool/own_event.h"
#include "tool/payload.h"

namespace weir {
namespace embed {
namespace {

class ProgramTool final : public tool::Tool {
 public:
  ProgramTool(const ToolName& name, ToolFunction function)
      : spec_{.plugin_id = name.plugin_id,
              .tool_id = name.tool_id,
              .settings = {},
              .version = name.version,
              .input_types = name.input_types,
              .output_types = name.output_types,
              .effects = name.effects_once ? tool::Effects::kOnce : tool::Effects::kRepeatable,
              .streams = tool::Streams::kAny,
              .measures_cpu = true},
        function_(std::move(function)) {}

  [[nodiscard]] const tool::ToolSpec& spec() const override { return spec_; }
  [[nodiscard]] std::expected<tool::Output, tool::Failure> run(const tool::Call& call) override {
    CallState state(call, spec_.plugin_id);
    ToolCall public_call(state);
    return to_outcome(function_(public_call), call);
  }

 private:
  const tool::ToolSpec spec_;
  const ToolFunction function_;
};

bool is_same(const ToolResult& a, const ToolResult& b) {
  if (a.index() != b.index()) return false;
  if (const auto* output = std::get_if<ToolOutput>(&a)) {
    const auto* other = std::get_if<ToolOutput>(&b);
    return output->payload == other->payload && output->rows == other->rows &&
           output->lineage == other->lineage;
  }
  const auto *failure = std::get_if<ToolFailure>(&a), *other = std::get_if<ToolFailure>(&b);
  return failure->type == other->type && failure->message == other->message &&
         failure->is_retryable == other->is_retryable;
}

class AdaptedInterceptor final : public engine::Interceptor {
 public:
  explicit AdaptedInterceptor(std::shared_ptr<weir::Interceptor> theirs)
      : theirs_(std::move(theirs)) {}

  [[nodiscard]] std::string_view name() const override { return theirs_->name(); }
  [[nodiscard]] int priority() const override { return theirs_->priority(); }
  [[nodiscard]] bool is_critical() const override { return theirs_->is_critical(); }

 protected:
  std::optional<engine::CallOutcome> before(engine::Attempt& attempt) override {
    CallState state(attempt.call, attempt.node.plugin_id.text);
    ToolCall call(state);
    const auto answer = theirs_->before(place_of(attempt), call);
    if (!answer) return {};
    return to_outcome(*answer, attempt.call);
  }

  void after(engine::Attempt& attempt, engine::CallOutcome& outcome) override {
    CallState state(attempt.call, attempt.node.plugin_id.text);
    ToolCall call(state);
    const auto was = to_result(outcome);
    auto result = was;
    theirs_->after(place_of(attempt), call, result);
    if (is_same(was, result)) return;
    // What was used stays so, whatever is made of it.
    const auto usage = outcome ? outcome->usage : outcome.error().usage;
    const auto exit_code = outcome ? outcome->exit_code : outcome.error().exit_code;
    outcome = to_outcome(result, attempt.call);
    auto& used = outcome ? outcome->usage : outcome.error().usage;
    const auto rows = used.rows;
    used = usage;
    used.rows = rows;
    (outcome ? outcome->exit_code : outcome.error().exit_code) = exit_code;
  }

 private:
  static CallPlace place_of(const engine::Attempt& attempt) {
    return {.pipeline_id = attempt.pipeline.id,
            .plugin_id = attempt.node.plugin_id.text,
            .tool_id = attempt.node.tool_id.text,
            .attempt = attempt.number};
  }

  const std::shared_ptr<weir::Interceptor> theirs_;
};

}  // namespace

tool::Failure to_failure(const ToolFailure& failure) {
  return {.type = failure.type.empty() ? "Failed" : failure.type,
          .message = failure.message,
          .exit_code = {},
          .usage = {},
          .retryable = failure.is_retryable};
}

engine::CallOutcome to_outcome(const ToolResult& result, const tool::Call& call) {
  if (const auto* failure = std::get_if<ToolFailure>(&result)) {
    return std::unexpected(to_failure(*failure));
  }
  const auto& output = *std::get_if<ToolOutput>(&result);
  auto payload = tool::read_payload(output.payload);
  if (!payload) return std::unexpected(std::move(payload).error());
  tool::Output said{.payload = *std::move(payload), .usage = {.rows = output.rows}};
  tool::read_lineage(output.lineage, call, said);
  return said;
}

ToolResult to_result(const engine::CallOutcome& outcome) {
  if (outcome) {
    const auto& lineage = outcome->lineage;
    return ToolOutput{.payload = json::to_text(outcome->payload),
                      .rows = outcome->usage.rows,
                      .lineage = lineage.empty() ? std::string() : json::to_text(lineage)};
  }
  const auto& failure = outcome.error();
  return ToolFailure{
      .type = failure.type, .message = failure.message, .is_retryable = failure.retryable};
}

std::unique_ptr<tool::Tool> make_tool(const ToolName& name, ToolFunction function) {
  return std::make_unique<ProgramTool>(name, std::move(function));
}

std::shared_ptr<engine::Interceptor> adapt(std::shared_ptr<weir::Interceptor> interceptor) {
  if (auto* own = interceptor->own()) return {std::move(interceptor), own};
  return std::make_shared<AdaptedInterceptor>(std::move(interceptor));
}

}  // namespace embed

std::string_view ToolCall::run_id() const noexcept { return state_->call().run_id; }
std::string_view ToolCall::node_id() const noexcept { return state_->call().node_id; }
std::string_view ToolCall::payload() const noexcept { return state_->payload(); }
std::string_view ToolCall::settings() const noexcept { return state_->settings(); }
std::string_view ToolCall::idempotency_key() const noexcept {
  return state_->call().idempotency_key;
}
bool ToolCall::is_cancelled() const noexcept { return state_->call().stop.stop_requested(); }

void ToolCall::log(Level level, std::string_view message) noexcept {
  static_assert(static_cast<int>(Level::kFatal) == static_cast<int>(event::Level::kFatal));
  state_->call().log({.level = static_cast<event::Level>(level),
                      .message = message,
                      .logger = state_->plugin_id()});
}

ErrorSummary summarize(const ToolFailure& failure) {
  auto summary = engine::summarize(embed::to_failure(failure));
  return {.code = summary.code,
          .type = std::move(summary.type),
          .message = std::move(summary.message),
          .is_retryable = summary.retryable};
}

std::string to_string(const ErrorSummary& summary) {
  return engine::to_string(engine::ErrorSummary{.code = summary.code,
                                                .type = summary.type,
                                                .message = summary.message,
                                                .retryable = summary.is_retryable});
}

Status ToolCall::emit(std::string_view type, std::string_view members) noexcept {
  const auto value = json::parse(members);
  if (!value || value->object() == nullptr) {
    return {StatusCode::kInvalidInput, "the members of an event are a JSON object"};
  }
  const auto emitted =
      state_->call().emit({.type = std::string(type), .members = *value->object()});
  return emitted ? Status() : embed::to_status(emitted.error());
}

std::optional<ToolResult> Interceptor::before(const CallPlace&, ToolCall&) { return {}; }
void Interceptor::after(const CallPlace&, ToolCall&, ToolResult&) {}

}  // namespace weir
