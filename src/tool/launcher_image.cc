#include "tool/launcher_image.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>

// The program itself, as it was linked.
__asm__(
    ".pushsection .rodata\n"
    ".balign 16\n"
    "kWeirLauncherBegin:\n"
    ".incbin \"" WEIR_LAUNCHER
    "\"\n"
    "kWeirLauncherEnd:\n"
    ".popsection\n"
    ".globl kWeirLauncherBegin, kWeirLauncherEnd\n"
    ".hidden kWeirLauncherBegin, kWeirLauncherEnd\n");

extern "C" {
extern const char kWeirLauncherBegin[];
extern const char kWeirLauncherEnd[];
}

namespace weir::tool {
namespace {

int make_image() {
  constexpr unsigned kExecutable = 0x10;  // MFD_EXEC, which kernels before 6.3 do not know
  constexpr auto kName = "weir-launcher";
  int file = static_cast<int>(::syscall(SYS_memfd_create, kName, MFD_CLOEXEC | kExecutable));
  if (file < 0) file = static_cast<int>(::syscall(SYS_memfd_create, kName, MFD_CLOEXEC));
  if (file < 0) return -1;
  const char* rest = kWeirLauncherBegin;
  while (rest != kWeirLauncherEnd) {
    const auto written = ::write(file, rest, static_cast<std::size_t>(kWeirLauncherEnd - rest));
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
