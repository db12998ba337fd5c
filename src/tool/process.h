#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tool/line_splitter.h"
#include "tool/start.h"
#include "tool/tool.h"

namespace weir::tool {

/// How long a program has from SIGTERM to SIGKILL, and what it left behind to close its output.
inline constexpr std::chrono::seconds kGrace{2};

struct ProcessRequest {
  std::vector<std::string> command;  ///< program (found on PATH) and arguments; not a shell's
  std::filesystem::path folder;      ///< working directory
  Environment environment;           ///< added to this process's, as `variables` says
  Program::Variables variables = Program::Variables::kAdded;
  int control = -1;        ///< as Program's
  std::string_view input;  ///< for its standard input
  std::size_t max_output_bytes = kMaxPayloadBytes;
  std::optional<std::size_t> max_error_bytes{};         ///< of standard error; none: any
  std::optional<std::chrono::milliseconds> max_time{};  ///< then it is ended
  std::stop_token stop;
  LineHandler on_error_line;   ///< called from the calling thread, as is:
  LineHandler on_output_line;  ///< of what becomes ProcessResult::output, as it comes
  /// Takes the end that is written of its standard input, in place of `input`, when it has started.
  std::function<void(Descriptor)> on_input{};
  /// Takes what it prints, in place of ProcessResult::output. False: no more is wanted, and whoever
  /// prints more gets SIGPIPE. From the calling thread, which waits meanwhile.
  std::function<bool(std::string_view)> on_output{};
  /// Called before it gets SIGKILL while it lives, and SIGKILL waits for it: nobody can ask it
  /// anything afterwards.
  std::function<void()> on_kill{};
};

struct ProcessResult {
  std::string output;             ///< standard output, up to max_output_bytes
  bool output_too_large = false;  ///< there was more, on either stream, so it was stopped
  bool timed_out = false;         ///< after max_time, so it was stopped
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
