#include "tool/launcher_image.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>

// The program itself, as it was linked.
__asm__(
    ".pushsection .rodata\n"
    ".balign 16\n"
    "weir_launcher_begin:\n"
    ".incbin \"" WEIR_LAUNCHER
    "\"\n"
    "weir_launcher_end:\n"
    ".popsection\n"
    ".globl weir_launcher_begin, weir_launcher_end\n"
    ".hidden weir_launcher_begin, weir_launcher_end\n");

extern "C" {
extern const char weir_launcher_begin[];
extern const char weir_launcher_end[];
}

namespace weir::tool {
namespace {

int make_image() {
  constexpr unsigned kExecutable = 0x10;  // MFD_EXEC, which kernels before 6.3 do not know
  constexpr auto kName = "weir-launcher";
  int file = static_cast<int>(::syscall(SYS_memfd_create, kName, MFD_CLOEXEC | kExecutable));
  if (file < 0) file = static_cast<int>(::syscall(SYS_memfd_create, kName, MFD_CLOEXEC));
  if (file < 0) return -1;
  const char* rest = weir_launcher_begin;
  while (rest != weir_launcher_end) {
    const auto written = ::write(file, rest, static_cast<std::size_t>(weir_launcher_end - rest));
    if (written <= 0) {
      ::close(file);
      return -1;
    }
    rest += written;
  }
  return file;
}

}  // namespace

int launcher() {
  static const int image = make_image();
  return image;
}

}  // namespace weir::tool
