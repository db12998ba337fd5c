#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/descriptor.h"
#include "tool/file_access.h"

namespace weir::tool {

/// Hears of each file that a confined plugin opens, before it does (seccomp_unotify(2)), and of
/// each call that it may not make. Of files it refuses none itself: Landlock does, and a path may
/// be another one by the time that the kernel reads it.
class OpenedFiles {
 public:
  /// `listener` is that of system_calls.h, or none: then nothing is heard.
  OpenedFiles(Descriptor listener, FileAccess access)
      : listener_(std::move(listener)), access_(std::move(access)) {}

  /// Can be read when a call waits; -1: none ever will.
  [[nodiscard]] int number() const { return listener_.number(); }

  struct Refused {
    std::filesystem::path path;
    FileAccess::Attempt how{};
    std::string call{};  ///< the name of a call that nobody may make; it waits for the end
  };
  void close() { listener_.close(); }
  /// Takes one call that waits, and lets it go on if it opens a file. Nothing: it opens what it
  /// may, or what is not there.
  [[nodiscard]] std::optional<Refused> take();

 private:
  Descriptor listener_;
  FileAccess access_;
};

/// Gives the listener of the process that is confined to its supervisor, over a socket.
void send_listener(int socket, const Descriptor& listener);
/// None, if there was none.
[[nodiscard]] Descriptor receive_listener(int socket);

}  // namespace weir::tool
