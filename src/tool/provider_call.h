#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "tool/tool.h"

/// What tools tell of the calls that they make to providers: to models and services.
namespace weir::tool {

/// What a call used, as far as its tool knows.
struct ProviderUsage {
  std::optional<std::int64_t> input_tokens;
  std::optional<std::int64_t> output_tokens;
  std::optional<double> cost_usd;
  json::Object metrics{};  ///< whatever else was measured, by name
};

/// One of the two things that are said of a call: that it begins, and how it ended.
struct ProviderCallReport {
  enum class Kind : std::uint8_t { kStarted, kCompleted, kFailed };
  Kind kind;
  std::string operation;   ///< as "chat"
  std::string provider;    ///< as "acme"
  std::string call_id;     ///< the same in both
  std::string model_id{};  ///< empty: it is no model
  json::Object context{};  ///< kStarted: whatever else is known of it, by name
  double duration_ms = 0;  ///< of what ended, as the rest
  ProviderUsage usage{};
  Failure failure{};  ///< kFailed
};

/// As docs/formats/plugin-protocol.md has it.
[[nodiscard]] json::Object to_object(const ProviderCallReport& report);
/// Errors: kInvalidInput, what is missing or wrong.
[[nodiscard]] Result<ProviderCallReport> provider_call_from(const json::Object& object);

/// A call of a provider, for tools in C++: said to begin when it is made, and to end by one of its
/// functions. One that is left without has failed as `Abandoned`.
///
/// Threads  That of the tool's `run`.
class ProviderCall {
 public:
  struct What {
    std::string operation;
    std::string provider;
    std::string model_id{};
    json::Object context{};
  };
  /// `call` outlives it.
  ProviderCall(const Call& call, What what);
  ~ProviderCall();
  ProviderCall(const ProviderCall&) = delete;
  ProviderCall& operator=(const ProviderCall&) = delete;

  /// A UUID, to be given to the provider if it takes one.
  [[nodiscard]] const std::string& id() const { return report_.call_id; }
  void completed(ProviderUsage usage = {});
  void failed(Failure failure, ProviderUsage usage = {});

 private:
  void end(ProviderCallReport::Kind how, ProviderUsage usage);

  const Call& call_;
  ProviderCallReport report_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace weir::tool
