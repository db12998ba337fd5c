#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/run_place.h"
#include "record/context.h"

namespace weir::engine {

/// The contexts that are current while the nodes of a run work. To make one means to copy all that
/// travels with the trace, so one that nobody holds any more is used again for another node.
///
/// Threads  Any.
class NodeContexts {
 public:
  /// `place` outlives it.
  explicit NodeContexts(const RunPlace& place) : place_(place) {}

  /// A node's, while it lives; whoever has a copy of `shared` keeps it for longer.
  class Lease {
   public:
    Lease(NodeContexts& contexts, std::shared_ptr<record::TraceContext> context)
        : contexts_(contexts), context_(std::move(context)) {}
    ~Lease() { contexts_.give_back(std::move(context_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    [[nodiscard]] const record::TraceContext& get() const { return *context_; }
    [[nodiscard]] std::shared_ptr<const record::TraceContext> shared() const { return context_; }

   private:
    NodeContexts& contexts_;
    std::shared_ptr<record::TraceContext> context_;
  };
  [[nodiscard]] Lease take(SpanId span, const std::string& node_id);

 private:
  void give_back(std::shared_ptr<record::TraceContext> context);

  const RunPlace& place_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<record::TraceContext>> unused_;  // guarded by mutex_
};

}  // namespace weir::engine
