#include "engine/execution.h"

// What a node does once all before it has ended: nothing, its work, or that for each of some items.
namespace weir::engine {

using pipeline::NodeIndex;

/// Whether it is to run at all, and how often. That nobody can say is a failed attempt.
void Execution::prepare(const Step& step, Running& running) {
  const auto index = step.node_index;
  auto plan = calls_.plan(step);
  if (running.ended.exchange(true)) return;  // the run was stopped at once
  if (!plan) {
    auto events = events_of(step, running.attempt + 1, wide_of(step));
    {
      const std::lock_guard lock(mutex_);
      events.started(predecessor_ids(index));
    }
    return fail(step, events, 0, plan.error());
  }
  auto skipped = skipped_because(index, *plan);
  decide([&](auto& commands) {
    // What a guard has run again has come to nothing yet, and what is stopped comes to nothing.
    if (scheduler_.is_unwanted(index) || scheduler_.is_stopping()) skipped.clear();
    if (!skipped.empty()) events_of(step, 1, wide_at(step)).skipped(skipped);
    carry_out_plan(index, *plan, commands);
  });
  if (skipped.empty()) return;
  report({.kind = NodeUpdate::Kind::kSkipped, .node_id = step.id, .message = skipped});
}

/// Empty: it is not.
std::string Execution::skipped_because(NodeIndex index, const NodeCalls::Plan& plan) const {
  const auto& node = request_.definition.nodes[index];
  if (!plan.is_wanted) return "'when' is false: " + node.when->text();
  if (plan.items && plan.items->empty()) return "'for_each' has no items";
  return {};
}

/// Under mutex_.
void Execution::carry_out_plan(NodeIndex index, const NodeCalls::Plan& plan,
                               pipeline::Scheduler::Commands& commands) {
  const bool is_unwanted = scheduler_.is_unwanted(index) || scheduler_.is_stopping();
  if (!plan.is_wanted && !is_unwanted) return scheduler_.skip(index, commands);
  if (!plan.items || is_unwanted) {
    scheduler_.prepared(index, {}, commands);
    return;
  }
  auto& items = items_[index];
  const auto count = plan.items->size();
  items.list = plan.items;
  items.outputs.assign(count, nullptr);
  if (!wide_nodes_.empty()) items.wide.assign(count, {.topology = request_.definition.id});
  if (count == 0) keep_items(index);  // before its successors are started
  items.first = scheduler_.prepared(index, static_cast<std::uint32_t>(count), commands);
  say_items_again(index);
}

/// Under mutex_: all items of the node have completed.
void Execution::keep_items(NodeIndex index) {
  json::Array list;
  list.reserve(items_[index].outputs.size());
  for (const auto& output : items_[index].outputs) {
    list.push_back(output ? json::Value(*output) : json::Value());
  }
  json::Object all;
  all.set(request_.definition.nodes[index].id.text, std::move(list));
  outputs_[index] = std::make_shared<const json::Object>(std::move(all));
}

}  // namespace weir::engine
