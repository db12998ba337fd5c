#include "engine/ready_queue.h"

#include <utility>

namespace weir::engine {

ReadyQueue::ReadyQueue(const pipeline::Definition& definition, OnChange on_change)
    : on_change_(std::move(on_change)) {
  if (definition.domains.empty()) return;
  std::map<std::string, std::int32_t, std::less<>> pools;
  for (const auto& [domain, limit] : definition.domains) {
    pools.emplace(domain, static_cast<std::int32_t>(pools_.size()));
    pools_.push_back({.workers = {.domain = domain, .limit = limit}, .waiting = {}});
  }
  pool_of_.reserve(definition.nodes.size());
  for (const auto& node : definition.nodes) {
    const auto pool = pools.find(node.domain);
    pool_of_.push_back(pool == pools.end() ? -1 : pool->second);
  }
}

void ReadyQueue::push(pipeline::StepIndex step, pipeline::NodeIndex node) {
  ready_.push_back({.step = step, .pool = pool_of_.empty() ? -1 : pool_of_[node]});
}

bool ReadyQueue::can_take() {
  while (!ready_.empty()) {
    const auto& first = ready_.front();
    if (first.pool < 0) return true;
    auto& pool = pools_[static_cast<std::size_t>(first.pool)];
    if (pool.workers.busy < pool.workers.limit) return true;
    pool.waiting.push_back(first.step);
    ready_.pop_front();
  }
  return false;
}

ReadyQueue::Taken ReadyQueue::take() {
  const auto taken = ready_.front();
  ready_.pop_front();
  if (taken.pool < 0) return taken;
  auto& pool = pools_[static_cast<std::size_t>(taken.pool)];
  if (++pool.workers.busy == pool.workers.limit && !pool.is_exhausted) {
    pool.is_exhausted = true;
    on_change_(pool.workers);
  }
  return taken;
}

void ReadyQueue::done(const Taken& taken) {
  if (taken.pool < 0) return;
  auto& pool = pools_[static_cast<std::size_t>(taken.pool)];
  --pool.workers.busy;
  if (!pool.waiting.empty()) {  // it has waited longer than all others of its domain
    ready_.push_front({.step = pool.waiting.front(), .pool = taken.pool});
    pool.waiting.pop_front();
  } else if (pool.is_exhausted) {
    pool.is_exhausted = false;
    on_change_(pool.workers);
  }
}

void ReadyQueue::lift_limits() {
  for (auto& pool : pools_) {
    for (const auto step : pool.waiting) ready_.push_back({.step = step});
    pool.waiting.clear();
  }
  for (auto& one : ready_) one.pool = -1;
}

std::vector<pipeline::StepIndex> ReadyQueue::remove_if(
    const std::function<bool(pipeline::StepIndex)>& is_unwanted) {
  std::vector<pipeline::StepIndex> removed;
  const auto is_removed = [&](pipeline::StepIndex step) {
    if (!is_unwanted(step)) return false;
    removed.push_back(step);
    return true;
  };
  for (auto& pool : pools_) std::erase_if(pool.waiting, is_removed);
  std::erase_if(ready_, [&](const Taken& one) { return is_removed(one.step); });
  return removed;
}

std::vector<WorkerPool> ReadyQueue::pools() const {
  std::vector<WorkerPool> pools;
  pools.reserve(pools_.size());
  for (const auto& pool : pools_) pools.push_back(pool.workers);
  return pools;
}

}  // namespace weir::engine
