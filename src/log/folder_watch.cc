#include "log/folder_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace weir::log {

Result<FolderWatch> FolderWatch::on(const std::filesystem::path& folder) {
  Descriptor descriptor(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!descriptor.is_open()) return fail_errno("watch " + folder.string());
  constexpr std::uint32_t kWanted =
      IN_MODIFY | IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
  if (::inotify_add_watch(descriptor.number(), folder.c_str(), kWanted) < 0) {
    return fail_errno("watch " + folder.string());
  }
  return FolderWatch(std::move(descriptor));
}

FolderWatch::Changes FolderWatch::take() {
  constexpr std::size_t kBufferBytes = std::size_t{16} << 10;
  std::array<char, kBufferBytes> buffer;
  Changes changes;
  const auto got = ::read(descriptor_.number(), buffer.data(), buffer.size());
  if (got <= 0) {
    // Whatever else it says, it will say again: it is of no use any more.
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      changes.incomplete = descriptor_.is_open();
      descriptor_.close();
    }
    return changes;
  }
  constexpr std::uint32_t kGone = IN_IGNORED | IN_UNMOUNT | IN_DELETE_SELF | IN_MOVE_SELF;
  bool gone = false;
  for (auto rest = std::string_view(buffer.data(), static_cast<std::size_t>(got));
       rest.size() >= sizeof(inotify_event);) {
    inotify_event record{};
    std::memcpy(&record, rest.data(), sizeof record);
    rest.remove_prefix(sizeof record);
    const auto padded = rest.substr(0, record.len);
    rest.remove_prefix(padded.size());
    const auto name = padded.substr(0, padded.find('\0'));
    if (!name.empty() && (changes.names.empty() || changes.names.back() != name)) {
      changes.names.emplace_back(name);
    }
    gone = gone || (record.mask & kGone) != 0;
    changes.incomplete = changes.incomplete || gone || (record.mask & IN_Q_OVERFLOW) != 0;
  }
  if (gone) descriptor_.close();
  return changes;
}

}  // namespace weir::log
