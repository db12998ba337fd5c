#pragma once

#include <sys/wait.h>
#include <unistd.h>

/// For tests of what a forked child can do.
namespace weir::record::testing_support {

/// Whether `function` returns true in a forked child, where it has a minute.
template <class Function>
bool holds_in_child(Function function) {
  const auto child = ::fork();
  if (child == 0) {
    ::alarm(60);
    ::_exit(function() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace weir::record::testing_support
