#include "tests/disk/compaction_schedule.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "base/file.h"
#include "base/id.h"
#include "log/log_writer.h"
#include "log/sealing.h"
#include "store/backup.h"
#include "store/collection.h"
#include "store/compaction.h"
#include "store/history.h"
#include "store/query.h"
#include "store/verify.h"
#include "tests/disk/manual_clock.h"
#include "tests/disk/simulated_disk.h"

namespace weir::disk {
namespace {

constexpr const char* kRoot = "/store";
constexpr std::uint64_t kMaxFile = std::uint64_t{64} << 20;

/// A folder of the local file system, for as long as the schedule runs: in memory if there is one,
/// since what is synced there need not survive.
class LocalFolder {
 public:
  LocalFolder() : path_(parent() / ("weir-disk-" + name())) {
    std::filesystem::create_directories(path_);
  }
  LocalFolder(const LocalFolder&) = delete;
  LocalFolder& operator=(const LocalFolder&) = delete;
  ~LocalFolder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] const std::filesystem::path& operator*() const { return path_; }

 private:
  static std::filesystem::path parent() {
    const std::filesystem::path memory = "/dev/shm";
    return access(memory.c_str(), W_OK) == 0 ? memory : std::filesystem::temp_directory_path();
  }
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
    begin_collection();
    check();
    return report_;
  }

 private:
  void step() {
    clock_.advance(std::chrono::milliseconds(1 + chance_.below(40'000'000)));
    const auto die = chance_.below(100);
    if (die < 55) {
      commit();
    } else if (die < 72) {
      begin_compaction();
    } else if (die < 82) {
      begin_collection();
    } else if (die < 87) {
      change_faults();
    } else if (die < 92) {
      kill();
    } else if (die < 95) {
      lose_power();
    } else if (die < 97) {
      lose_manifest();
    } else {
      lose_power();
      check();
    }
  }

