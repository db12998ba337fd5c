#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "tool/pipe.h"
#include "tool/tool.h"

namespace weir::tool {

/// What to start, and what it has of ours.
struct Program {
  enum class Standing : std::uint8_t {
    kOwn,   ///< a process group of its own, signals as if nothing was ever set
    kOurs,  ///< our process group, so that the terminal is its terminal; what we ignore it ignores
  };
  const std::vector<std::string>&
      command;  ///< program (found on PATH) and arguments; not a shell's
  const Environment& environment;
  std::filesystem::path folder;  ///< working directory; empty: ours
  Standing standing = Standing::kOwn;
  int in = 0;  ///< descriptors that become its standard streams
  int out = 1;
  int error = 2;
  int control = -1;  ///< not -1: becomes descriptor kControl of the program
  enum class Variables : std::uint8_t {
    kAdded,  ///< `environment` is added to this process's
    kAlone,
  };
  Variables variables = Variables::kAdded;
};

/// The first after the standard streams.
inline constexpr int kControl = 3;

struct Started {
  pid_t process = -1;
  Descriptor exit{};  ///< can be read when the program has ended
  /// What this process had in memory when it was forked.
  std::int64_t copied_bytes = 0;
};

/// The most that a program has in memory. What the kernel counts begins with the copy of this
/// process that the program was before exec, which may be far more: so it is asked while the
/// program runs, and ever less often. Of one that ends before it is asked, and has less than the
/// copy, nothing is known.
///
/// Threads  One.
class MemoryWatch {
 public:
  using Clock = std::chrono::steady_clock;

  /// When to ask next.
  [[nodiscard]] Clock::time_point due() const { return due_; }
  /// Asks, if it is time.
  void look(pid_t process);
  /// `counted` by the kernel until the end.
  [[nodiscard]] std::optional<std::int64_t> peak(const Started& started,
                                                 std::int64_t counted) const;

 private:
  static constexpr std::chrono::milliseconds kFirst{2}, kLongest{1000};
  Clock::time_point due_ = Clock::now() + kFirst;
  std::chrono::milliseconds pause_ = kFirst;
  std::int64_t seen_bytes_ = 0;
};

/// If this thread dies, the program gets SIGKILL. Errors: kNotFound (no such program or folder),
/// kInvalidInput (it cannot be executed, or has a NUL in a text), kIo (no process for it).
[[nodiscard]] Result<Started> start(const Program& program);

struct End {
  std::optional<int> exit_code;  ///< if it exited
  std::optional<int> signal;     ///< if a signal ended it
  Usage usage;
};

/// Fills in what a process, and the children it has waited for, read and wrote, where the kernel
/// tells.
void add_transfers(pid_t process, Usage& usage);

/// Of a program that has ended, once.
[[nodiscard]] End reap(const Started& started, const MemoryWatch& memory);

}  // namespace weir::tool
