#include "tests/random_runs/coverage.h"

#include <algorithm>
#include <cstdio>
#include <set>

namespace weir::random_runs {
namespace {

using event::Field;

/// Of so many cases one holds each of what is counted, at least.
constexpr int kCasesForOne = 20;

constexpr std::string_view kAllModes[] = {"fail_fast", "continue", "best_effort"};

constexpr std::string_view kAllSignals[] = {
    "pause",          "resume",         "cancel",  "retry-step",      "retry-run",
    "skip-step",      "update-params",  "approve", "inject-override", "update-target",
    "emergency-stop", "escalate-alert", "deny"};

/// What a tool says itself, by a name of its own.
constexpr std::string_view kOwnEvent = "x.told";

/// Of the catalogue, what the engine writes into no run.
bool is_of_no_run(event::Type type) {
  switch (type) {
    // Said by a process in its own runs: before a run, or about it.
    case event::Type::kPipelineFetched:
    case event::Type::kPipelineValidated:
    case event::Type::kSignalRequested:
    case event::Type::kArtifactReviewed:
    case event::Type::kAdapterHeartbeat:
    case event::Type::kAdapterCallCompleted:
    case event::Type::kAdapterCallFailed:
    case event::Type::kAudit:
    case event::Type::kAlertFired:
    case event::Type::kAlertResolved:
    case event::Type::kProjectionGap:
    // Said by programs of their own runs, and by other systems.
    case event::Type::kCheckpointCreated:
    case event::Type::kSessionStarted:
    case event::Type::kSessionEnded:
    case event::Type::kSpan:
    case event::Type::kMetric:
      return true;
    default:  // a new one is to be drawn, or to be named here
      return false;
  }
}

/// What a signal did, as the events after it tell.
class Deeds {
 public:
  explicit Deeds(const PlayedRun& run) : run_(run) {
    event::Decoder decoder;
    for (const auto& line : run.lines) {
      const auto& event = **decoder.decode(line);
      const std::string node(event.text(Field::kNodeId));
      const auto type = event.type_name();
      done_.insert(std::string(type) + " " + std::string(event.text(Field::kSignalId)));
      done_.insert(std::string(type) + " " + node + " " + std::string(event.text(Field::kOutcome)));
      done_.insert(std::string(type) + " " + node + " " + std::string(event.text(Field::kReason)));
      done_.insert(std::string(type) + " " + node + " " + std::string(event.text(Field::kToolId)));
      const auto* output = event.find(Field::kOutput);
      if (output == nullptr) continue;
      if (output->text.contains("\"overridden\"")) done_.insert("overridden " + node);
      if (output->text.contains(":2}")) done_.insert("other params");
    }
  }

  [[nodiscard]] bool has_acted(const std::string& signal, const std::string& id,
                               const std::string& node) const {
    const auto& did = done_;
    if (signal == "pause") return did.contains("pipeline_paused " + id);
    if (signal == "resume") return did.contains("pipeline_resumed " + id);
    if (signal == "retry-step")
      return did.contains("pipeline_node_retry_scheduled " + node + " signal");
    if (signal == "skip-step") {
      return did.contains("pipeline_node_skipped " + node + " skipped: because");
    }
    if (signal == "inject-override") return did.contains("overridden " + node);
    if (signal == "update-target") return did.contains("pipeline_node_started " + node + " other");
    if (signal == "update-params") return did.contains("other params");
    if (signal == "approve") return did.contains("approval_decided " + node + " approved");
    if (signal == "deny") return did.contains("approval_decided " + node + " denied");
    if (signal == "escalate-alert") return run_.alerts > 0;
    return type_of(run_.lines[run_.end]) == "pipeline_cancelled";
  }

 private:
  const PlayedRun& run_;
  std::set<std::string> done_;
};

void print(const char* what, const std::map<std::string, int>& counts) {
  std::printf("%s:", what);
  for (const auto& [name, count] : counts) std::printf(" %s %d", name.c_str(), count);
  std::printf("\n");
}

}  // namespace

Coverage::Coverage() {
  for (const auto name : kAllModes) modes_[std::string(name)] = 0;
  for (const auto name : kAllSignals) signals_[std::string(name)] = 0;
  for (const auto& type : event::types()) {
    if (!is_of_no_run(type.type)) losses_[std::string(type.name)] = 0;
  }
  losses_[std::string(kOwnEvent)] = 0;
}

void Coverage::add(const RandomPipeline& pipeline, const PlayedRun& whole) {
  ++cases_;
  ++modes_[pipeline.mode];
  const Deeds deeds(whole);
  std::set<std::string> acted;
  bool is_retried = false;
  event::Decoder decoder;
  for (const auto& line : whole.lines) {
    const auto& event = **decoder.decode(line);
    is_retried = is_retried || event.type() == event::Type::kNodeRetryScheduled;
    if (event.type() != event::Type::kSignalAccepted) continue;
    std::string signal(event.text(Field::kSignalType));
    if (deeds.has_acted(signal, std::string(event.text(Field::kSignalId)),
                        std::string(event.text(Field::kNodeId)))) {
      acted.insert(std::move(signal));
    }
  }
  for (const auto& signal : acted) ++signals_[signal];
  retries_ += is_retried ? 1 : 0;
}

void Coverage::add(const Coverage& other) {
  const auto add_all = [](Counts& to, const Counts& from) {
    for (const auto& [name, count] : from) to[name] += count;
  };
  add_all(modes_, other.modes_);
  add_all(signals_, other.signals_);
  add_all(losses_, other.losses_);
  add_all(compared_, other.compared_);
  retries_ += other.retries_;
  events_ += other.events_;
  compared_events_ += other.compared_events_;
}

int Coverage::losses(const std::string& type) const {
  const auto found = losses_.find(type);
  return found == losses_.end() ? 0 : found->second;
}

bool Coverage::is_rare(const std::string& type) const {
  const auto found = losses_.find(type);
  return found != losses_.end() && found->second * (kCasesForOne - 1) < cases_;
}

void Coverage::add_compared(std::string_view why_in_part) {
  ++compared_[why_in_part.empty() ? "whole" : std::string(why_in_part)];
}

bool Coverage::judge(std::uint64_t cases) const {
  const auto least = static_cast<int>(cases / kCasesForOne);
  std::printf("cases with a retry: %d\n", retries_);
  print("cases in each mode", modes_);
  print("cases in which each signal was accepted and acted", signals_);
  print("runs lost after each event", losses_);
  std::printf(
      "events: %zu; with what the engine held they were compared after %zu (the others change "
      "nothing, or are recorded in the same step of the engine as the next)\n",
      events_, compared_events_);
  for (const auto& [how, count] : compared_) {
    std::printf("ends compared, %s: %d\n", how.c_str(), count);
  }
  bool enough = retries_ >= least;
  // What is not compared is not tested, however many cases there are.
  int ends = 0;
  for (const auto& [how, count] : compared_) ends += count;
  if (const auto whole = compared_.find("whole");
      whole == compared_.end() || whole->second * 10 < ends * 7) {
    std::printf("too few ends are compared whole\n");
    enough = false;
  }
  if (compared_events_ * 4 < events_) {
    std::printf("after too few events what the engine held was compared\n");
    enough = false;
  }
  for (const auto* counts : {&modes_, &signals_, &losses_}) {
    for (const auto& [name, count] : *counts) {
      if (count >= least) continue;
      std::printf("too few: %s\n", name.c_str());
      enough = false;
    }
  }
  return enough;
}

}  // namespace weir::random_runs
