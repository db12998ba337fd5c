#pragma once

#include <sys/types.h>

namespace weir::tool {

/// What the processes that start a program say of it. Written at once, so that two writers do not
/// mix.
struct Told {
  pid_t process = 0;  ///< the program's; 0: not said here
  int error = 0;      ///< an errno: it could not be started
};

}  // namespace weir::tool
