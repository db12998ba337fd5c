#include "tests/disk/compaction_schedule.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "base/file.h"
#include "base/id.h"
#include "log/log_writer.h"
#include "log/sealing.h"
#include "store/compaction.h"
#include "store/history.h"
#include "store/verify.h"
#include "tests/disk/manual_clock.h"
#include "tests/disk/simulated_disk.h"

namespace weir::disk {
namespace {

constexpr const char* kRoot = "/store";
constexpr std::uint64_t kMaxFile = std::uint64_t{64} << 20;

/// A folder of the local file system, for as long as the schedule runs.
class LocalFolder {
 public:
  LocalFolder() : path_(std::filesystem::temp_directory_path() / ("weir-disk-" + name())) {
    std::filesystem::create_directories(path_);
  }
  LocalFolder(const LocalFolder&) = delete;
  LocalFolder& operator=(const LocalFolder&) = delete;
  ~LocalFolder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] const std::filesystem::path& operator*() const { return path_; }

 private:
  static std::string name() {
    static int made = 0;
    return std::to_string(getpid()) + "-" + std::to_string(++made);
  }
  std::filesystem::path path_;
};

class Schedule {
 public:
  Schedule(std::uint64_t seed, std::FILE* trace) : trace_(trace), chance_(seed), disk_(chance_) {
    seed_random_bits(seed);
    for (auto& run : runs_) run = RunId::make(clock_.now());
  }

  ScheduleReport run() {
    const auto steps = 10 + chance_.below(20);
    for (std::uint64_t i = 0; i < steps && !report_.broken; ++i) step();
    disk_.faults = {};
    disk_.full = false;
    if (chance_.in_1000(700)) lose_power();
    kill();
    // On a disk that works all that is left can be done.
    SimulatedProcess process(disk_);
    if (const auto store = log::StoreDirectory::create(kRoot, process)) compact(process, *store);
    check();
    return report_;
  }

 private:
  void step() {
    clock_.advance(std::chrono::milliseconds(1 + chance_.below(40'000'000)));
    const auto die = chance_.below(100);
    if (die < 55) {
      commit();
    } else if (die < 80) {
      begin_compaction();
    } else if (die < 87) {
      change_faults();
    } else if (die < 93) {
      kill();
    } else if (die < 97) {
      lose_power();
    } else {
      lose_power();
      check();
    }
  }

  void change_faults() {
    disk_.faults = {};
    disk_.full = chance_.in_1000(200);
    if (chance_.in_1000(500)) return;
    const auto some = [&](unsigned most) { return static_cast<unsigned>(chance_.below(most)); };
    disk_.faults = {.short_write = some(400),
                    .interrupted = some(200),
                    .write_error = some(50),
                    .sync_error = some(50),
                    .open_error = some(30),
                    .other_error = some(30)};
  }

  void kill() {
    if (!process_) return;
    process_->kill();
    writer_.reset();
    process_.reset();
    ++report_.kills;
    say("the writing process was killed");
  }

  void lose_power() {
    kill();
    disk_.lose_power();
    ++report_.power_failures;
    say("the power failed");
  }

  // ---- those who write ------------------------------------------------------------------------

