#include "tool/system_calls.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <span>
#include <string>

namespace weir::tool {
namespace {

/// Nobody who computes needs these: other processes' memory, mounts, the kernel itself.
constexpr int kForbidden[] = {SCMP_SYS(ptrace),
                              SCMP_SYS(process_vm_readv),
                              SCMP_SYS(process_vm_writev),
                              SCMP_SYS(kcmp),
                              SCMP_SYS(pidfd_getfd),
                              SCMP_SYS(process_madvise),
                              SCMP_SYS(mount),
                              SCMP_SYS(umount2),
                              SCMP_SYS(pivot_root),
                              SCMP_SYS(chroot),
                              SCMP_SYS(open_tree),
                              SCMP_SYS(move_mount),
                              SCMP_SYS(fsopen),
                              SCMP_SYS(fsconfig),
                              SCMP_SYS(fsmount),
                              SCMP_SYS(fspick),
                              SCMP_SYS(mount_setattr),
                              SCMP_SYS(open_by_handle_at),
                              SCMP_SYS(unshare),
                              SCMP_SYS(setns),
                              SCMP_SYS(bpf),
                              SCMP_SYS(perf_event_open),
                              SCMP_SYS(userfaultfd),
                              SCMP_SYS(add_key),
                              SCMP_SYS(request_key),
                              SCMP_SYS(keyctl),
                              SCMP_SYS(init_module),
                              SCMP_SYS(finit_module),
                              SCMP_SYS(delete_module),
                              SCMP_SYS(kexec_load),
                              SCMP_SYS(kexec_file_load),
                              SCMP_SYS(reboot),
                              SCMP_SYS(swapon),
                              SCMP_SYS(swapoff),
                              SCMP_SYS(acct),
                              SCMP_SYS(quotactl),
                              SCMP_SYS(settimeofday),
                              SCMP_SYS(clock_settime),
                              SCMP_SYS(clock_adjtime),
                              SCMP_SYS(adjtimex),
                              SCMP_SYS(sethostname),
                              SCMP_SYS(setdomainname),
                              SCMP_SYS(syslog),
                              SCMP_SYS(fanotify_init),
                              SCMP_SYS(iopl),
                              SCMP_SYS(ioperm),
                              SCMP_SYS(lookup_dcookie),
                              SCMP_SYS(vhangup)};

/// Programs try these and do without: memory and files that no limit counts, a way around filters,
/// and clone3, whose flags a filter cannot see. (glibc then calls clone.)
constexpr int kMissing[] = {
    SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register),
    SCMP_SYS(memfd_create),   SCMP_SYS(memfd_secret),   SCMP_SYS(clone3),
    SCMP_SYS(openat2),        SCMP_SYS(shmget),         SCMP_SYS(msgget),
    SCMP_SYS(semget),         SCMP_SYS(mq_open)};

/// Who leaves the process group would not be ended with it.
constexpr int kRefused[] = {SCMP_SYS(setsid), SCMP_SYS(setpgid)};

constexpr int kOpens[] = {SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(creat)};

constexpr int kSignals[] = {SCMP_SYS(kill), SCMP_SYS(tkill), SCMP_SYS(rt_sigqueueinfo),
                            SCMP_SYS(rt_tgsigqueueinfo), SCMP_SYS(pidfd_send_signal)};

constexpr std::uint64_t kNamespaces[] = {CLONE_NEWNS,  CLONE_NEWUTS, CLONE_NEWIPC,   CLONE_NEWUSER,
                                         CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWCGROUP};

/// What an argument of a call is compared with. (libseccomp's own macros for it are C's.)
scmp_arg_cmp argument(unsigned number, scmp_compare compare, scmp_datum_t datum,
                      scmp_datum_t other = 0) {
  return {.arg = number, .op = compare, .datum_a = datum, .datum_b = other};
}

class Filter {
 public:
  /// With `tells`, of files that are opened and of calls that would kill: these wait, then, until
  /// whoever hears of them ends the process.
  Filter(const CallRules& rules, bool tells)
      : context_(::seccomp_init(SCMP_ACT_ALLOW), &::seccomp_release), tells_(tells) {
    const bool kills = rules.forbidden == CallRules::Forbidden::kKills;
    forbidden_ = !kills ? SCMP_ACT_ERRNO(EPERM) : tells ? SCMP_ACT_NOTIFY : SCMP_ACT_KILL_PROCESS;
  }

