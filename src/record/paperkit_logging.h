#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/time.h"
#include "event/catalogue.h"
#include "record/composite_sink.h"
#include "record/event_filter.h"
#include "record/rotated_files.h"

/// PaperKit's logs, out of its loggingConfig: a file of JSON lines for each of its loggers.
namespace weir::record {

/// One of `loggers`.
struct LoggerConfig {
  std::string name;
  std::optional<event::Level> level{};        ///< nothing: the defaults'
  std::filesystem::path output{};             ///< empty: NAME.log
  std::vector<std::string> include_fields{};  ///< see paperkit_value; empty: events as in the log
  std::optional<EventFilter> filter{};        ///< nothing: paperkit_filter(name)
};

/// agent, workflow, tool, error and audit, with the fields that PaperKit gives them.
[[nodiscard]] std::vector<LoggerConfig> paperkit_loggers();

/// What the logger of that name is for:
///
///   agent     agent_run
///   workflow  what happens to runs and nodes
///   tool      tool_…, and how tools end that nodes call
///   error     all events; its level is what makes it one
///   audit     audit, and what people decide: signals, approvals, reviews
///   others    `log` events of the loggers of that name and below
[[nodiscard]] EventFilter paperkit_filter(std::string_view logger);

/// `defaults` and `loggers`.
struct LoggingConfig {
  event::Level level = event::Level::kInfo;
  std::string format = "json";  ///< there is no other
  /// Where outputs stand. Where an output begins with this folder's own name it is not repeated:
  /// `logs/agent.log` in `.paper/logs` is `.paper/logs/agent.log`.
  std::filesystem::path output_dir = ".paper/logs";
  int retention_days = 30;
  std::uint64_t max_file_size = 10'000'000;
  std::size_t max_files = 10;
  Compression compression = Compression::kGzip;  ///< of files put aside
  std::vector<LoggerConfig> loggers = paperkit_loggers();
};

/// More are refused.
inline constexpr std::size_t kMaxIncludeFields = 100;
inline constexpr int kMaxRetentionDays = 36'500;

/// Opens a JsonLinesSink for each logger, as a child of its name. Errors, with the logger's name:
/// kInvalidInput for another format, an output that leaves output_dir through `..`, a number that
/// makes no sense, no name; kConflict when two loggers have one name or one output, or another
/// process writes it; kIo, kExhausted.
[[nodiscard]] Result<std::unique_ptr<CompositeSink>> make_paperkit_sink(
    const LoggingConfig& config, const Clock& clock = system_clock(),
    FileSystem& files = local_files());

}  // namespace weir::record
