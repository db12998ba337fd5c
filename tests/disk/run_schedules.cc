#include "tests/disk/run_schedules.h"

#include <charconv>
#include <cstring>

namespace weir::disk {
namespace {

bool read_number(const char* text, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text, text + std::strlen(text), number);
  return error == std::errc() && *end == '\0';
}

}  // namespace

int run_schedules(int argc, char** argv,
                  const std::function<ScheduleReport(std::uint64_t seed, std::FILE* trace)>& run) {
  std::uint64_t count = 0, first = 1;
  if (argc < 2 || argc > 3 || !read_number(argv[1], count) ||
      (argc == 3 && !read_number(argv[2], first))) {
    std::fprintf(stderr, "usage: %s COUNT [FIRST_SEED]\n", argv[0]);
    return 2;
  }
  ScheduleReport sum;
  for (auto seed = first; seed < first + count; ++seed) {
    const auto report = run(seed, count == 1 ? stderr : nullptr);
    sum.acknowledged += report.acknowledged;
    sum.power_failures += report.power_failures;
    sum.kills += report.kills;
    sum.failed_commits += report.failed_commits;
    sum.compactions += report.compactions;
    sum.failed_compactions += report.failed_compactions;
    sum.lost_manifests += report.lost_manifests;
    sum.collections += report.collections;
    sum.deleted_runs += report.deleted_runs;
    sum.restored += report.restored;
    if (report.broken) {
      std::fprintf(stderr, "seed %llu: %s\n", static_cast<unsigned long long>(seed),
                   report.broken->c_str());
      return 1;
    }
  }
  const auto print = [](const char* what, std::uint64_t number) {
    std::printf(" %llu %s,", static_cast<unsigned long long>(number), what);
  };
  std::printf("%llu schedules:", static_cast<unsigned long long>(count));
  print("events acknowledged", sum.acknowledged);
  print("commits failed", sum.failed_commits);
  print("processes killed", sum.kills);
  print("power failures", sum.power_failures);
  if (sum.compactions > 0) {
    print("compactions", sum.compactions);
    print("ended early", sum.failed_compactions);
    print("manifests lost", sum.lost_manifests);
    print("collections", sum.collections);
    print("runs deleted", sum.deleted_runs);
    print("backups restored", sum.restored);
  }
  std::printf(" every promise kept\n");
  return 0;
}

}  // namespace weir::disk
