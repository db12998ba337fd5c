#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/id.h"
#include "log/store_directory.h"

/// What the benchmarks of budgets share: medians, and rows of the table.
namespace weir::bench {

using SteadyClock = std::chrono::steady_clock;
inline double seconds_since(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

inline double percentile(std::vector<double> values, double share) {
  const auto place = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + place, values.end());
  return values[static_cast<std::size_t>(place)];
}

inline double median_of(int rounds, const std::function<double()>& measure) {
  std::vector<double> values;
  for (int i = 0; i < rounds; ++i) values.push_back(measure());
  return percentile(values, 0.5);
}

inline void print_row(const char* what, double value, const char* unit, double budget,
                      bool at_least) {
  const bool pass = at_least ? value >= budget : value <= budget;
  std::printf("%-4s  %-58s %10.2f %-10s %s %g\n", pass ? "PASS" : "MISS", what, value, unit,
              at_least ? "≥" : "≤", budget);
  std::fflush(stdout);
}

inline void print_note(const char* what, double value, const char* unit) {
  std::printf("      %-58s %10.2f %s\n", what, value, unit);
  std::fflush(stdout);
}

/// A store that is gone when the object is.
class ScratchStore {
 public:
  explicit ScratchStore(const std::filesystem::path& folder = std::filesystem::current_path())
      : store(*log::StoreDirectory::create(folder / ("budget-" + std::to_string(random_bits())))) {}
  ~ScratchStore() { std::filesystem::remove_all(store.root()); }
  ScratchStore(const ScratchStore&) = delete;
  ScratchStore& operator=(const ScratchStore&) = delete;

  const log::StoreDirectory store;
};

}  // namespace weir::bench
