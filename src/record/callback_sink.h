#pragma once

#include <functional>
#include <utility>

#include "base/exception.h"
#include "record/event_sink.h"

namespace weir::record {

/// Hands every event to a function. What it throws becomes an error that names the type.
class CallbackSink final : public EventSink {
 public:
  using Callback = std::function<Result<void>(const Published&)>;

  explicit CallbackSink(Callback callback) : callback_(std::move(callback)) {}

  [[nodiscard]] Result<void> emit(const Published& event) override {
    return call_caught([&] { return callback_(event); });
  }

 private:
  Callback callback_;
};

}  // namespace weir::record
