#include "tests/disk/schedule.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "base/id.h"
#include "log/log_writer.h"
#include "log/sealing.h"
#include "log/segment.h"
#include "log/verify.h"
#include "tests/disk/manual_clock.h"
#include "tests/disk/simulated_disk.h"

namespace weir::disk {
namespace {

constexpr const char* kRoot = "/store";

/// What is known of one writer's events, by the name of its segments.
struct Told {
  std::vector<std::string> emitted;    // in order
  std::vector<std::string> committed;  // acknowledged: in order, a part of emitted
  std::set<std::string> seen;          // a reader was given them
};

/// A process that writes: killed and begun anew as the schedule goes.
struct Producer {
  std::unique_ptr<SimulatedProcess> process;
  std::optional<log::LogWriter> writer;  // after `process`: it ends first
};

class Schedule {
 public:
  Schedule(std::uint64_t seed, std::FILE* trace)
      : trace_(trace), chance_(seed), disk_(chance_), producers_(3) {
    seed_random_bits(seed);
  }

  ScheduleReport run() {
    const auto steps = 20 + chance_.below(40);
    for (std::uint64_t i = 0; i < steps && !report_.broken; ++i) step();
    disk_.faults = {};
    disk_.full = false;
    if (chance_.in_1000(700)) lose_power();
    check_all();
    return report_;
  }

