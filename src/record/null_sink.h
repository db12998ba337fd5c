#pragma once

#include "record/event_sink.h"

namespace weir::record {

/// Takes everything and keeps nothing.
class NullSink final : public EventSink {
 public:
  [[nodiscard]] Result<void> emit(const Published&) override { return {}; }
};

}  // namespace weir::record
