#pragma once

#include <memory>

#include "base/result.h"
#include "record/event_sink.h"

/// Behind set_event_sink: the process's sink, and the recorders that it is the sink of.
namespace weir::embed {

struct RecorderState;

/// Gives every event to whatever sink is the process's at that moment.
[[nodiscard]] std::shared_ptr<record::EventSink> current_sink();

/// Makes the process's sink, and those that come after it, get what the recorder commits. Errors:
/// as Feeds::add_current.
[[nodiscard]] Result<void> join_current_sink(const std::shared_ptr<RecorderState>& recorder);

}  // namespace weir::embed
