#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tool/tool.h"

/// A plugin's processes have a parent of their own, `weir supervise`: one thread, which confines
/// them, watches what they use, stops them at their limits, and ends all of them with itself.
///
///   weir ──► supervisor ──► plugin ──► what it starts
///     ◄── control ──┘                        │
///     ◄──────── standard streams ────────────┘
///
/// They are one process group. When weir dies, the control socket closes, and they are killed.
namespace weir::tool {

/// What a supervisor says on its control socket, one JSON object a packet.
struct Report {
  /// Of kSandbox: it was stopped for this.
  std::string violation{};
  std::string message{};  ///< of a violation, or why it could not be started
  bool started = true;
  std::optional<int> exit_code{};  ///< if it exited
  std::optional<int> signal{};     ///< if a signal ended it
  Usage usage{};
  std::vector<std::string> refused_files{};  ///< some of those that it opened and may not have
};

[[nodiscard]] std::string to_json(const Report& report);
/// Errors: kInvalidInput.
[[nodiscard]] Result<Report> report_from_json(std::string_view text);

/// What is said to it: a call begins, for which the limits and what is used are counted anew; and
/// it has ended, which is answered by a report without an end.
inline constexpr std::string_view kCallBegins = "begin";
inline constexpr std::string_view kCallEnded = "end";

/// `weir supervise POLICY COMMAND [WORD…]`, with its control socket as descriptor kControl. The
/// plugin has its standard streams, folder and environment. Returns only when it could not begin.
int supervise(int argc, char** argv);

/// The hidden command's name.
inline constexpr std::string_view kSuperviseCommand = "supervise";

}  // namespace weir::tool
