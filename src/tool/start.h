#pragma once

#include <sys/types.h>

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
  Descriptor exit;  ///< can be read when the program has ended
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
[[nodiscard]] End reap(const Started& started);

}  // namespace weir::tool
