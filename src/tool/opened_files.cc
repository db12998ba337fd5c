#include "tool/opened_files.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <seccomp.h>
#include <sys/socket.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

namespace weir::tool {
namespace {

using Use = FileAccess::Use;

/// What a call that opens a file says.
struct Opening {
  pid_t process = -1;
  std::string path;
  std::string folder;  ///< that a relative path begins in: a link of /proc
  std::uint64_t flags = 0;
};

/// A text of another process; empty: it cannot be read.
std::string read_text(pid_t process, std::uint64_t address) {
  const Descriptor memory(
      ::open(("/proc/" + std::to_string(process) + "/mem").c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, PATH_MAX> buffer{};
  const auto got =
      ::pread(memory.number(), buffer.data(), buffer.size(), static_cast<off_t>(address));
  if (got <= 0) return {};
  return {buffer.data(), ::strnlen(buffer.data(), static_cast<std::size_t>(got))};
}

bool opens(const seccomp_notif& call) {
  return call.data.nr == SCMP_SYS(open) || call.data.nr == SCMP_SYS(openat) ||
         call.data.nr == SCMP_SYS(creat);
}

std::string name_of(const seccomp_notif& call) {
  const std::unique_ptr<char, void (*)(void*)> name(
      ::seccomp_syscall_resolve_num_arch(call.data.arch, call.data.nr), &std::free);
  return name ? name.get() : std::to_string(call.data.nr);
}

Opening opening_of(const seccomp_notif& call) {
  Opening opening{.process = static_cast<pid_t>(call.pid)};
  const auto& arguments = call.data.args;
  const bool is_at = call.data.nr == SCMP_SYS(openat);
  const auto process = "/proc/" + std::to_string(call.pid);
  const auto folder = static_cast<std::int32_t>(arguments[0]);
  opening.folder =
      is_at && folder != AT_FDCWD ? process + "/fd/" + std::to_string(folder) : process + "/cwd";
  opening.path = read_text(opening.process, arguments[is_at ? 1 : 0]);
  opening.flags =
      call.data.nr == SCMP_SYS(creat) ? O_CREAT | O_WRONLY | O_TRUNC : arguments[is_at ? 2 : 1];
  return opening;
}

/// Where the call leads, without links; nothing: nowhere, or nobody knows.
std::optional<std::filesystem::path> place_of(const Opening& opening) {
  auto path = opening.path.starts_with('/') ? std::filesystem::path(opening.path)
                                            : std::filesystem::path(opening.folder) / opening.path;
  // To us these are our own.
  for (const auto* own : {"/proc/self", "/proc/thread-self"}) {
    const auto rest = path.lexically_normal().lexically_relative(own);
    if (rest.empty() || *rest.begin() == "..") continue;
    path = std::filesystem::path("/proc") / std::to_string(opening.process) / rest;
  }
  std::error_code error;
  auto real = std::filesystem::canonical(path, error);
  if (!error) return real;
  if (error == std::errc::permission_denied) return path.lexically_normal();
  if ((opening.flags & O_CREAT) == 0) return {};
  const auto folder = std::filesystem::canonical(path.parent_path(), error);
  if (error) return {};
  return folder / path.filename();
}

Use use_of(const Opening& opening, const std::filesystem::path& place) {
  std::error_code ignored;
  const bool is_there = std::filesystem::exists(place, ignored);
  if ((opening.flags & O_CREAT) != 0 && !is_there) return Use::kMakes;
  const bool only_reads = (opening.flags & O_ACCMODE) == O_RDONLY && (opening.flags & O_TRUNC) == 0;
  return only_reads ? Use::kReads : Use::kWrites;
}

/// As libseccomp allocates them: the kernel's may be larger than those we know.
struct Exchange {
  Exchange() { seccomp_notify_alloc(&call, &answer); }
  ~Exchange() { seccomp_notify_free(call, answer); }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  seccomp_notif* call = nullptr;
  seccomp_notif_resp* answer = nullptr;
};

}  // namespace

std::optional<OpenedFiles::Refused> OpenedFiles::take() {
  const Exchange exchange;
  if (exchange.call == nullptr || exchange.answer == nullptr ||
      seccomp_notify_receive(listener_.number(), exchange.call) != 0) {
    return {};  // it has gone meanwhile
  }
  if (!opens(*exchange.call)) return Refused{.call = name_of(*exchange.call)};
  std::optional<Refused> refused;
  const auto opening = opening_of(*exchange.call);
  // A descriptor without rights is no access.
  const bool looks_only = (opening.flags & O_PATH) != 0;
  if (const auto place = looks_only ? std::nullopt : place_of(opening)) {
    const auto how = access_.judge(*place, use_of(opening, *place));
    const bool is_there = seccomp_notify_id_valid(listener_.number(), exchange.call->id) == 0;
    if (how != FileAccess::Attempt::kAllowed && is_there) refused = {.path = *place, .how = how};
  }
  exchange.answer->id = exchange.call->id;
  exchange.answer->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  seccomp_notify_respond(listener_.number(), exchange.answer);
  return refused;
}

namespace {

/// A message with room for one descriptor.
struct Parcel {
  Parcel() {
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = room.data();
    message.msg_controllen = room.size();
  }
  char byte = 0;
  iovec part{.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> room{};
  msghdr message{};
};

}  // namespace

void send_listener(int socket, const Descriptor& listener) {
  if (!listener.is_open()) return;
  Parcel parcel;
  auto* const header = CMSG_FIRSTHDR(&parcel.message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  const int number = listener.number();
  std::memcpy(CMSG_DATA(header), &number, sizeof number);
  static_cast<void>(::sendmsg(socket, &parcel.message, MSG_NOSIGNAL));
}

Descriptor receive_listener(int socket) {
  Parcel parcel;
  if (::recvmsg(socket, &parcel.message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) <= 0) return {};
  const auto* const header = CMSG_FIRSTHDR(&parcel.message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return {};
  int number = -1;
  std::memcpy(&number, CMSG_DATA(header), sizeof number);
  return Descriptor(number);
}

}  // namespace weir::tool
