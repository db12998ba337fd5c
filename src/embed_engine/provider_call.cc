#include "weir/provider_call.h"

#include <utility>

#include "embed_engine/call_state.h"
#include "tool/provider_call.h"

namespace weir {
namespace embed {

struct ProviderCallState {
  ProviderCallState(const tool::Call& of, tool::ProviderCall::What what)
      : call(of, std::move(what)) {}
  tool::ProviderCall call;
};

namespace {

/// What is no object says nothing.
json::Object members_of(const std::string& text) {
  auto value = json::parse(text);
  json::Object members;
  if (value && value->object() != nullptr) members.update(*value->object());
  return members;
}

tool::ProviderUsage to_usage(const ProviderUsage& usage) {
  return {.input_tokens = usage.input_tokens,
          .output_tokens = usage.output_tokens,
          .cost_usd = usage.cost_usd,
          .metrics = members_of(usage.metrics)};
}

}  // namespace
}  // namespace embed

ProviderCall::ProviderCall(ToolCall& call, What what) noexcept
    : state_(std::make_unique<embed::ProviderCallState>(
          call.state_->call(),
          tool::ProviderCall::What{.operation = std::move(what.operation),
                                   .provider = std::move(what.provider),
                                   .model_id = std::move(what.model_id),
                                   .context = embed::members_of(what.context)})) {}
ProviderCall::~ProviderCall() = default;

std::string_view ProviderCall::id() const noexcept { return state_->call.id(); }

void ProviderCall::completed(const ProviderUsage& usage) noexcept {
  state_->call.completed(embed::to_usage(usage));
}

void ProviderCall::failed(const ToolFailure& failure, const ProviderUsage& usage) noexcept {
  state_->call.failed(embed::to_failure(failure), embed::to_usage(usage));
}

}  // namespace weir
