#include "base/result.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace weir {

std::unexpected<Error> fail_errno(std::string_view what) {
  const int number = errno;
  ErrorCode code = ErrorCode::kIo;
  if (number == ENOSPC || number == EDQUOT) code = ErrorCode::kExhausted;
  if (number == ENOENT) code = ErrorCode::kNotFound;
  char buffer[128];
  return fail(code, std::string(what) + ": " + strerror_r(number, buffer, sizeof buffer));
}

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "weir: bug: %s does not hold at %s:%d\n", condition, file, line);
  std::abort();
}

}  // namespace weir
