#include "engine/node_context.h"

#include <atomic>

namespace weir::engine {

void NodeContext::enter(SpanId span, const std::string& node_id, bool is_undo) {
  if (context_.use_count() == 1) {
    // What others have read was read before they let go of it: pairs with their decrements.
    std::atomic_thread_fence(std::memory_order_acquire);
    context_->span_id = span;
    context_->ids.step_id = node_id;
  } else {
    context_ = std::make_shared<record::TraceContext>(context_of_node(place_, span, node_id));
  }
  key_.resize(prefix_size_);
  key_.append(node_id);
  if (is_undo) key_.append("/undo");
}

}  // namespace weir::engine
