#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "base/time.h"
#include "event/catalogue.h"
#include "event/decoder.h"
#include "log/store_directory.h"

/// Questions to the events of a store, without a database. What was committed is seen, also of
/// processes that still write.
namespace weir::record {

/// What was read for an answer.
struct LogRead {
  std::uint64_t segments = 0;        ///< and parts
  std::uint64_t events = 0;          ///< all committed ones, whether they match or not
  std::uint64_t bytes = 0;           ///< of these, with their newlines
  std::uint64_t skipped_events = 0;  ///< committed lines that are no events to this program
  std::uint64_t damaged_bytes = 0;   ///< of damage and suspects: see log::SegmentReader
};

/// Gets each committed event and its line.
using EventVisitor = std::function<void(const event::EventView& event, std::string_view line)>;
/// Hands over the events that questions are asked of. Errors: kIo, and its own.
using EventSource = std::function<Result<LogRead>(const EventVisitor& visit)>;

/// Those in the store's segments: what was compacted is not among them. With it: store::all_events.
[[nodiscard]] EventSource segments_of(const log::StoreDirectory& store);

struct LogQuery {
  enum class Order : std::uint8_t { kOldestFirst, kNewestFirst };

  std::string event_type{};  ///< of the catalogue, custom, or ODIBI CORE's name; empty: any
  std::string node_name{};   ///< or the component of a log line that names no node; empty: any
  std::optional<event::Level> level{};
  std::optional<RunId> run_id{};
  std::size_t limit = 100;
  Order order = Order::kOldestFirst;
};

struct LogEntry {
  Timestamp timestamp;
  std::string line;  ///< the event's JSON, for event::Decoder
};

struct LogEntries {
  std::vector<LogEntry> entries;  ///< in the order asked for; of one time, as written
  /// There were entries within `limit` for which there was no memory (kMaxQueryBytes): what is here
  /// is the beginning.
  bool is_cut = false;
  LogRead read;
};

inline constexpr std::size_t kMaxQueryLimit = 10'000;
/// Of the lines in an answer: as much as one commit, which must be in memory anyway.
inline constexpr std::size_t kMaxQueryBytes = std::size_t{64} << 20;

/// The first `limit` events by time that match all that is asked for. Reads everything. Memory: the
/// answer, and what the source needs. Errors: kInvalidInput for a limit over kMaxQueryLimit; those
/// of the source.
[[nodiscard]] Result<LogEntries> query_logs(const EventSource& events, const LogQuery& query = {});

struct LogSummary {
  struct ErrorLine {
    Timestamp timestamp;
    std::string node_name;  ///< as LogQuery's; may be empty
    std::string error;      ///< error_message, or else the message
  };
  static constexpr std::size_t kMaxErrors = 10;
  /// Custom types are the producers' business; what is over is counted as `(other)`.
  static constexpr std::size_t kMaxEventTypes = 1000;

  std::filesystem::path log_file{};  ///< where the log is, a folder; as StructuredLogger gives it
  double file_size_mb = 0;           ///< of all that was read for the answer: 2^20 bytes each
  std::uint64_t total = 0;
  std::map<std::string, std::uint64_t, std::less<>> by_level;
  std::map<std::string, std::uint64_t, std::less<>> by_event_type;
  std::vector<ErrorLine> errors;  ///< the first kMaxErrors of ERROR and FATAL, the oldest first
  LogRead read;
};

/// Over everything; `run_id` restricts the counts to one run. Errors: those of the source.
[[nodiscard]] Result<LogSummary> get_summary(const EventSource& events,
                                             const std::optional<RunId>& run_id = {});

}  // namespace weir::record
