#include "base/print.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <mutex>

namespace weir {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

enum class Room : std::uint8_t { kNone, kSome };

/// Whether a write of PIPE_BUF bytes would not wait, after at most `patience`; none: for ever.
Room wait_for_room(int descriptor, std::optional<milliseconds> patience) {
  constexpr milliseconds kLongest{INT_MAX};
  pollfd watched{.fd = descriptor, .events = POLLOUT, .revents = 0};
  const auto timeout =
      patience ? static_cast<int>(std::clamp(*patience, milliseconds(0), kLongest).count()) : -1;
  const int ready = ::poll(&watched, 1, timeout);
  return ready > 0 ? Room::kSome : Room::kNone;
}

/// Between a look for room and the write nobody else may take it.
ssize_t write_if_room(int descriptor, std::string_view text) {
  static std::mutex one;
  const std::lock_guard lock(one);
  if (wait_for_room(descriptor, milliseconds(0)) == Room::kSome) {
    return ::write(descriptor, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
  }
  errno = EAGAIN;
  return -1;
}

std::unexpected<Error> fail_print() {
  const bool is_gone = errno == EPIPE || errno == EIO;  // of a terminal that was closed
  auto failure = fail_errno("print");
  if (is_gone) failure.error().code = ErrorCode::kUnavailable;
  return failure;
}

}  // namespace

Result<void> print(int descriptor, std::string_view text, std::optional<milliseconds> patience) {
  const auto begun = SteadyClock::now();
  while (!text.empty()) {
    const auto written = write_if_room(descriptor, text);
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN || errno == EINTR) {
      const auto left = [&] {
        return *patience - std::chrono::floor<milliseconds>(SteadyClock::now() - begun);
      };
      if (patience && left() <= milliseconds(0)) {
        return fail(ErrorCode::kExhausted, "print: nobody reads");
      }
      wait_for_room(descriptor, patience ? std::optional(left()) : std::nullopt);
    } else {
      return fail_print();
    }
  }
  return {};
}

bool has_lost_reader(int descriptor) {
  pollfd watched{.fd = descriptor, .events = 0, .revents = 0};
  return ::poll(&watched, 1, 0) > 0;
}

}  // namespace weir
