#include "engine/node_contexts.h"

#include <atomic>

namespace weir::engine {

NodeContexts::Lease NodeContexts::take(SpanId span, const std::string& node_id) {
  std::shared_ptr<record::TraceContext> context;
  {
    const std::lock_guard lock(mutex_);
    if (!unused_.empty()) {
      context = std::move(unused_.back());
      unused_.pop_back();
    }
  }
  if (context) {
    context->span_id = span;
    context->ids.step_id = node_id;
  } else {
    context = std::make_shared<record::TraceContext>(context_of_node(place_, span, node_id));
  }
  return {*this, std::move(context)};
}

void NodeContexts::give_back(std::shared_ptr<record::TraceContext> context) {
  if (context.use_count() > 1) return;  // a thread that the node left behind may still read it
  // What others have read was read before they let go of it: pairs with their decrements.
  std::atomic_thread_fence(std::memory_order_acquire);
  const std::lock_guard lock(mutex_);
  unused_.push_back(std::move(context));
}

}  // namespace weir::engine
