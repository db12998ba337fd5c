#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "tool/tool.h"

namespace weir::tool {

/// How long a program has from SIGTERM to SIGKILL, and what it left behind to close its output.
inline constexpr std::chrono::seconds kGrace{2};

/// A longer line of standard error comes in pieces.
inline constexpr std::size_t kMaxLogLine = std::size_t{8} << 10;

struct ProcessRequest {
  std::vector<std::string> command;  ///< program (found on PATH) and arguments; not a shell's
  std::filesystem::path folder;      ///< working directory
  std::vector<std::pair<std::string, std::string>> environment;  ///< added to this process's
  std::string_view input;                                        ///< for its standard input
  std::size_t max_output_bytes = kMaxPayloadBytes;
  std::stop_token stop;
  /// Lines of standard error without their newline, at most kMaxLogLine; the flag says that the
  /// line goes on. Called from the calling thread.
  std::function<void(std::string_view line, bool continues)> on_error_line;
};

struct ProcessResult {
  std::string output;             ///< standard output, up to max_output_bytes
  bool output_too_large = false;  ///< there was more, so it was stopped
  bool stopped = false;           ///< on request
  /// It ended, but what it had started kept its output open for kGrace: that was killed, and what
  /// it may have printed later is lost.
  bool output_held = false;
  std::optional<int> exit_code;  ///< if it exited
  std::optional<int> signal;     ///< if a signal ended it
  Usage usage;
};

/// Runs a program to its end, in a process group of its own, which is ended with it: by SIGTERM,
/// after kGrace by SIGKILL. If this process dies, the program gets SIGKILL. Errors: kNotFound,
/// kIo when it could not be started.
[[nodiscard]] Result<ProcessResult> run_process(const ProcessRequest& request);

}  // namespace weir::tool
