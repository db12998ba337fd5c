#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "weir/field.h"
#include "weir/fields.h"
#include "weir/status.h"

/// Where events go beside the log. Those that are made already are in weir/sinks.h.
namespace weir {

namespace embed {
struct EventData;
}  // namespace embed

/// A committed event, as sinks and hooks get it. Views, good until they return.
struct Event {
  std::string_view topic;  ///< dotted words: `pipeline.started`, `stage.load.completed`
  std::string_view type;
  std::string_view level;
  std::string_view run_id;
  std::int64_t run_seq = 0;  ///< with run_id the event's identity
  std::string_view line;     ///< all of it: the JSON object in the log

  // What a field of the catalogue says: empty or nothing when the event does not have it. Of an
  // event that a program has made itself they know nothing.
  [[nodiscard]] std::string_view text(TextField field) const noexcept;
  [[nodiscard]] std::optional<std::int64_t> integer(IntegerField field) const noexcept;
  [[nodiscard]] std::optional<double> number(NumberField field) const noexcept;
  [[nodiscard]] std::optional<bool> boolean(BooleanField field) const noexcept;

  const embed::EventData* data = nullptr;  ///< the library's own
};

/// Where events go beside the log: a database of your own. Gets the events of this process in the
/// order in which they were committed: a sink never has what the log has not.
///
/// Failure  What a sink returns or throws is told to RecorderOptions::on_sink_problem, and harms
///          no run.
/// Threads  One call at a time, on a thread of the recorder. A sink that does not come back in time
///          when the recorder ends is left behind: it is destroyed when it is back, and gets
///          nothing more.
class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  /// Takes an event; may wait for room.
  virtual Status emit(const Event& event) = 0;
  /// The same, but never waits: false when the event was dropped.
  virtual bool try_emit(const Event& event) { return emit(event).is_ok(); }
  /// What was taken so far is where the sink puts it when this returns.
  virtual Status flush() { return {}; }
};

/// Makes `sink` the one that every recorder of this process, now and later, gives its events to,
/// besides its own: a library can be recorded without knowing who looks. Null: none, as in the
/// beginning. What is committed already still goes to the sink before, which is waited for as at a
/// recorder's end (RecorderOptions::sink_patience); what is committed later, to this one.
///
/// Errors   Of a recorder, which goes on without the sink: kIo; kUnavailable (the sink before has
///          not taken everything in time). The sink is set all the same.
/// Threads  From any thread, but not from a sink. Of several recorders, each calls the sink on a
///          thread of its own: let it be a BufferedSink then.
/// Fork     A child that records sets it again.
Status set_event_sink(std::shared_ptr<Sink> sink) noexcept;
/// Never null: without one, a sink that takes everything and keeps nothing.
[[nodiscard]] std::shared_ptr<Sink> get_event_sink() noexcept;

}  // namespace weir
