#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/field.h"
#include "weir/sink.h"
#include "weir/status.h"

/// The sinks that are made already, for Recorder::add_sink, set_event_sink and each other:
///
///   auto file = weir::json_lines_sink({"logs/errors.jsonl"});
///   auto all = std::make_shared<weir::CompositeSink>();
///   all->add("errors", *file, {{}, {}, weir::Level::kError}).ignore();
///   all->add("screen", weir::console_sink()).ignore();
///   recorder->add_sink(all);
namespace weir {

/// Takes everything and keeps nothing.
[[nodiscard]] std::shared_ptr<Sink> null_sink();

/// Where texts for people go; a text ends its lines itself.
using Print = std::function<Status(std::string_view text)>;

struct ConsoleOptions {
  Level min_level = Level::kInfo;
  bool coloured = false;  ///< warnings yellow, errors red: for a terminal
  Print print{};          ///< empty: to standard error
};
/// Events for people, one line each: nothing in them can move the cursor, colour the terminal or
/// begin a line.
[[nodiscard]] std::shared_ptr<Sink> console_sink(ConsoleOptions options = {});

/// What a line of JSON is: the event as in the log, or the document of dashboards and Elasticsearch
/// with `context` and `metrics` in objects of their own (docs/formats/json-lines-sink.md).
enum class LineFormat : std::uint8_t { kEvent, kDocument };
enum class Compression : std::uint8_t { kNone, kGzip };

struct JsonLinesOptions {
  std::filesystem::path path{};  ///< of the file being written; its folder is made
  LineFormat format = LineFormat::kEvent;
  /// What of an event a line has: fields of the catalogue, or else attributes; empty: all of it.
  /// Only with LineFormat::kEvent.
  std::vector<std::string> fields{};
  /// A file that a line would make larger is put aside; one line alone may be larger.
  std::uint64_t max_file_bytes = 10'000'000;
  std::size_t max_files = 10;                    ///< are kept, with the one being written
  std::chrono::hours max_age{30 * 24};           ///< of a file put aside, in whole days
  Compression compression = Compression::kGzip;  ///< of files put aside
};
/// Events as lines of a file. A line is in it whole or not at all, and survives the process; what
/// survives a power failure is in the log. Errors: kInvalidInput; kConflict when another sink or
/// process writes the file; kIo, kExhausted (no space).
[[nodiscard]] StatusOr<std::shared_ptr<Sink>> json_lines_sink(const JsonLinesOptions& options);

/// Hands every event to a function, which must be there. What it throws becomes an error.
[[nodiscard]] std::shared_ptr<Sink> callback_sink(std::function<Status(const Event&)> function);

/// Which events somebody wants: by default, all.
struct EventFilter {
  std::vector<std::string> include{};  ///< topics: `*` is one word, `#` the rest; empty: all
  std::vector<std::string> exclude{};  ///< wins over `include`
  Level min_level = Level::kDebug;
};

/// Hands events to several sinks, to each those that it wants. What one of them returns or throws
/// keeps no event from the others.
///
/// Threads  As every sink; `statistics` from any thread.
class CompositeSink final : public Sink {
 public:
  CompositeSink();
  ~CompositeSink() override;

  /// Before the first event. Errors: kInvalidInput without a name or sink, and for what is not a
  /// topic; kConflict when the name is taken; kExhausted over 64.
  [[nodiscard]] Status add(std::string name, std::shared_ptr<Sink> sink,
                           const EventFilter& filter = {});

  /// Errors: the first sink's that failed, with its name, after all were told.
  Status emit(const Event& event) override;
  bool try_emit(const Event& event) override;
  Status flush() override;

  struct Statistics {
    std::string name{};
    std::uint64_t emitted = 0;  ///< taken
    std::uint64_t failed = 0;   ///< refused, dropped or thrown at
    std::string last_error{};   ///< empty: none
  };
  /// Of each sink, in the order of adding.
  [[nodiscard]] std::vector<Statistics> statistics() const;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

struct BufferedOptions {
  std::string name = "buffered";  ///< in errors
  std::size_t max_events = 1000;
  std::size_t max_bytes = std::size_t{64} << 20;  ///< of the events' lines together
  /// The sink below is flushed after so many events, or so long after the first that it got since.
  std::size_t batch_events = 100;
  std::chrono::milliseconds flush_interval{10'000};
  double high_water = 0.8;  ///< the part of max_events at which on_high_water is called
  /// How long the destructor waits for the sink below before it says so.
  std::chrono::milliseconds patience{5000};

  // Called from any thread, one at a time each. What they throw is ignored.
  std::function<void(const Event&)> on_drop{};              ///< by try_emit, before it returns
  std::function<void(std::size_t queued)> on_high_water{};  ///< again only after it fell to half
  std::function<void(std::string_view)> on_error{};         ///< what the sink below did not take
};

/// A bounded queue before a sink, and a thread that empties it.
///
///   emit ─────► waits for room ──┐
///   try_emit ─► drops the newest ┴─► queue ──► thread ──► the sink below
///
/// Failure   What the sink below returns or throws is counted and told to on_error; the event is
///           not tried again. While it hangs, the queue fills and `emit` waits: `stop` ends that.
/// Threads   All functions from any thread, but not from the sink below or a callback.
/// Fork      What is queued is the parent's. The child's copy is empty and stopped, for good.
/// Shutdown  The destructor drops what is queued (`stop` first to keep it) and waits for the sink
///           below, for ever if it never returns: on_error names it once the patience is over.
class BufferedSink final : public Sink {
 public:
  explicit BufferedSink(std::shared_ptr<Sink> below, const BufferedOptions& options = {});
  ~BufferedSink() override;

  enum class AtStop : std::uint8_t { kDrain, kDrop };
  /// Also again after `stop`. Errors: kConflict when it runs, when the sink below has not returned
  /// since `stop`, or in a forked child; kUnavailable when the system gives no thread.
  [[nodiscard]] Status start();
  /// Takes no more events, hands over what is queued or drops it, and flushes the sink below.
  /// Errors: what the last flush returned; kUnavailable when it is not back in time: what is queued
  /// then is dropped.
  [[nodiscard]] Status stop(AtStop how = AtStop::kDrain,
                            std::chrono::milliseconds timeout = std::chrono::seconds(5));

  /// Errors: kCancelled once it is stopped; kExhausted when it is full and was not started.
  Status emit(const Event& event) override;
  bool try_emit(const Event& event) override;
  /// Waits until the sink below has what was queued before, and has flushed.
  Status flush() override;

  struct Statistics {
    std::uint64_t emitted = 0;  ///< put into the queue
    std::uint64_t dropped = 0;  ///< not put into it, or thrown away by stop
    std::uint64_t full = 0;     ///< how often an event found it full
    double drop_rate = 0;       ///< the part of all events that was dropped, 0 to 1
    std::optional<std::chrono::system_clock::time_point> last_emit{};
    std::optional<std::chrono::system_clock::time_point> last_drop{};
    std::size_t queued = 0;
    std::uint64_t errors = 0;  ///< calls of the sink below that failed
    std::string last_error{};  ///< empty: none
  };
  [[nodiscard]] Statistics statistics() const;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace weir
