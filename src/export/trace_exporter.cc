#include "export/trace_exporter.h"

#include <pthread.h>

#include <algorithm>
#include <mutex>
#include <set>
#include <stop_token>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include "base/hash.h"
#include "event/decoder.h"
#include "event/run_end.h"
#include "log/cursor.h"
#include "project/span_folds.h"
#include "store/history.h"

namespace weir::exporting {
namespace {

using event::Field;
using event::Type;
using project::RunKey;
using std::chrono::milliseconds;

constexpr std::size_t kBatchSpans = 512;
/// Of which it is remembered whether they have an error, and what of them was fetched.
constexpr std::size_t kMostOpenRuns = 100'000;
/// While nothing ends the cursor moves all the same, so that compaction need not wait.
constexpr std::chrono::seconds kCursorInterval{10};
constexpr milliseconds kAfterFailure{5'000};

bool is_error(const event::EventView& event) {
  const auto level = event.text(Field::kLevel);
  return level == "ERROR" || level == "FATAL";
}

std::string trace_of(const event::EventView& event) {
  const auto told = event.text(Field::kTraceId);
  const auto& bytes = event.run_id().bytes;
  return told.empty() ? to_hex(bytes.data(), bytes.size()) : std::string(told);
}

/// A run that has ended and is to be sent or left out.
struct EndedRun {
  RunKey key;
  std::string trace_id;
  std::optional<bool> has_error{};  ///< nothing: its beginning was read by an earlier process
};

}  // namespace

bool is_sampled(std::string_view trace_id, double part) {
  // 53 bits of a hash: trace ids of others need not be random.
  const auto hash = sha256(trace_id);
  std::uint64_t bits = 0;
  for (int i = 0; i < 8; ++i) bits = bits << 8U | hash.bytes[static_cast<std::size_t>(i)];
  return static_cast<double>(bits >> 11U) < part * 0x1p53;
}

class TraceExporter::Impl {
 public:
  Impl(log::StoreDirectory store, TraceExportOptions options)
      : store_(std::move(store)),
        options_(std::move(options)),
        cursor_name_("export-" + options_.name),
        sender_(options_.send, options_.sending) {}

  Result<void> open() {
    WEIR_TRY(auto registered, log::read_cursor(store_, cursor_name_));
    WEIR_TRY(auto follower, log::Follower::open(store_, std::move(registered.cursor),
                                                [this](const log::FollowProblem& problem) {
                                                  tell(problem.segment.file_name() + ": at byte " +
                                                       std::to_string(problem.offset) + ": " +
                                                       problem.reason);
                                                },
                                                {.open_parts = store::open_parts}));
    follower_ = std::make_unique<log::Follower>(std::move(follower));
    // Registered from the beginning, so that nothing is taken away before it was read.
    WEIR_TRY(log::write_cursor(store_, cursor_name_, follower_->cursor()));
    thread_ = std::jthread([this](const std::stop_token& stop) {
      ::pthread_setname_np(::pthread_self(), "weir-export");
      run(stop);
    });
    return {};
  }

  void end() {
    thread_.request_stop();
    if (follower_) follower_->wake();
    if (thread_.joinable()) thread_.join();
  }

  TraceExportStatistics statistics() const {
    const std::lock_guard lock(mutex_);
    return statistics_;
  }

 private:
  void run(const std::stop_token& stop);
  void take(const log::FollowedCommit& commit);
  void take(const event::EventView& event, std::string_view line);
  [[nodiscard]] bool is_time() const;
  [[nodiscard]] Result<void> send_ended(const std::stop_token& stop);
  [[nodiscard]] Result<void> find_errors();
  [[nodiscard]] Result<void> send_runs(const std::vector<RunKey>& runs,
                                       const std::stop_token& stop);
  void tell(const std::string& problem) const {
    if (options_.sending.on_problem) options_.sending.on_problem(problem);
  }
  /// What could not be read, each place once.
  void tell_of_damage(const store::ReadReport& report) {
    for (const auto& place : report.bad) {
      if (!place.is_whole && told_damage_.insert(place).second) tell(place.text());
    }
  }

