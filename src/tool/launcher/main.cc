// Starts a program as a child of its own parent, which has made it and waits for both. It is so
// small that what the kernel counts as the most memory of the program is the program's: a child
// begins with the memory of the process that it was, and that of Weir may be large.
//
//   launcher REPORT OWN PATH COMMAND...
//
//   REPORT  a descriptor to which Told is written, once or twice, and which the program has not
//   OWN     1: the program gets a process group of its own
//   PATH    where the program is looked for, whatever its own environment says
//
// Without the C library, whose beginning takes three times as long as all of this.

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <csignal>
#include <cstdint>

#include "tool/launcher/told.h"

namespace {

using weir::tool::Told;

// NOLINTBEGIN(misc-const-correctness): what the assembler writes
/// A system call: what it gives, below 0 for an errno.
long call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0) {
#if defined(__x86_64__)
  long result = number;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  __asm__ volatile("syscall"
                   : "+a"(result)
                   : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                   : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
  return x0;
#else
#error "how this processor calls the kernel is to be added here"
#endif
}

// NOLINTEND(misc-const-correctness)

long address(const void* of) { return reinterpret_cast<long>(of); }

[[noreturn]] void end(int report, const Told& told, int exit_code) {
  call(SYS_write, report, address(&told), sizeof told);
  while (true) call(SYS_exit_group, exit_code);
}

int execute(const char* file, char** command, char** environment) {
  return static_cast<int>(-call(SYS_execve, address(file), reinterpret_cast<long>(command),
                                reinterpret_cast<long>(environment)));
}

/// A script that names no interpreter is the shell's. `command[-1]` is ours to write.
int execute_or_read(char* file, char** command, char** environment) {
  const int failure = execute(file, command, environment);
  if (failure != ENOEXEC) return failure;
  static char shell[] = "/bin/sh";
  command[0] = file;
  command[-1] = shell;
  return execute(shell, command - 1, environment);
}

/// Writes `folder/name`, or `name` where the folder is empty. False: it is too long.
bool join(const char* folder, const char* folder_end, const char* name, char* path,
          const char* path_end) {
  const bool is_here = folder == folder_end;
  for (; folder != folder_end && path != path_end; ++folder) *path++ = *folder;
  if (path == path_end) return false;
  if (!is_here) *path++ = '/';
  while (path != path_end) {
    *path++ = *name;
    if (*name++ == '\0') return true;
  }
  return false;
}

/// As execvpe: what is not in one folder may be in the next. Gives an errno.
int look_for(const char* places, char** command, char** environment) {
  for (char* c = command[0]; *c != '\0'; ++c) {
    if (*c == '/') return execute_or_read(command[0], command, environment);
  }
  const char* const name = command[0];
  int failure = ENOENT;
  if (*name == '\0') return failure;
  for (const char* begin = places;; ++begin) {
    const char* end = begin;
    while (*end != '\0' && *end != ':') ++end;
    static char path[4096];
    if (join(begin, end, name, path, path + sizeof path)) {
      const int now = execute_or_read(path, command, environment);
      if (now == EACCES) {
        failure = now;  // said if there is none to execute anywhere
      } else if (now != ENOENT && now != ENOTDIR && now != ESTALE && now != ENODEV &&
                 now != ETIMEDOUT) {
        return now;
      }
    }
    if (*end == '\0') return failure;
    begin = end;
  }
}

}  // namespace

extern "C" [[noreturn]] void launch(char** stack) {
  enum : std::int8_t { kReport = 2, kOwn, kPath, kCommand };  // after the count and our own name
  int report = 0;
  for (const char* digit = stack[kReport]; *digit != '\0'; ++digit) {
    report = 10 * report + (*digit - '0');
  }
  const long count = address(stack[0]);
  char** const environment = stack + count + 2;
  const long parent = call(SYS_getppid);
  // Not as fork: the child would be ours.
  const long process = call(SYS_clone, CLONE_PARENT | SIGCHLD);
  if (process < 0) end(report, {.error = static_cast<int>(-process)}, 1);
  if (process > 0) end(report, {.process = static_cast<pid_t>(process)}, 0);
  // Both say it, so that it is known if one of them is killed here.
  const Told told{.process = static_cast<pid_t>(call(SYS_getpid))};
  call(SYS_write, report, address(&told), sizeof told);
  call(SYS_fcntl, report, F_SETFD, FD_CLOEXEC);
  if (*stack[kOwn] == '1') call(SYS_setpgid, 0, 0);
  call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
  // It died before the line above.
  if (call(SYS_getppid) != parent) end(report, {.error = ESRCH}, 127);
  end(report, {.error = look_for(stack[kPath], stack + kCommand, environment)}, 127);
}

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n  mov %rsp, %rdi\n  and $-16, %rsp\n  call launch\n");
#else
__asm__(".globl _start\n_start:\n  mov x0, sp\n  bl launch\n");
#endif
