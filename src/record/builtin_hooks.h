#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "event/topic.h"
#include "record/event_bus.h"

/// The hooks that ship with Weir, after ODIBI CORE ("Built-in Hooks"), for EventBus::add. What
/// they do to the world is given to them or stays in a folder they are given. Those that need
/// metrics or the network are in export/hooks.h.
namespace weir::record {

/// Where a hook's text for people goes; the text ends its lines itself.
using Print = std::function<Result<void>(std::string_view text)>;

/// Prints "Pipeline Execution Summary" when a run completed, failed or was cancelled: the pipeline,
/// the status, the nodes that succeeded and failed, the duration. The counts are the event's, or if
/// it has none, those of the node events seen.
[[nodiscard]] Hook run_summary_hook(Print print);

/// Prints "ALERT: Pipeline 'P' had N failed nodes!" at the end of a run in which at least
/// `threshold` nodes failed, counted as in run_summary_hook. A run that failed without a failed
/// node (a definition that was refused) counts as one failure. Errors: kInvalidInput for a
/// threshold below 1.
[[nodiscard]] Result<Hook> failure_alert_hook(Print print, std::int64_t threshold = 1);

struct LogRotation {
  std::filesystem::path folder;
  std::string pattern = "*.jsonl";  ///< of file names: `*` any characters, `?` one
  std::size_t keep = 10;            ///< files; the newest by time of modification
};
/// Errors: kInvalidInput for a pattern with '/' or none, or a `keep` of 0.
[[nodiscard]] Result<void> check(const LogRotation& rotation);
/// Deletes the oldest matching files of the folder, and nothing else: no folders, no links, nothing
/// in folders below. A folder that is not there is empty. Returns how many it deleted. Errors:
/// those of `check`; kIo naming the first file that it could not delete, after it tried them all.
[[nodiscard]] Result<std::size_t> rotate_logs(const LogRotation& rotation);
/// `rotate_logs` at the end of every run. Errors: those of `check`.
[[nodiscard]] Result<Hook> log_rotation_hook(LogRotation rotation);

struct CommandHook {
  std::string name;
  std::vector<event::TopicPattern> topics;
  std::vector<std::string> command;  ///< program (found on PATH) and arguments; not a shell's
  std::chrono::milliseconds timeout{30'000};
};
/// Runs a program for every event: the line on its standard input, the topic in WEIR_TOPIC. The
/// hook's error gives the exit code if that is not 0, the signal or the timeout, and the end of
/// what the program said on standard error. Errors: kInvalidInput.
[[nodiscard]] Result<Hook> command_hook(CommandHook options);

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;
/// Sends a request and fails unless the answer is a success; should give up when asked to stop.
/// Supplied from above (export/http_post.h): this module has no network.
using Post = std::function<Result<void>(const std::string& url, std::string_view body,
                                        const HttpHeaders& headers, std::stop_token stop)>;
struct Webhook {
  std::string name;
  std::vector<event::TopicPattern> topics;
  std::string url;      ///< http:// or https://
  HttpHeaders headers;  ///< besides Content-Type and Weir-Topic
  std::chrono::milliseconds timeout{10'000};
};
/// Posts every event's line as application/json. Does not try again: delivery that must arrive is
/// the alerts'. Errors: kInvalidInput for another kind of URL, and for control characters in it or
/// in a header.
[[nodiscard]] Result<Hook> webhook(Webhook options, Post post);

}  // namespace weir::record
