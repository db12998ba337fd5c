#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/time.h"
#include "engine/node_calls.h"
#include "engine/payload.h"

namespace weir::engine {

/// What a run takes back if it fails: its completed steps that have an `undo`, the last one on top.
class UndoStack {
 public:
  struct Done {
    Step step;
    std::shared_ptr<const json::Array> items{};  ///< the step's item is one of these
    OutputPointer output{};
    int attempt = 1;
    Timestamp completed_at{};
  };
  /// In the place of the same step, if that has completed before: it ran again.
  void push(Done done);
  /// It was taken back.
  void remove(std::string_view step_id);
  /// Nothing: it is empty.
  [[nodiscard]] std::optional<Done> pop();
  [[nodiscard]] bool is_empty() const { return done_.empty(); }

 private:
  std::list<Done> done_;
  std::unordered_map<std::string_view, std::list<Done>::iterator> places_;  // by id
};

}  // namespace weir::engine
