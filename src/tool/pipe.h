#pragma once

#include <csignal>

#include "base/descriptor.h"
#include "base/result.h"

namespace weir::tool {

struct Pipe {
  Descriptor read;
  Descriptor write;
};

/// Both ends are closed in programs that are started. Errors: kIo.
[[nodiscard]] Result<Pipe> make_pipe();

void make_nonblocking(const Descriptor& descriptor);

/// While it lives, a write to a program that reads no more gives EPIPE, and not the signal, in this
/// thread.
class WithoutSigpipe {
 public:
  WithoutSigpipe();
  ~WithoutSigpipe();
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;

 private:
  sigset_t pipe_{};
  sigset_t before_{};
};

}  // namespace weir::tool
