#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/event_bus.h"
#include "weir/sinks.h"
#include "weir/status.h"

/// The hooks that ship with Weir, for EventBus::add; `hooks:` in weir.yaml has the same ones. What
/// they do to the world is given to them or stays in a folder they are given. A `Print` that is
/// empty prints to standard output.
namespace weir {

/// Prints "Pipeline Execution Summary" when a run completed, failed or was cancelled: the pipeline,
/// the status, the nodes that succeeded and failed, the duration.
[[nodiscard]] Hook run_summary_hook(Print print = {});

/// Prints "ALERT: Pipeline 'P' had N failed nodes!" at the end of a run in which at least
/// `threshold` nodes failed. A run that failed without a failed node counts as one failure. Errors:
/// kInvalidInput for a threshold below 1.
[[nodiscard]] StatusOr<Hook> failure_alert_hook(Print print = {}, std::int64_t threshold = 1);

struct LogRotation {
  std::filesystem::path folder{};
  std::string pattern = "*.jsonl";  ///< of file names: `*` any characters, `?` one
  std::size_t keep = 10;            ///< files; the newest by time of modification
};
/// At the end of every run, deletes the oldest matching files of the folder, and nothing else: no
/// folders, no links, nothing in folders below. Errors: kInvalidInput for a pattern with '/' or
/// none, or a `keep` of 0.
[[nodiscard]] StatusOr<Hook> log_rotation_hook(LogRotation rotation);

struct CommandHook {
  std::string name{};
  std::vector<std::string> topics{};
  std::vector<std::string> command{};  ///< program (found on PATH) and arguments; not a shell's
  std::chrono::milliseconds timeout{30'000};  ///< then it is killed
};
/// Runs a program for every event: the line on its standard input, the topic in WEIR_TOPIC. An exit
/// code that is not 0 is the hook's failure. Errors: kInvalidInput.
[[nodiscard]] StatusOr<Hook> command_hook(CommandHook options);

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;
/// Sends a POST request and fails unless the answer is a success; should give up when asked to
/// stop. It is the program's: the library has no network.
using Post = std::function<Status(const std::string& url, std::string_view body,
                                  const HttpHeaders& headers, const StopToken& stop)>;
struct Webhook {
  std::string name{};
  std::vector<std::string> topics{};
  std::string url{};      ///< http:// or https://
  HttpHeaders headers{};  ///< besides Content-Type and Weir-Topic
  std::chrono::milliseconds timeout{10'000};
};
/// Posts every event's line as application/json. Does not try again. Errors: kInvalidInput for
/// another kind of URL, for control characters in it or in a header, without a `post`.
[[nodiscard]] StatusOr<Hook> webhook(Webhook options, Post post);

// These two are in weir::report.

/// Prints "Cache Statistics:" at the end of a run in which a cache was asked: hits, misses, hit
/// rate, and the size of what came from it where that is known.
[[nodiscard]] Hook cache_statistics_hook(Print print = {});

enum class MetricsFormat : std::uint8_t { kJson, kPrometheus, kParquet };
struct MetricsExport {
  std::filesystem::path folder{};
  std::vector<MetricsFormat> formats{MetricsFormat::kJson, MetricsFormat::kPrometheus};
  std::size_t keep = 0;  ///< the newest files of each format; 0: all
};
/// Writes the metrics of all runs seen so far into the folder, as `metrics_TIME.json`, `.prom` and
/// `.parquet`, at the end of every run; the publisher waits. Errors: kInvalidInput without a folder
/// or a format.
[[nodiscard]] StatusOr<Hook> metrics_export_hook(MetricsExport options);

}  // namespace weir
