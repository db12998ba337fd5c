#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "weir/tool.h"

namespace weir {

namespace embed {
struct ProviderCallState;
}  // namespace embed

/// What a call of a provider used, as far as it is known.
struct ProviderUsage {
  std::optional<std::int64_t> input_tokens{};
  std::optional<std::int64_t> output_tokens{};
  std::optional<double> cost_usd{};
  std::string metrics = "{}";  ///< whatever else was measured, a JSON object
};

/// A call that a tool makes to a model or a service: said to begin when this is made, and to end by
/// one of its functions, with its latency. One that is left without has failed as `Abandoned`.
///
/// Threads  That of the tool's call, which outlives it.
class ProviderCall {
 public:
  struct What {
    std::string operation;       ///< "chat"
    std::string provider;        ///< "acme"
    std::string model_id{};      ///< empty: it is no model
    std::string context = "{}";  ///< whatever else is known of it, a JSON object
  };
  ProviderCall(ToolCall& call, What what) noexcept;
  ~ProviderCall();
  ProviderCall(const ProviderCall&) = delete;
  ProviderCall& operator=(const ProviderCall&) = delete;

  /// A UUID, to be given to the provider if it takes one.
  [[nodiscard]] std::string_view id() const noexcept;
  void completed(const ProviderUsage& usage = {}) noexcept;
  void failed(const ToolFailure& failure, const ProviderUsage& usage = {}) noexcept;

 private:
  std::unique_ptr<embed::ProviderCallState> state_;
};

}  // namespace weir
