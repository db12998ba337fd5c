#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tool/line_splitter.h"
#include "tool/start.h"

namespace weir::tool {

/// How long after the command's end its output is waited for: what it started has it too.
inline constexpr std::chrono::seconds kOutputGrace{2};

/// From asking a command to end (SIGTERM) to ending it (SIGKILL).
inline constexpr std::chrono::seconds kStopGrace{5};

/// Lets other threads hold a command that runs, with all that it has started: by SIGSTOP, and
/// SIGCONT to let it go on.
class CommandHold {
 public:
  /// Before the command has started: as soon as it has.
  void set(bool is_held);
  /// For who runs it: its process, and that it has ended.
  void started(pid_t process);
  void ended();

 private:
  std::mutex mutex_;
  pid_t process_ = -1;  // guarded by mutex_; of one that has not been waited for
  bool is_held_ = false;
};

/// A command of the user's that is run in place of itself: it has our standard input, our process
/// group and what signals we ignore, and what it prints is printed.
struct CommandRequest {
  std::vector<std::string> command;  ///< program (found on PATH) and arguments
  Environment environment;           ///< added to this process's
  /// A signalfd, or -1. What comes there is sent on, but not what a terminal has sent to the whole
  /// process group. A second SIGINT or SIGTERM ends the command by SIGKILL, and nothing is waited
  /// for. Of a SIGHUP terminals send several.
  int signals = -1;
  /// Of those that ask it to end: SIGINT, SIGTERM, SIGHUP.
  std::function<void(int signal)> on_first_signal;
  /// Requested: unless a signal has asked it before, it is asked to end by SIGTERM, with all that
  /// it has started, and ended after kStopGrace.
  std::stop_token stop{};
  CommandHold* hold = nullptr;
  LineHandler on_output_line;  ///< all of them are called from the calling thread
  LineHandler on_error_line;
};

struct CommandResult {
  End end;
  /// What it left behind kept its output open for kOutputGrace. It goes on, but nobody reads what
  /// it prints.
  bool output_held = false;
  /// Something that it printed could not be printed, other than that nobody reads it.
  std::optional<Error> output_error;
};

/// Runs a command to its end. What it prints goes to our standard output and error unchanged and at
/// once; from what comes after a failed write it is cut off, as if it had the stream itself.
/// Errors: those of `start`.
[[nodiscard]] Result<CommandResult> run_command(const CommandRequest& request);

}  // namespace weir::tool
