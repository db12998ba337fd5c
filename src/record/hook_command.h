#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace weir::record {

struct HookCommand {
  std::vector<std::string> command;  ///< program (found on PATH) and arguments; not a shell's
  std::string_view input;            ///< its standard input: a file that is read from the start
  std::vector<std::pair<std::string, std::string>> environment;  ///< added to this process's
  std::chrono::milliseconds timeout;
  std::stop_token stop;
};

struct HookCommandEnd {
  std::optional<int> exit_code;  ///< if it exited
  std::optional<int> signal;     ///< if a signal ended it
  bool timed_out = false;        ///< so it was killed
  bool stopped = false;          ///< on request, so it was killed
  std::string error_output;      ///< the end of what it wrote to standard error
};

/// Of a command's standard error, this much is kept: its last words.
inline constexpr std::size_t kMaxErrorOutput = std::size_t{4} << 10;

/// Runs a program to its end in a process group of its own. Its standard output is thrown away. At
/// its timeout, or when asked to stop, the group is killed (SIGKILL); what is left of the group
/// when the program ends, too. For pipelines there is tool::run_process, on a higher floor.
///
/// Errors: kNotFound, kIo when it could not be started.
[[nodiscard]] Result<HookCommandEnd> run_command(const HookCommand& command);

}  // namespace weir::record