 private:
  void step() {
    clock_.advance(std::chrono::milliseconds(chance_.below(400'000)));
    const auto die = chance_.below(100);
    if (die < 60) {
      commit(producers_[chance_.below(producers_.size())]);
    } else if (die < 66) {
      change_faults();
    } else if (die < 74) {
      read_everything();
    } else if (die < 82) {
      seal();
    } else if (die < 88) {
      kill(producers_[chance_.below(producers_.size())]);
    } else if (die < 93) {
      end(producers_[chance_.below(producers_.size())]);
    } else if (die < 97) {
      lose_power();
    } else {
      lose_power();
      check_all();
    }
  }

  void change_faults() {
    disk_.faults = {};
    disk_.full = chance_.in_1000(200);
    if (chance_.in_1000(400)) return;
    const auto some = [&](unsigned most) { return static_cast<unsigned>(chance_.below(most)); };
    disk_.faults = {.short_write = some(400),
                    .interrupted = some(200),
                    .write_error = some(200),
                    .sync_error = some(200),
                    .open_error = some(100),
                    .other_error = some(100)};
  }

  void begin(Producer& producer) {
    producer.writer.reset();
    producer.process = std::make_unique<SimulatedProcess>(disk_);
    if (chance_.in_1000(150)) producer.process->kill_after(chance_.below(60));
  }

  /// The store as the producer opens it; nothing when the disk or its end prevents that.
  std::optional<log::StoreDirectory> open_store(Producer& producer) {
    auto store = log::StoreDirectory::create(kRoot, *producer.process);
    if (!store) return {};
    return *std::move(store);
  }

  void commit(Producer& producer) {
    if (!producer.process || producer.process->killed()) begin(producer);
    if (!producer.writer) {
      const auto store = open_store(producer);
      if (!store) return;
      if (chance_.in_1000(500)) static_cast<void>(log::seal_finished(*store));
      producer.writer.emplace(
          *store, clock_,
          log::LogWriterOptions{
              .segment_bytes = 1 + chance_.below(chance_.in_1000(200) ? 60'000 : 6000),
              .direct_from = chance_.in_1000(300) ? chance_.below(600) : log::kDirectFrom});
    }
    if (chance_.in_1000(30)) producer.process->kill_after(chance_.below(8));
    const auto name = producer.writer->name();
    auto& told = told_[name];
    std::vector<std::string> events(1 + chance_.below(4));
    std::string lines;
    for (auto& event : events) {
      event = "{\"event\":" + std::to_string(++last_event_) + ",\"text\":\"" +
              std::string(chance_.below(chance_.in_1000(100) ? 4000 : 300), 'x') + "\"}";
      told.emitted.push_back(event);
      lines += event + "\n";
    }
    const auto committed = producer.writer->commit(lines, events.size());
    keep_finished(*producer.writer);
    if (committed) {
      told.committed.insert(told.committed.end(), events.begin(), events.end());
      report_.acknowledged += events.size();
      say(name + ": committed up to event " + std::to_string(last_event_));
    } else {
      ++report_.failed_commits;
      say(name + ": commit up to event " + std::to_string(last_event_) + " failed");
      if (chance_.in_1000(500)) producer.writer.reset();  // some try again with the same
    }
  }

  /// As it should.
  void end(Producer& producer) {
    if (!producer.writer) return;
    producer.writer->close();
    keep_finished(*producer.writer);
    producer.writer.reset();
  }

  void keep_finished(log::LogWriter& writer) {
    for (const auto& [name, bytes] : writer.take_finished()) finished_.emplace(name, bytes);
  }

  void kill(Producer& producer) {
    if (!producer.process || producer.process->killed()) return;
    producer.process->kill();
    producer.writer.reset();
    ++report_.kills;
    say("a process was killed");
  }

  void lose_power() {
    for (auto& producer : producers_) kill(producer);
    disk_.lose_power();
    ++report_.power_failures;
    say("the power failed");
  }

  void seal() {
    SimulatedProcess process(disk_);
    if (chance_.in_1000(300)) process.kill_after(chance_.below(80));
    if (const auto store = log::StoreDirectory::open(kRoot, process)) {
      const auto sealed =
          log::seal_finished(*store, [&](const log::SegmentName& name, std::uint64_t bytes) {
            const auto known = finished_.find(name);
            return known != finished_.end() && known->second == bytes && chance_.in_1000(700);
          });
      say("sealed: " + (sealed ? "all" : sealed.error().message));
    }
  }

  /// What another process sees now is what it must see for good.
  void read_everything() {
    SimulatedProcess process(disk_);
    const auto store = log::StoreDirectory::open(kRoot, process);
    if (!store) return;
    const auto names = store->segment_names();
    for (std::size_t i = 0; names && i < names->size(); ++i) {
      auto reader = log::SegmentReader::open(store->segment((*names)[i]), process);
      if (!reader) continue;
      auto& told = told_[(*names)[i].writer];
      say((*names)[i].file_name() + ": read");
      const auto events = events_of(*reader);
      if (disk_.sync_failed(store->segment((*names)[i]))) continue;
      told.seen.insert(events.begin(), events.end());
    }
    // A seal whose sync failed is as an event whose sync failed.
    if (disk_.failed_syncs > failed_syncs_before_check_) return;
    if (const auto found = log::verify_seals(*store); found && found->anchor) {
      anchors_.push_back(*found->anchor);
    }
  }

  static std::vector<std::string> events_of(log::SegmentReader& reader) {
    std::vector<std::string> events;
    while (true) {
      const auto commit = reader.next_commit();
      if (!commit || !*commit) return events;
      for (auto lines = (*commit)->lines; !lines.empty();) {
        const auto end = lines.find('\n');
        events.emplace_back(lines.substr(0, end));
        lines.remove_prefix(end + 1);
      }
    }
  }

  void broken(std::string what) {
    if (!report_.broken) report_.broken = std::move(what);
  }

  /// Opens the store as a new process on a disk that works, and holds it to what was told.
  void check_all() {
    const auto faults = std::exchange(disk_.faults, {});
    const bool full = std::exchange(disk_.full, false);
    for (auto& producer : producers_) producer.writer.reset();
    SimulatedProcess process(disk_);
    const auto store = log::StoreDirectory::create(kRoot, process);
    if (!store) return broken("the store does not open: " + store.error().message);
    const auto sealed = log::seal_finished(*store);
    if (!sealed) return broken("not everything can be sealed: " + sealed.error().message);
    const auto names = store->segment_names();
    if (!names) return broken("the segments cannot be listed: " + names.error().message);
    check_events(*store, *names);
    check_seals(*store, *names);
    disk_.faults = faults;
    disk_.full = full;
    failed_syncs_before_check_ = disk_.failed_syncs;
  }

  void check_events(const log::StoreDirectory& store, const std::vector<log::SegmentName>& names) {
    std::map<std::string, std::vector<std::string>> found;
    for (const auto& name : names) {
      auto reader = log::SegmentReader::open(store.segment(name), store.files());
      if (!reader) return broken(reader.error().message);
      auto events = events_of(*reader);
      if (!reader->damage().empty()) broken(name.file_name() + ": " + reader->damage()[0].reason);
      if (reader->torn_bytes() > 0) broken(name.file_name() + ": its tail is still there");
      auto& of_writer = found[name.writer];
      of_writer.insert(of_writer.end(), events.begin(), events.end());
    }
    for (const auto& [writer, told] : told_) check_writer(writer, told, found[writer]);
    for (const auto& [writer, events] : found) {
      if (!events.empty() && !told_.contains(writer)) broken("nobody is called " + writer);
    }
  }

  void check_writer(const std::string& writer, const Told& told,
                    const std::vector<std::string>& found) {
    const auto name = [&](const std::string& event) {
      return writer + ": " + event.substr(0, event.find(','));
    };
    auto next = told.emitted.begin();
    for (const auto& event : found) {
      next = std::find(next, told.emitted.end(), event);
      if (next == told.emitted.end()) {
        return broken(name(event) + " is read twice, out of order or was never emitted");
      }
      ++next;
    }
    const std::set<std::string> all(found.begin(), found.end());
    for (const auto& event : told.committed) {
      if (!all.contains(event)) return broken(name(event) + " was acknowledged and is lost");
    }
    for (const auto& event : told.seen) {
      if (!all.contains(event)) return broken(name(event) + " was read before and is lost");
    }
  }

  void check_seals(const log::StoreDirectory& store, const std::vector<log::SegmentName>& names) {
    const auto found = log::verify_seals(store);
    if (!found) return broken(found.error().message);
    if (!found->problems.empty()) return broken(found->problems[0]);
    if (found->seals < names.size()) broken("a finished segment is not sealed");
    for (const auto& anchor : anchors_) {
      const auto held = log::verify_seals(store, anchor);
      if (!held) return broken(held.error().message);
      if (!held->problems.empty()) return broken(held->problems[0]);
    }
    if (found->anchor) anchors_.assign(1, *found->anchor);
  }

  void say(const std::string& what) const {
    if (trace_ != nullptr) std::fprintf(trace_, "%s\n", what.c_str());
  }

  std::FILE* const trace_;
  Chance chance_;
  SimulatedDisk disk_;
  ManualClock clock_;
  std::vector<Producer> producers_;
  std::map<std::string, Told> told_;                    // by writer
  std::map<log::SegmentName, std::uint64_t> finished_;  // their sizes, as their writers said
  std::vector<Sha256> anchors_;                         // that somebody has seen
  std::uint64_t failed_syncs_before_check_ = 0;
  std::uint64_t last_event_ = 0;
  ScheduleReport report_;
};

}  // namespace

ScheduleReport run_schedule(std::uint64_t seed, std::FILE* trace) {
  return Schedule(seed, trace).run();
}

}  // namespace weir::disk
