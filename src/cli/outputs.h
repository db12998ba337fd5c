#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "config/config.h"
#include "record/event_filter.h"
#include "record/event_sink.h"

/// The sinks that a configuration describes.
namespace weir::cli {

/// What stands in messages: "console", or "jsonl PATH".
[[nodiscard]] std::string name_of(const config::Sink& sink);
[[nodiscard]] record::EventFilter filter_of(const config::Sink& sink);

/// Errors: kConflict when another process writes the file; kInvalidInput; kIo, kExhausted.
[[nodiscard]] Result<std::shared_ptr<record::EventSink>> make_sink(const config::Sink& sink);
/// The same.
[[nodiscard]] Result<std::shared_ptr<record::EventSink>> make_log_files(
    const config::LogFiles& files);

}  // namespace weir::cli
