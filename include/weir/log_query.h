#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/field.h"
#include "weir/status.h"

/// Questions to the log, without a database: StructuredLogger asks them, and Reports.
namespace weir {

struct LogQuery {
  enum class Order : std::uint8_t { kOldestFirst, kNewestFirst };

  std::string
      event_type{};  ///< of the catalogue, custom, or a short name: `node_failed`; empty: any
  std::string node_name{};  ///< or the component of a log line that names no node; empty: any
  std::optional<Level> level{};
  std::string run_id{};     ///< empty: all runs of the store
  std::size_t limit = 100;  ///< at most 10 000
  Order order = Order::kOldestFirst;
};

/// What was read for an answer.
struct LogRead {
  std::uint64_t segments = 0;        ///< files
  std::uint64_t events = 0;          ///< all committed ones, whether they match or not
  std::uint64_t bytes = 0;           ///< of these, with their newlines
  std::uint64_t skipped_events = 0;  ///< committed lines that are no events to this program
  std::uint64_t damaged_bytes = 0;
};

struct LogEntry {
  std::chrono::system_clock::time_point timestamp{};
  std::string line{};  ///< the event as the JSON object in the log
};

struct LogEntries {
  std::vector<LogEntry> entries{};  ///< in the order asked for; of one time, as written
  bool is_cut = false;              ///< there were more within `limit`, but over 64 MiB
  LogRead read{};
};

struct LogSummary {
  struct ErrorLine {
    std::chrono::system_clock::time_point timestamp{};
    std::string node_name{};  ///< may be empty
    std::string error{};
  };
  std::filesystem::path log_file{};  ///< the folder of the log's files
  double file_size_mb = 0;           ///< of the files' events: 2^20 bytes each
  std::uint64_t total = 0;
  std::map<std::string, std::uint64_t> by_level{};
  std::map<std::string, std::uint64_t> by_event_type{};
  std::vector<ErrorLine> errors{};  ///< the first 10 of ERROR and FATAL, the oldest first
  LogRead read{};
};

/// A line of the log as the record of 15 keys of ODIBI CORE: timestamp, level, event_type, message,
/// node_name, layer, engine, status, duration_ms, error, cache_hit, row_count, memory_mb, user,
/// metadata; null where the event does not say it. Errors: kInvalidInput for what is no event.
[[nodiscard]] StatusOr<std::string> to_log_record(std::string_view line);

}  // namespace weir