  const log::StoreDirectory store_;
  const TraceExportOptions options_;
  const std::string cursor_name_;
  SpanSender sender_;

  mutable std::mutex mutex_;
  TraceExportStatistics statistics_;  // guarded by mutex_

  // The thread's:
  std::unique_ptr<log::Follower> follower_;  // `wake` from any
  event::Decoder decoder_;
  std::unordered_map<RunKey, bool> open_;           // runs whose beginning was seen: has an error
  std::unordered_map<RunId, std::string> fetched_;  // lines, by the run they tell of
  std::vector<EndedRun> ended_;
  std::set<store::BadPlace> told_damage_;
  Timestamp last_end_{};
  bool is_at_end_ = false;
  std::jthread thread_;
};

void TraceExporter::Impl::run(const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] { follower_->wake(); });
  auto written_at = std::chrono::steady_clock::now();
  auto written = follower_->cursor();
  while (!stop.stop_requested()) {
    const bool may_read = ended_.size() < kMostRuns;
    if (may_read) {
      const auto wait = ended_.empty() ? std::chrono::duration_cast<milliseconds>(kCursorInterval)
                                       : std::min(options_.settle, milliseconds(200));
      const auto commit = follower_->next(wait);
      if (!commit) tell(commit.error().message);
      if (!commit && !wait_or_stop(kAfterFailure, stop)) return;
      is_at_end_ = commit && !*commit;
      if (commit) {
        if (const auto& lines = *commit) take(*lines);
      }
    }
    const bool is_idle = ended_.empty() && written != follower_->cursor() &&
                         std::chrono::steady_clock::now() - written_at >= kCursorInterval;
    if (!is_time() && !is_idle) {
      if (!may_read && !wait_or_stop(milliseconds(100), stop)) return;
      continue;
    }
    auto sent = send_ended(stop);
    if (sent) sent = log::write_cursor(store_, cursor_name_, follower_->cursor());
    written_at = std::chrono::steady_clock::now();
    if (sent) {
      written = follower_->cursor();
    } else if (sent.error().code != ErrorCode::kCancelled) {
      tell(sent.error().message);
      if (!wait_or_stop(kAfterFailure, stop)) return;
    }
  }
}

void TraceExporter::Impl::take(const log::FollowedCommit& commit) {
  for (auto lines = commit.lines; !lines.empty();) {
    const auto line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
    if (const auto event = decoder_.decode(line)) take(**event, line);
  }
}

void TraceExporter::Impl::take(const event::EventView& event, std::string_view line) {
  if (options_.tenant && event.text(Field::kTenantId) != *options_.tenant) return;
  if (event.type() == Type::kPipelineFetched) {
    const auto target = RunId::parse(event.text(Field::kTargetRunId));
    if (target && fetched_.size() < kMostOpenRuns) fetched_.insert_or_assign(*target, line);
  }
  if (!project::may_be_in_spans(event) || event.type() == Type::kSpan) return;
  auto key = RunKey::of(event);
  if (event.type() == Type::kPipelineStarted && open_.size() < kMostOpenRuns) {
    open_.insert_or_assign(key, false);
  }
  const auto known = open_.find(key);
  if (known != open_.end() && is_error(event)) known->second = true;
  if (!event::ends_run(event.type())) return;
  EndedRun run{.key = std::move(key), .trace_id = trace_of(event)};
  if (known != open_.end()) {
    run.has_error = known->second;
    open_.erase(known);
  }
  if (is_error(event)) run.has_error = true;
  const auto same = [&](const EndedRun& other) { return other.key == run.key; };
  if (std::ranges::none_of(ended_, same)) ended_.push_back(std::move(run));
  last_end_ = std::max(last_end_, event.timestamp());
}

