// weir_disk COUNT [FIRST_SEED]: runs so many schedules on simulated disks. The first that breaks a
// promise ends it, with its seed: `weir_disk 1 SEED` repeats that one and says
// what happens in it.

#include <charconv>
#include <cstdio>
#include <cstring>

#include "tests/disk/schedule.h"

namespace {

bool read_number(const char* text, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text, text + std::strlen(text), number);
  return error == std::errc() && *end == '\0';
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t count = 0, first = 1;
  if (argc < 2 || argc > 3 || !read_number(argv[1], count) ||
      (argc == 3 && !read_number(argv[2], first))) {
    std::fprintf(stderr, "usage: weir_disk COUNT [FIRST_SEED]\n");
    return 2;
  }
  weir::disk::ScheduleReport sum;
  for (auto seed = first; seed < first + count; ++seed) {
    const auto report = weir::disk::run_schedule(seed, count == 1 ? stderr : nullptr);
    sum.acknowledged += report.acknowledged;
    sum.power_failures += report.power_failures;
    sum.kills += report.kills;
    sum.failed_commits += report.failed_commits;
    if (report.broken) {
      std::fprintf(stderr, "seed %llu: %s\n", static_cast<unsigned long long>(seed),
                   report.broken->c_str());
      return 1;
    }
  }
  std::printf(
      "%llu schedules: %llu events acknowledged, %llu commits failed, %llu processes killed, "
      "%llu power failures; every promise kept\n",
      static_cast<unsigned long long>(count), static_cast<unsigned long long>(sum.acknowledged),
      static_cast<unsigned long long>(sum.failed_commits),
      static_cast<unsigned long long>(sum.kills),
      static_cast<unsigned long long>(sum.power_failures));
  return 0;
}
