#include "base/priority.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

namespace weir {
namespace {

/// The first version of the kernel's struct sched_attr.
struct Attributes {
  std::uint32_t size = sizeof(Attributes);
  std::uint32_t policy = 0;  // SCHED_OTHER
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t realtime_priority = 0;
  std::uint64_t slice_ns = 0;
  std::uint64_t deadline_ns = 0;
  std::uint64_t period_ns = 0;
};

constexpr int kLowestNice = 19;
constexpr int kAskingNice = 10;
// The least and the greatest that there are. Who has slept, and has a shorter one than who runs,
// need not wait until that one's is over.
constexpr std::uint64_t kShortSliceNs = 100'000;
constexpr std::uint64_t kLongSliceNs = 100'000'000;

}  // namespace

void set_thread_priority(Priority priority) {
  Attributes attributes;
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0) return;
  if (attributes.policy != 0) return;  // somebody has chosen another one than SCHED_OTHER
  if (priority == Priority::kAsking) attributes.nice = std::max(attributes.nice, kAskingNice);
  if (priority == Priority::kBackground) attributes.nice = kLowestNice;
  attributes.slice_ns = priority == Priority::kPrompt ? kShortSliceNs : kLongSliceNs;
  syscall(SYS_sched_setattr, 0, &attributes, 0);
}

}  // namespace weir
