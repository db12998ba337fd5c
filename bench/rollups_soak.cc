// rollups_soak [EVENTS]: records a hundred million events, or so many, as of thirty days, a slice
// at a time: each is compacted and its segments are removed before the next. Then it asks what a
// dashboard asks, and holds the rollups to the events. Fails when a question takes too long or a
// count is wrong.

#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "bench/rows.h"
#include "bench/store_rows.h"
#include "bench/traffic.h"
#include "store/compaction.h"
#include "store/event_table.h"
#include "store/query.h"
#include "store/rollup_index.h"

namespace weir::bench {
namespace {

constexpr std::uint64_t kEvents = 100'000'000;
constexpr std::uint64_t kSlice = 2'000'000;
constexpr std::chrono::hours kPast{30 * 24};  // for all of kEvents, and for fewer as much less

/// The time of what is recorded: thirty days pass while it is.
class PastClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override {
    return Timestamp(std::chrono::microseconds(time_));
  }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override {
    return std::chrono::microseconds(time_);
  }
  void set(std::chrono::microseconds time) { time_ = time.count(); }

 private:
  std::atomic<std::int64_t> time_ = 0;
};

class Soak {
 public:
  explicit Soak(std::uint64_t events) : events_(events) {}

  bool run() {
    const auto start = SteadyClock::now();
    while (recorded_ < events_) {
      if (!add_slice()) return false;
    }
    std::printf(
        "figures: rollups: %.1f M events of %zu runs in %.0f s, rollups %.0f MiB of %.0f, "
        "memory at most %.0f MiB\n",
        static_cast<double>(recorded_) / 1e6, traffic_.runs().size(), seconds_since(start),
        mebibytes_below(store::rollup_folder(scratch_.store)),
        mebibytes_below(scratch_.store.root()), peak_mebibytes());
    return ask();
  }

 private:
  bool add_slice() {
    {
      record::Recorder recorder(scratch_.store, {.clock = &clock_});
      for (std::uint64_t slice = 0; slice < kSlice && recorded_ < events_;) {
        const auto share = static_cast<double>(recorded_) / kEvents;
        const std::chrono::duration<double, std::micro> passed(share * kPast);
        clock_.set(std::chrono::duration_cast<std::chrono::microseconds>(begin_.time_since_epoch() +
                                                                         passed));
        const auto events = traffic_.run(recorder);
        slice += events;
        recorded_ += events;
      }
    }
    // Nobody records meanwhile whom it could be in the way of.
    const auto done = store::compact(scratch_.store, {.keep = {}, .priority = Priority::kPatient});
    if (!done) std::printf("%s\n", done.error().message.c_str());
    if (!done) return false;
    for (const auto& bad : done->rollups.unread) std::printf("%s\n", bad.reason.c_str());
    return done->rollups.unread.empty();
  }

  bool ask() {
    const auto start = SteadyClock::now();
    const auto views =
        store::open_views(scratch_.store, std::make_shared<store::BadPlaces>(),
                          {.events = {.rollups = store::EventTableOptions::Rollups::kRead}});
    if (!views) return false;
    std::printf("figures: rollups: the views open in %.0f ms\n", seconds_since(start) * 1e3);
    auto connection = *views->database.connect();
    if (!connection.execute("SET threads = 2")) return false;
    bool is_good = counts_are_right(connection);
    for (const auto& recipe : store::cookbook()) {
      if (!is_dashboard(recipe)) continue;
      const auto ms =
          median_of(5, [&] { return milliseconds_of(connection, std::string(recipe.sql)); });
      std::printf("figures: rollups: %-28s %7.1f ms%s\n", std::string(recipe.name).c_str(), ms,
                  ms > kDashboardMs ? ": too long" : "");
      is_good = is_good && ms <= kDashboardMs;
    }
    return is_good;
  }

  bool counts_are_right(store::Connection& connection) {
    auto rows = connection.query(
        "SELECT (SELECT count(*) FROM events) = (SELECT sum(events) FROM rollup_hours) AND "
        "(SELECT count(*) FROM events) = (SELECT sum(events) FROM rollup_minutes), "
        "(SELECT count(*) FROM rollup_hours), (SELECT count(*) FROM rollup_minutes)");
    const auto* row = rows ? rows->next() : nullptr;
    const bool is_right =
        row != nullptr && row->at(0).boolean() != nullptr && *row->at(0).boolean();
    std::printf("figures: rollups: %s rows by hour, %s by minute: counts are %s\n",
                row == nullptr ? "?" : json::to_text(row->at(1)).c_str(),
                row == nullptr ? "?" : json::to_text(row->at(2)).c_str(),
                is_right ? "right" : "WRONG");
    return is_right;
  }

  static double mebibytes_below(const std::filesystem::path& folder) {
    std::uintmax_t bytes = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file()) bytes += entry.file_size();
    }
    return static_cast<double>(bytes) / (1 << 20);
  }
  static double peak_mebibytes() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) / 1024;
  }

  const std::uint64_t events_;
  const Timestamp begin_ =
      system_clock().now() -
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::duration<double>(kPast) *
                                                            static_cast<double>(events_) / kEvents);
  const ScratchStore scratch_;
  PastClock clock_;
  Traffic traffic_;
  std::uint64_t recorded_ = 0;
};

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  const auto events = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : weir::bench::kEvents;
  return weir::bench::Soak(events).run() ? 0 : 1;
}
