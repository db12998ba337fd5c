#pragma once

#include <memory>
#include <string>

#include "engine/run_place.h"
#include "record/context.h"

namespace weir::engine {

/// The context that is current while a node works, and its idempotency key: of one worker, for node
/// after node. To make one means to copy all that travels with the trace, so it is used again, if
/// nobody has kept it.
class NodeContext {
 public:
  /// `place` outlives it.
  explicit NodeContext(const RunPlace& place)
      : place_(place), key_(place.context.ids.run_id + "/"), prefix_size_(key_.size()) {}

  /// From here on it is that of this attempt. An undo is other work than what it takes back.
  void enter(SpanId span, const std::string& node_id, bool is_undo);

  [[nodiscard]] const record::TraceContext& get() const { return *context_; }
  /// Whoever has a copy keeps it as it is.
  [[nodiscard]] std::shared_ptr<const record::TraceContext> shared() const { return context_; }
  /// The same on every try of the same work.
  [[nodiscard]] const std::string& idempotency_key() const { return key_; }

 private:
  const RunPlace& place_;
  std::shared_ptr<record::TraceContext> context_;
  std::string key_;
  const std::size_t prefix_size_;  // of what all keys of the run begin with
};

}  // namespace weir::engine