  Result<Descriptor> load(const CallRules& rules) {
    if (!context_) return fail(ErrorCode::kUnavailable, "libseccomp cannot make a filter");
    // Calls by the numbers of another architecture are not looked at, so they are not made.
    note(::seccomp_attr_set(context_.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS));
    for (const int call : kForbidden) add(forbidden_, call);
    for (const int call : kMissing) add(SCMP_ACT_ERRNO(ENOSYS), call);
    for (const int call : kRefused) add(SCMP_ACT_ERRNO(EPERM), call);
    for (const auto flag : kNamespaces) {
      add(forbidden_, SCMP_SYS(clone), {argument(0, SCMP_CMP_MASKED_EQ, flag, flag)});
    }
    if (!rules.network) forbid_network();
    if (!rules.holds_signals) forbid_signals();
    if (!rules.holds_truncate) forbid_truncate();
    if (tells_) {
      for (const int call : kOpens) add(SCMP_ACT_NOTIFY, call);
    }
    if (error_ == 0) note(::seccomp_load(context_.get()));
    if (error_ == 0) return tells_ ? Descriptor(::seccomp_notify_fd(context_.get())) : Descriptor();
    errno = -error_;
    auto failed = fail_errno("seccomp");
    failed.error().code = ErrorCode::kUnavailable;
    return failed;
  }

 private:
  void note(int result) {
    if (error_ == 0 && result < 0) error_ = result;
  }
  void add(std::uint32_t action, int call, std::initializer_list<scmp_arg_cmp> arguments = {}) {
    const auto result = ::seccomp_rule_add_array(
        context_.get(), action, call, static_cast<unsigned>(arguments.size()), arguments.begin());
    if (result != -EDOM) note(result);  // EDOM: this architecture has no such call
  }

  /// Local sockets fail, since the C library asks its name service by one and does without it.
  void forbid_network() {
    add(SCMP_ACT_ERRNO(EACCES), SCMP_SYS(socket), {argument(0, SCMP_CMP_EQ, AF_UNIX)});
    add(forbidden_, SCMP_SYS(socket), {argument(0, SCMP_CMP_NE, AF_UNIX)});
  }

  /// A process may still signal itself, as abort() does; it is the first of its group that loads
  /// the filter, and its children can signal nobody.
  void forbid_signals() {
    for (const int call : kSignals) add(SCMP_ACT_ERRNO(EPERM), call);
    add(SCMP_ACT_ERRNO(EPERM), SCMP_SYS(tgkill),
        {argument(0, SCMP_CMP_NE, static_cast<scmp_datum_t>(::getpid()))});
  }

  void forbid_truncate() {
    constexpr std::uint64_t kMask = O_ACCMODE | O_TRUNC;
    constexpr std::uint64_t kOnlyCuts = O_RDONLY | O_TRUNC;
    add(SCMP_ACT_ERRNO(EACCES), SCMP_SYS(truncate));
    add(SCMP_ACT_ERRNO(EACCES), SCMP_SYS(open),
        {argument(1, SCMP_CMP_MASKED_EQ, kMask, kOnlyCuts)});
    add(SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat),
        {argument(2, SCMP_CMP_MASKED_EQ, kMask, kOnlyCuts)});
  }

  std::unique_ptr<void, void (*)(scmp_filter_ctx)> context_;
  bool tells_;
  std::uint32_t forbidden_ = 0;
  int error_ = 0;
};

}  // namespace

Result<Descriptor> enforce(const CallRules& rules) {
  // Who is held by its calls cannot be told of them.
  if (rules.holds_truncate && can_tell_calls()) {
    if (auto listener = Filter(rules, true).load(rules)) return listener;
  }
  return Filter(rules, false).load(rules);
}

namespace {

bool is_available(std::uint32_t action) {
  return ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

}  // namespace

bool can_filter_calls() { return is_available(SECCOMP_RET_KILL_PROCESS); }

bool can_tell_calls() { return is_available(SECCOMP_RET_USER_NOTIF); }

}  // namespace weir::tool