  void change_faults() {
    disk_.faults = {};
    disk_.full = chance_.in_1000(200);
    disk_.room = 0;
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

  /// By whatever does such things: its copy is there.
  void lose_manifest() {
    kill();
    const auto faults = std::exchange(disk_.faults, {});
    SimulatedProcess process(disk_);
    if (process.unlink("/store/manifest.json") == 0) {
      ++report_.lost_manifests;
      say("the manifest was lost");
    }
    disk_.faults = faults;
  }

  // ---- those who write ------------------------------------------------------------------------

  std::string make_event() {
    auto& run = runs_[chance_.below(runs_.size())];
    if (chance_.in_1000(150)) run = RunId::make(clock_.now());
    const bool is_yesterday = chance_.in_1000(200);
    const bool is_other = chance_.in_1000(300);
    const std::string tenant = is_other ? R"("tenant_id":"other",)" : "";
    events_[{is_other ? "other" : "", run}].push_back(last_event_ + 1);
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
                               .merge = {.small_bytes = 1 << 20, .fewest = 2 + chance_.below(3)},
                               .scratch = *scratch_,
                               .clock = clock_,
                               .priority = Priority::kPatient});  // on a busy machine too
    ++report_.compactions;
    if (!done) ++report_.failed_compactions;
    if (process.killed()) ++report_.kills;
    say("compacted: " + (done ? std::to_string(done->segments) + " segments, " +
                                    std::to_string(done->removed_segments) + " removed, " +
                                    std::to_string(done->left.size()) + " left"
                              : done.error().message));
  }

  // ---- who deletes ----------------------------------------------------------------------------

  using RunName = std::pair<std::string, RunId>;  // tenant and id

  Result<store::CollectionReport> collect(SimulatedProcess& process, bool dry_run) {
    WEIR_TRY(const auto store, log::StoreDirectory::open(kRoot, process));
    return store::collect(store, {.rules = {.operations = std::chrono::hours(24)},
                                  .dry_run = dry_run,
                                  .keep = std::chrono::seconds(chance_.in_1000(600) ? 0 : 600),
                                  .scratch = *scratch_,
                                  .clock = clock_});
  }

  /// The events of runs that a collection would delete, by run.
  std::optional<std::map<RunName, std::set<std::uint64_t>>> what_would_go() {
    const auto faults = std::exchange(disk_.faults, {});
    const bool full = std::exchange(disk_.full, false);
    SimulatedProcess process(disk_);
    const auto found = collect(process, true);
    disk_.faults = faults;
    disk_.full = full;
    if (!found) return {};
    std::map<RunName, std::set<std::uint64_t>> going;
    for (const auto& run : found->runs) {
      const RunName name(run.tenant.value_or(""), run.run);
      going[name].insert(events_[name].begin(), events_[name].end());
    }
    return going;
  }

  void begin_collection() {
    auto going = what_would_go();
    if (!going) return;
    const bool has_no_faults = disk_.faults.open_error + disk_.faults.write_error +
                                   disk_.faults.sync_error + disk_.faults.other_error ==
                               0;
    SimulatedProcess process(disk_);
    const bool has_room = !disk_.full || process.exists("/store/reserve");
    const bool may_die = chance_.in_1000(600);
    if (may_die) process.kill_after(chance_.below(300));
    const auto done = collect(process, false);
    ++report_.collections;
    if (process.killed()) ++report_.kills;
    say("collected: " +
        (done ? std::to_string(done->runs.size()) + " runs" : done.error().message));
    if (!done && has_no_faults && has_room && !may_die) {
      broken("nothing was wrong, and it failed: " + done.error().message);
    }
    if (done && has_no_faults && done->runs.size() != going->size()) {
      broken("other runs go than was said");
    }
    if (!done) {
      for (auto& [name, events] : *going) uncertain_.push_back(std::move(events));
      return;
    }
    for (const auto& run : done->runs) {
      const auto found = going->find(RunName(run.tenant.value_or(""), run.run));
      if (found == going->end()) return broken("a run goes that was not said to");
      deleted_.insert(found->second.begin(), found->second.end());
      ++report_.deleted_runs;
    }
  }

  /// Each run that was being deleted is there or it is not.
  void settle(const std::set<std::uint64_t>& found) {
    for (const auto& events : uncertain_) {
      std::set<std::uint64_t> acknowledged;
      for (const auto event : events) {
        if (acknowledged_.contains(event) && !deleted_.contains(event)) acknowledged.insert(event);
      }
      const auto there = std::ranges::count_if(
          acknowledged, [&](std::uint64_t event) { return found.contains(event); });
      if (there == static_cast<std::ptrdiff_t>(acknowledged.size())) continue;
      if (there > 0) broken("a half of a run was deleted");
      deleted_.insert(events.begin(), events.end());
    }
    uncertain_.clear();
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
    std::ofstream(to, std::ios::binary) << *bytes;  // no power fails here
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
    if (chance_.in_1000(300)) restore_backup_of(*folder);
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
    settle(found);
    for (const auto event : found) {
      if (deleted_.contains(event) && acknowledged_.contains(event)) {
        return broken("event " + std::to_string(event) + " was deleted and is there");
      }
    }
    check_sql(*store, found);
    for (const auto event : acknowledged_) {
      if (!found.contains(event) && !deleted_.contains(event)) {
        return broken("event " + std::to_string(event) + " was acknowledged and is lost");
      }
    }
    const auto verified = log::verify_seals(*store);
    if (!verified) return broken(verified.error().message);
    if (!verified->problems.empty()) broken(verified->problems.front());
    say("checked: " + std::to_string(found.size()) + " events, " + std::to_string(read->parts) +
        " parts, " + std::to_string(read->segments) + " segments");
  }

  void check_sql(const log::StoreDirectory& store, const std::set<std::uint64_t>& found) {
    const auto views =
        store::open_views(store, std::make_shared<store::BadPlaces>(),
                          {.events = {.rollups = store::EventTableOptions::Rollups::kRead}});
    if (!views) return broken(views.error().message);
    auto connection = views->database.connect();
    auto rows = connection->query("SELECT run_seq FROM events ORDER BY 1");
    if (!rows) return broken(rows.error().message);
    std::vector<std::uint64_t> numbers;
    while (const auto* row = rows->next()) {
      numbers.push_back(static_cast<std::uint64_t>(*row->front().integer()));
    }
    if (!std::ranges::equal(numbers, found)) broken("SQL gives other events");
    for (const std::string view : {"rollup_minutes", "rollup_hours"}) {
      check_rollups(*connection, view, found.size());
    }
  }

  /// Each event is counted once. Those of deleted runs may stay counted.
  void check_rollups(store::Connection& connection, const std::string& view, std::uint64_t events) {
    auto rows = connection.query("SELECT coalesce(sum(events), 0)::BIGINT FROM " + view);
    if (!rows) return broken(rows.error().message);
    const auto counted = static_cast<std::uint64_t>(*rows->next()->front().integer());
    if (counted < events || counted > events + deleted_.size()) {
      broken(view + " counts " + std::to_string(counted) + " of " + std::to_string(events) +
             " events");
    }
  }

  /// A backup of what is on the disk becomes a store there, whole or not at all.
  void restore_backup_of(const std::filesystem::path& root) {
    const LocalFolder folder;
    const auto copy_of = log::StoreDirectory::open(root);
    if (!copy_of) return;
    const auto backup = store::back_up(*copy_of, *folder / "backup", clock_);
    if (!backup) return broken("no backup: " + backup.error().message);
    const auto target = "/restored-" + std::to_string(++restores_);
    {
      SimulatedProcess process(disk_);
      if (chance_.in_1000(800)) process.kill_after(chance_.below(400));
      const auto done = store::restore(*folder / "backup", local_files(), target, process);
      say("restored: " + (done ? "whole" : done.error().message));
      if (done) restored_ = target;
    }
    if (chance_.in_1000(700)) lose_power();
    SimulatedProcess process(disk_);
    const bool is_there = process.exists(target.c_str());
    if (restored_ == target && !is_there) broken("a restored store is not there any more");
    if (!is_there) return;
    ++report_.restored;
    for (const auto& file : backup->list.files) {
      const auto bytes = read_file(target + "/" + file.path, kMaxFile, process);
      if (!bytes || sha256(*bytes) != file.sha256) {
        broken("a restored store is not whole: " + file.path);
      }
    }
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
  std::map<RunName, std::vector<std::uint64_t>> events_;
  std::set<std::uint64_t> acknowledged_;
  std::set<std::uint64_t> deleted_;
  std::vector<std::set<std::uint64_t>> uncertain_;  // of runs that were being deleted
  int restores_ = 0;
  std::string restored_;
  std::uint64_t emitted_ = 0;
  std::uint64_t last_event_ = 0;
  ScheduleReport report_;
};

}  // namespace

ScheduleReport run_compaction_schedule(std::uint64_t seed, std::FILE* trace) {
  return Schedule(seed, trace).run();
}

}  // namespace weir::disk
