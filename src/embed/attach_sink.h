#pragma once

#include <memory>

#include "base/result.h"
#include "record/event_sink.h"
#include "record/recorder.h"
#include "weir/recorder.h"

namespace weir::embed {

/// Somebody who reads what a recorder has committed and gives it to a sink. Its destructor gives
/// the sink what is committed by then, flushes it and ends.
class SinkAttachment {
 public:
  SinkAttachment() = default;
  SinkAttachment(const SinkAttachment&) = delete;
  SinkAttachment& operator=(const SinkAttachment&) = delete;
  virtual ~SinkAttachment() = default;
};

/// Gives `sink` what `recorder` commits, from its first event on. The attachment outlives the
/// recorder. Errors: kIo, kNotFound.
[[nodiscard]] Result<std::unique_ptr<SinkAttachment>> attach_sink(
    record::Recorder& recorder, std::unique_ptr<record::EventSink> sink);

/// A user's sink as one of ours: what it throws becomes an error.
[[nodiscard]] std::unique_ptr<record::EventSink> adapt_sink(std::unique_ptr<Sink> sink);

}  // namespace weir::embed
