#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/hash.h"
#include "engine/interceptor.h"

namespace weir::engine {

/// Runs a node once for each RunRequest::idempotency_key: what it gave is what later runs with the
/// same key get, as long as this object remembers it. Runs at the same time wait for each other. A
/// node that gets another payload, other settings or another tool under the same key fails with
/// `IdempotencyParamMismatch`. What failed is not remembered. Runs without a key are left alone.
///
/// It remembers in memory alone: what must be done once whatever crashes, a tool does by
/// Call::idempotency_key.
///
/// Threads  Any. One object for all runs that share their keys.
class IdempotencyInterceptor final : public Interceptor {
 public:
  struct Options {
    std::chrono::seconds ttl = std::chrono::hours(24);
    std::size_t max_entries = 10'000;               ///< the oldest are forgotten
    std::size_t max_bytes = std::size_t{64} << 20;  ///< of all outputs, as JSON; the same
  };
  IdempotencyInterceptor() : IdempotencyInterceptor(Options()) {}
  explicit IdempotencyInterceptor(Options options) : options_(options) {}

  [[nodiscard]] std::string_view name() const override { return "idempotency"; }
  [[nodiscard]] int priority() const override { return priority::kIdempotency; }
  void around(Attempt& attempt, Next& next) override;

  /// How many outputs it remembers.
  [[nodiscard]] std::size_t size() const;

 private:
  /// What one key stands for.
  struct Entry {
    std::string key;
    Sha256 parameters;
    std::shared_ptr<const tool::Output> output;  // null: it runs
    std::size_t bytes = 0;
    std::chrono::nanoseconds expires{0};  // by the monotonic clock
  };
  using Entries = std::list<Entry>;

  /// Nothing: the caller runs it, and then calls `keep` or `forget`.
  [[nodiscard]] std::optional<CallOutcome> answer_to(const Attempt& attempt, const std::string& key,
                                                     const Sha256& parameters);
  void keep(const Attempt& attempt, const std::string& key, const tool::Output& output);
  void forget(const std::string& key);
  void remove(Entries::iterator entry);  // under mutex_
  void make_room();                      // under mutex_

  const Options options_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;  // an entry has an output, or is gone
  // Guarded by mutex_:
  Entries entries_;  // those that ran last at the end
  std::map<std::string, Entries::iterator, std::less<>> by_key_;
  std::size_t outputs_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace weir::engine