  std::string make_event() {
    const auto& run = runs_[chance_.below(runs_.size())];
    const bool is_yesterday = chance_.in_1000(200);
    const std::string tenant = chance_.in_1000(300) ? R"("tenant_id":"other",)" : "";
    const auto time = clock_.now() - std::chrono::hours(is_yesterday ? 24 : 0);
    return R"({"timestamp":")" + to_string(time) +
           R"(","event_type":"log","level":"INFO","pipeline_type":"dag","pipeline_id":"p",)"
           R"("pipeline_version":"1",)" +
           tenant + R"("run_id":")" + run.text() + R"(","run_seq":)" +
           std::to_string(++last_event_) + R"(,"message":")" +
           std::string(1 + chance_.below(300), 'x') + R"("})";
  }

  void commit() {
    if (!writer_) {
      if (!process_) process_ = std::make_unique<SimulatedProcess>(disk_);
      const auto store = log::StoreDirectory::create(kRoot, *process_);
      if (!store) return;
      if (chance_.in_1000(700)) static_cast<void>(log::seal_finished(*store));
      writer_.emplace(*store, clock_,
                      log::LogWriterOptions{.segment_bytes = 1 + chance_.below(3000)});
    }
    std::string lines;
    std::vector<std::uint64_t> events;
    for (auto left = 1 + chance_.below(4); left > 0; --left) {
      lines += make_event() + "\n";
      events.push_back(last_event_);
    }
    emitted_ = last_event_;
    if (writer_->commit(lines, events.size())) {
      acknowledged_.insert(events.begin(), events.end());
      report_.acknowledged += events.size();
      say("committed up to event " + std::to_string(last_event_));
    } else {
      ++report_.failed_commits;
      say("a commit up to event " + std::to_string(last_event_) + " failed");
      writer_.reset();
    }
  }

  // ---- who compacts ---------------------------------------------------------------------------

  void begin_compaction() {
    if (chance_.in_1000(500)) writer_.reset();
    SimulatedProcess process(disk_);
    if (chance_.in_1000(500)) process.kill_after(chance_.below(400));
    const auto store = log::StoreDirectory::open(kRoot, process);
    if (!store) return;
    compact(process, *store);
  }

  void compact(SimulatedProcess& process, const log::StoreDirectory& store) {
    const auto done =
        store::compact(store, {.batch_bytes = 1 + chance_.below(6000),
                               .keep = std::chrono::seconds(chance_.in_1000(600) ? 0 : 600),
                               .scratch = *scratch_,
                               .clock = clock_});
    ++report_.compactions;
    if (!done) ++report_.failed_compactions;
    if (process.killed()) ++report_.kills;
    say("compacted: " + (done ? std::to_string(done->segments) + " segments, " +
                                    std::to_string(done->removed_segments) + " removed, " +
                                    std::to_string(done->left.size()) + " left"
                              : done.error().message));
  }

  // ---- what must hold -------------------------------------------------------------------------

  void broken(std::string what) {
    if (!report_.broken) report_.broken = std::move(what);
  }

  /// Copies what is on the disk: DuckDB reads nothing else but the local file system.
  void copy(FileSystem& from, const std::filesystem::path& path, const std::filesystem::path& to) {
    std::vector<std::string> names;
    if (from.list(path.c_str(), names) == 0) {
      std::filesystem::create_directories(to);
      for (const auto& name : names) copy(from, path / name, to / name);
      return;
    }
    const auto bytes = read_file(path, kMaxFile, from);
    if (!bytes) return broken("cannot copy: " + bytes.error().message);
    if (!write_file_durably(to, *bytes)) broken("cannot copy to " + to.string());
  }

  void check() {
    const auto faults = std::exchange(disk_.faults, {});
    const bool full = std::exchange(disk_.full, false);
    writer_.reset();
    const LocalFolder folder;
    SimulatedProcess process(disk_);
    if (const auto store = log::StoreDirectory::create(kRoot, process)) {
      static_cast<void>(log::seal_finished(*store));
    }
    copy(process, kRoot, *folder);
    check_copy(*folder);
    disk_.faults = faults;
    disk_.full = full;
  }

  void check_copy(const std::filesystem::path& root) {
    const auto store = log::StoreDirectory::open(root);
    if (!store) return broken("the store does not open: " + store.error().message);
    std::set<std::uint64_t> found;
    std::map<RunId, std::uint64_t> last;  // by run
    const auto read = store::read_all(*store, [&](const event::EventView& event) -> Result<void> {
      const auto number = static_cast<std::uint64_t>(event.run_seq());
      const auto name = "event " + std::to_string(number);
      if (!found.insert(number).second) broken(name + " is read twice");
      if (number > emitted_) broken(name + " was never emitted");
      if (std::exchange(last[event.run_id()], number) > number) broken(name + " is out of order");
      return {};
    });
    if (!read) return broken("cannot be read: " + read.error().message);
    for (const auto event : acknowledged_) {
      if (!found.contains(event)) {
        return broken("event " + std::to_string(event) + " was acknowledged and is lost");
      }
    }
    const auto verified = log::verify_seals(*store);
    if (!verified) return broken(verified.error().message);
    if (!verified->problems.empty()) broken(verified->problems.front());
    say("checked: " + std::to_string(found.size()) + " events, " + std::to_string(read->parts) +
        " parts, " + std::to_string(read->segments) + " segments");
  }

  void say(const std::string& what) const {
    if (trace_ != nullptr) std::fprintf(trace_, "%s\n", what.c_str());
  }

  std::FILE* const trace_;
  Chance chance_;
  SimulatedDisk disk_;
  ManualClock clock_;
  const LocalFolder scratch_;
  std::array<RunId, 3> runs_;
  std::unique_ptr<SimulatedProcess> process_;
  std::optional<log::LogWriter> writer_;  // after process_: it ends first
  std::set<std::uint64_t> acknowledged_;
  std::uint64_t emitted_ = 0;
  std::uint64_t last_event_ = 0;
  ScheduleReport report_;
};

}  // namespace

ScheduleReport run_compaction_schedule(std::uint64_t seed, std::FILE* trace) {
  return Schedule(seed, trace).run();
}

}  // namespace weir::disk
