#include "store/retention.h"

#include <algorithm>

namespace weir::store {
namespace {

using std::chrono::milliseconds;
using Overrides = std::map<std::string, RetentionOverride, std::less<>>;

const RetentionOverride* find(const Overrides& overrides, const std::string& name) {
  const auto found = overrides.find(name);
  return found == overrides.end() ? nullptr : &found->second;
}

template <class Ages>
auto age_in(const Ages& ages, RetentionClass kind) {
  switch (kind) {
    case RetentionClass::kAudit:
      return ages.audit;
    case RetentionClass::kMetrics:
      return ages.metrics;
    case RetentionClass::kOperations:
      break;
  }
  return ages.operations;
}

milliseconds age_of(const StoredRun& run, const RetentionRules& rules) {
  const auto* pipeline = find(rules.pipelines, run.pipeline);
  if (const auto age = pipeline ? age_in(*pipeline, run.kind) : std::nullopt) return *age;
  const auto* tenant = find(rules.tenants, run.tenant.value_or(""));
  if (const auto age = tenant ? age_in(*tenant, run.kind) : std::nullopt) return *age;
  return age_in(rules, run.kind);
}

bool may_go(const StoredRun& run, Timestamp now) {
  return run.spared == Spared::kNo && (run.is_finished || run.last_event + kQuiet <= now);
}

/// What is left of the runs, the oldest first.
class Remaining {
 public:
  Remaining(const std::vector<StoredRun>& runs, Timestamp now) : runs_(runs), now_(now) {
    order_.reserve(runs.size());
    for (std::size_t i = 0; i < runs.size(); ++i) order_.push_back(i);
    std::ranges::stable_sort(order_, {}, [&](std::size_t i) { return runs[i].last_event; });
    dead_.resize(runs.size());
  }

  void remove_older(const RetentionRules& rules) {
    for (const auto i : order_) {
      const auto& run = runs_[i];
      if (may_go(run, now_) && run.last_event + age_of(run, rules) <= now_) dead_[i] = true;
    }
  }

  /// Of those that `is_one`, until they have no more than so many bytes.
  template <class IsOne>
  void shrink(std::uint64_t max_bytes, const IsOne& is_one) {
    std::uint64_t bytes = 0;
    for (const auto i : order_) {
      if (!dead_[i] && is_one(runs_[i])) bytes += runs_[i].bytes;
    }
    for (const auto i : order_) {
      const auto& run = runs_[i];
      if (bytes <= max_bytes) return;
      if (dead_[i] || !is_one(run) || !may_go(run, now_) || run.kind == RetentionClass::kAudit) {
        continue;
      }
      dead_[i] = true;
      bytes -= run.bytes;
    }
  }

  [[nodiscard]] std::vector<std::size_t> dead() const {
    std::vector<std::size_t> dead;
    for (std::size_t i = 0; i < dead_.size(); ++i) {
      if (dead_[i]) dead.push_back(i);
    }
    return dead;
  }

 private:
  const std::vector<StoredRun>& runs_;
  const Timestamp now_;
  std::vector<std::size_t> order_;
  std::vector<bool> dead_;
};

}  // namespace

std::vector<std::size_t> runs_to_delete(const std::vector<StoredRun>& runs,
                                        const RetentionRules& rules, Timestamp now) {
  Remaining remaining(runs, now);
  remaining.remove_older(rules);
  for (const auto& [name, limits] : rules.pipelines) {
    if (!limits.max_bytes) continue;
    remaining.shrink(*limits.max_bytes, [&](const StoredRun& run) { return run.pipeline == name; });
  }
  for (const auto& [name, limits] : rules.tenants) {
    if (!limits.max_bytes) continue;
    remaining.shrink(*limits.max_bytes,
                     [&](const StoredRun& run) { return run.tenant.value_or("") == name; });
  }
  if (rules.max_bytes) remaining.shrink(*rules.max_bytes, [](const StoredRun&) { return true; });
  return remaining.dead();
}

}  // namespace weir::store
