#pragma once

#include <atomic>
#include <cstddef>
#include <expected>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/time.h"
#include "pipeline/definition.h"
#include "tool/tool.h"

/// What stands around the calls of tools: docs/interceptors.md.
namespace weir::engine {

class InterceptorChain;
class NodeEvents;

/// Where in the chain the parts of it stand, the lowest outermost.
namespace priority {
inline constexpr int kIdempotency = 4;
inline constexpr int kTimeout = 5;
inline constexpr int kCircuitBreaker = 10;
inline constexpr int kTracing = 20;
inline constexpr int kMetrics = 40;
inline constexpr int kLogging = 50;
inline constexpr int kCustom = 100;
}  // namespace priority

/// Of what interceptors say; stageflow's name.
inline constexpr std::string_view kInterceptorLogger = "stage_interceptor";

using CallOutcome = std::expected<tool::Output, tool::Failure>;

/// One try of a node, as those see it that stand around its call. Lives until the call has ended.
struct Attempt {
  const pipeline::Definition& pipeline;
  const pipeline::Node& node;
  std::string_view node_id;      ///< or that of an item: "ID[0]"
  int number;                    ///< 1, 2, …
  std::string_view request_key;  ///< RunRequest::idempotency_key
  const Clock& clock;
  std::stop_token cancelled;  ///< requested: the run does not want it any more
  /// What the tool gets: the payload, the settings, where it may log. `stop` and the functions may
  /// be replaced for the rest of the chain.
  tool::Call& call;
  NodeEvents& events;
  std::atomic<bool> is_late{false};  ///< its timeout is over
};

/// completed, failed, timeout or cancelled.
[[nodiscard]] std::string_view status_of(const Attempt& attempt, const CallOutcome& outcome);

/// The rest of the chain, as one interceptor sees it.
class Next {
 public:
  /// Goes on with it, the first time. What comes of it may be changed.
  CallOutcome& run();
  /// Instead of what comes, or came, of it.
  void answer(CallOutcome outcome);

 private:
  friend class InterceptorChain;
  using Tool = std::function<CallOutcome()>;
  Next(const InterceptorChain& chain, std::size_t position, Attempt& attempt, const Tool& tool)
      : chain_(chain), position_(position), attempt_(attempt), tool_(tool) {}

  const InterceptorChain& chain_;
  const std::size_t position_;
  Attempt& attempt_;
  const Tool& tool_;
  std::optional<CallOutcome> outcome_;
  bool stands_in_ = false;  // the answer came without the rest
};

/// Something around every call of a tool. Override `around`, or `before` and `after`.
///
/// Threads   Called from all threads that run nodes, for several attempts at once.
/// Failures  What it throws is a WARNING in the log, and the call goes on without it. Of a critical
///           one it fails the node, as `InterceptorFailed`.
class Interceptor {
 public:
  virtual ~Interceptor() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// Of two with the same, the one that was given first is outside.
  [[nodiscard]] virtual int priority() const { return priority::kCustom; }
  [[nodiscard]] virtual bool is_critical() const { return false; }

  /// One that neither runs nor answers is passed over.
  virtual void around(Attempt& attempt, Next& next);

 protected:
  /// An outcome answers in the place of the tool, and `after` is not called.
  [[nodiscard]] virtual std::optional<CallOutcome> before(Attempt& attempt);
  virtual void after(Attempt& attempt, CallOutcome& outcome);
};

}  // namespace weir::engine