/// Whether what has ended is to be sent now: when its events have settled.
bool TraceExporter::Impl::is_time() const {
  if (ended_.empty()) return false;
  if (ended_.size() < kMostRuns && !is_at_end_) return false;
  const auto now = options_.clock->now();
  return now < last_end_ || now - last_end_ >= options_.settle;
}

Result<void> TraceExporter::Impl::send_ended(const std::stop_token& stop) {
  if (ended_.empty()) return {};
  WEIR_TRY(find_errors());
  std::vector<RunKey> wanted;
  for (const auto& run : ended_) {
    if (run.has_error.value_or(true) || is_sampled(run.trace_id, options_.sampling)) {
      wanted.push_back(run.key);
    }
  }
  WEIR_TRY(send_runs(wanted, stop));
  const std::lock_guard lock(mutex_);
  statistics_.runs += wanted.size();
  statistics_.left_out += ended_.size() - wanted.size();
  for (const auto& run : ended_) fetched_.erase(run.key.run_id);
  ended_.clear();
  return {};
}

/// Of runs that began before this process did.
Result<void> TraceExporter::Impl::find_errors() {
  std::unordered_map<RunKey, EndedRun*> unknown;
  std::vector<RunId> ids;
  for (auto& run : ended_) {
    if (run.has_error || is_sampled(run.trace_id, options_.sampling)) continue;
    unknown.emplace(run.key, &run);
    ids.push_back(run.key.run_id);
  }
  if (ids.empty()) return {};
  WEIR_TRY(const auto report,
           store::read_runs(store_, ids, [&](const event::EventView& event) -> Result<void> {
             if (!is_error(event)) return {};
             const auto run = unknown.find(RunKey::of(event));
             if (run != unknown.end()) run->second->has_error = true;
             return {};
           }));
  tell_of_damage(report);
  for (auto& [key, run] : unknown) run->has_error = run->has_error.value_or(false);
  return {};
}

Result<void> TraceExporter::Impl::send_runs(const std::vector<RunKey>& runs,
                                            const std::stop_token& stop) {
  if (runs.empty()) return {};
  const std::unordered_set<RunKey> wanted(runs.begin(), runs.end());
  std::vector<RunId> ids;
  ids.reserve(runs.size());
  for (const auto& run : runs) ids.push_back(run.run_id);
  project::SpanFolds folds;
  std::vector<project::Span> batch;
  Result<void> sent;
  const auto put = [&](project::Span&& span) {
    if (span.is_open()) return;  // nobody will tell of its end: receivers want it once, whole
    batch.push_back(std::move(span));
    if (batch.size() < kBatchSpans || !sent) return;
    sent = sender_.send(batch, stop);
    batch.clear();
  };
  event::Decoder decoder;
  for (const auto& id : ids) {
    const auto line = fetched_.find(id);
    if (line == fetched_.end()) continue;
    if (const auto event = decoder.decode(line->second)) folds.apply(**event, put);
  }
  WEIR_TRY(const auto report,
           store::read_runs(store_, ids, [&](const event::EventView& event) -> Result<void> {
             if (wanted.contains(RunKey::of(event))) folds.apply(event, put);
             return sent;
           }));
  tell_of_damage(report);
  folds.finish(put);
  if (sent) sent = sender_.send(batch, stop);
  const std::lock_guard lock(mutex_);
  statistics_.spans = sender_.statistics();
  return sent;
}

TraceExporter::TraceExporter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TraceExporter::~TraceExporter() { impl_->end(); }

Result<std::unique_ptr<TraceExporter>> TraceExporter::start(log::StoreDirectory store,
                                                            TraceExportOptions options) {
  WEIR_CHECK(options.send);
  auto impl = std::make_unique<Impl>(std::move(store), std::move(options));
  WEIR_TRY(impl->open());
  return std::unique_ptr<TraceExporter>(new TraceExporter(std::move(impl)));
}

TraceExportStatistics TraceExporter::statistics() const { return impl_->statistics(); }

}  // namespace weir::exporting
