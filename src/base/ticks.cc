#include "base/ticks.h"

#include <algorithm>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace weir {
namespace {

/// So many ticks are a microsecond or two: enough for two calls of the clock, and too few for
/// anything else to have come between.
constexpr std::uint64_t kQuick = 5000;

}  // namespace

bool has_ticks() {
#if defined(__x86_64__)
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(0x80000007, &eax, &ebx, &ecx, &edx) != 0 && (edx >> 8 & 1) != 0;
#else
  return false;
#endif
}

TickConverter::TickConverter(const Clock& clock)
    : clock_(clock), older_(read()), middle_(older_), last_(older_) {}

/// The quickest of some: one that was interrupted says a wrong time.
TickConverter::Reading TickConverter::read() const {
  Reading best;
  for (int i = 0; i < 8 && best.took > kQuick; ++i) {
    const auto before = read_ticks();
    const auto monotonic = clock_.monotonic();
    const auto time = clock_.now();
    const auto took = read_ticks() - before;
    if (took >= best.took) continue;
    best = {.ticks = before + took / 2, .took = took, .monotonic = monotonic, .time = time};
  }
  return best;
}

void TickConverter::sync() {
  constexpr std::chrono::seconds kBaseline{1};
  constexpr std::uint64_t kFresh = 1'000'000;
  constexpr std::uint64_t kShortest = 200'000;
  if (us_per_tick_ > 0 && read_ticks() - last_.ticks < kFresh) return;
  while (read_ticks() - older_.ticks < kShortest) {  // no rate without some time between
  }
  const auto reading = read();
  if (reading.took > std::max(kQuick, last_.took)) return;  // the last one still says more
  last_ = reading;
  if (last_.monotonic - middle_.monotonic >= kBaseline) {
    older_ = middle_;
    middle_ = last_;
  }
  const std::chrono::duration<double, std::micro> passed = last_.monotonic - older_.monotonic;
  const auto ticks = static_cast<double>(last_.ticks - older_.ticks);
  if (ticks > 0) us_per_tick_ = passed.count() / ticks;
}

}  // namespace weir
