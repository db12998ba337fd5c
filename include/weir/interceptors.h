#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "weir/tool.h"

/// What Weir has to stand around the calls of tools, for Engine::add_interceptor. Timeouts, circuit
/// breakers and retries need none of these: the pipeline asks for them.
///
///   const auto metrics = std::make_shared<weir::MetricsInterceptor>();
///   engine.add_interceptor(metrics);
///   …
///   for (const auto& [node, stage] : metrics->stages()) …
namespace weir {

namespace engine {
class IdempotencyInterceptor;
class LoggingInterceptor;
class MetricsInterceptor;
class TracingInterceptor;
}  // namespace engine

/// Runs a node once for each RunRequestOptions::idempotency_key: what it gave is what later runs
/// with the same key get, as long as this object remembers it. Runs at the same time wait for each
/// other. A node that gets another payload, other settings or another tool under the same key fails
/// with `IdempotencyParamMismatch`. What failed is not remembered. Runs without a key are left
/// alone.
///
/// It remembers in memory alone: what must be done once whatever crashes, a tool does by
/// ToolCall::idempotency_key.
///
/// Threads  Any. One object for all engines that share their keys.
class IdempotencyInterceptor final : public Interceptor {
 public:
  struct Options {
    std::chrono::seconds ttl = std::chrono::hours(24);
    std::size_t max_entries = 10'000;               ///< the oldest are forgotten
    std::size_t max_bytes = std::size_t{64} << 20;  ///< of all outputs, as JSON; the same
  };
  IdempotencyInterceptor();
  explicit IdempotencyInterceptor(Options options);
  ~IdempotencyInterceptor() override;
  [[nodiscard]] std::string_view name() const override;
  [[nodiscard]] int priority() const override;

  /// How many outputs it remembers.
  [[nodiscard]] std::size_t size() const;

 private:
  [[nodiscard]] engine::Interceptor* own() noexcept override;
  const std::unique_ptr<engine::IdempotencyInterceptor> own_;
};

/// The span of an attempt, as the log has it too.
struct ObservedSpan {
  std::string trace_id;  ///< 32 hex digits
  std::string span_id;   ///< 16
  std::string parent_span_id;
  std::string name;  ///< "stage.ID"
  int attempt = 1;
  std::string status;  ///< completed, failed, timeout or cancelled
  std::string error_type;
  std::chrono::system_clock::time_point started_at;
  double duration_ms = 0;
};

/// Keeps the spans of the calls of tools, to be read when their run is over, or before.
///
/// Threads  Any.
class TracingInterceptor final : public Interceptor {
 public:
  static constexpr std::size_t kMaxSpans = 10'000;  ///< the oldest go first

  TracingInterceptor();
  ~TracingInterceptor() override;
  [[nodiscard]] std::string_view name() const override;
  [[nodiscard]] int priority() const override;

  /// In the order in which they ended.
  [[nodiscard]] std::vector<ObservedSpan> spans() const;
  [[nodiscard]] std::uint64_t dropped() const;

 private:
  [[nodiscard]] engine::Interceptor* own() noexcept override;
  const std::unique_ptr<engine::TracingInterceptor> own_;
};

/// How the attempts of a node did.
struct StageMetrics {
  std::uint64_t started = 0;
  std::map<std::string, std::uint64_t> ended;   ///< completed, failed, timeout, cancelled
  std::map<std::string, std::uint64_t> errors;  ///< of what failed, by type
  // Of those that have ended:
  double avg_duration_ms = 0;
  double min_duration_ms = 0;
  double max_duration_ms = 0;
};

/// Counts and times the calls of tools, to be read when their run is over, or before. The same
/// figures come out of the log; these need none.
///
/// Memory   Of at most 2000 nodes, and some error types of each: all further ones are "(other)".
/// Threads  Any.
class MetricsInterceptor final : public Interceptor {
 public:
  MetricsInterceptor();
  ~MetricsInterceptor() override;
  [[nodiscard]] std::string_view name() const override;
  [[nodiscard]] int priority() const override;

  /// By the id of the node; the items of a `for_each` node are counted with it.
  [[nodiscard]] std::map<std::string, StageMetrics> stages() const;

 private:
  [[nodiscard]] engine::Interceptor* own() noexcept override;
  const std::unique_ptr<engine::MetricsInterceptor> own_;
};

/// Says when tools are called, and what came of it, as lines of the logger `stage_interceptor`.
class LoggingInterceptor final : public Interceptor {
 public:
  LoggingInterceptor();
  ~LoggingInterceptor() override;
  [[nodiscard]] std::string_view name() const override;
  [[nodiscard]] int priority() const override;

 private:
  [[nodiscard]] engine::Interceptor* own() noexcept override;
  const std::unique_ptr<engine::LoggingInterceptor> own_;
};

}  // namespace weir
