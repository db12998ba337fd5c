#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <optional>

#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/event_json.h"
#include "cli/run_list.h"
#include "cli/run_text.h"
#include "cli/table.h"
#include "cli/usage.h"
#include "project/run_state_json.h"
#include "record/log_text.h"

namespace weir::cli {
namespace {

struct ReplayOptions {
  NamedRun run;
  std::optional<std::int64_t> at;
  bool json = false;
};

using event::EventView;
using event::Field;
using project::NodeState;
using project::RunState;
using project::State;

/// A run as it was after one of its events.
struct Moment {
  RunState state;
  std::int64_t last_seq = 0;  ///< of the run's events
  std::string event_text;     ///< the event, for people
  json::Object event;
};

/// Others tell of signals to the run, with their own numbers: what they said up to the event's time
/// is known by then.
class Replay {
 public:
  Replay(project::RunKey run, std::optional<std::int64_t> at) : run_(std::move(run)), at_(at) {}

  void take(const EventView& event) {
    moment_.last_seq = std::max(moment_.last_seq, event.run_seq());
    if (at_ && event.run_seq() > *at_) return;
    moment_.state.apply(event);
    if (event.run_seq() != moment_.state.last_run_seq) return;
    moment_.event_text = record::format_text(event);
    moment_.event = event_json(event);
  }
  void take_signal_of_others(const EventView& event) {
    if (event.run_id() == run_.run_id || moment_.state.events == 0) return;
    if (!run_.may_be_meant_by(event)) return;
    if (at_ && event.timestamp() > moment_.state.last_event_at) return;
    moment_.state.apply(event);
  }
  Moment moment() && { return std::move(moment_); }

 private:
  const project::RunKey run_;
  const std::optional<std::int64_t> at_;
  Moment moment_;
};

/// Errors: kInvalidInput when the run has no event of that number or before.
Result<Moment> replay_run(const log::StoreDirectory& store, const project::RunKey& run,
                          std::optional<std::int64_t> at) {
  Replay replay(run, at);
  // Its own first: what others say is of signals that it has answered, or not.
  const auto read = store::read_run(store, run, [&](const EventView& event) {
    replay.take(event);
    return Result<void>();
  });
  if (!read) return std::unexpected(read.error());
  const auto heard = store::read_mentions(store, run.run_id, [&](const EventView& event) {
    if (event.has(Field::kTargetRunId)) replay.take_signal_of_others(event);
    return Result<void>();
  });
  if (!heard) return std::unexpected(heard.error());
  auto moment = std::move(replay).moment();
  if (at && (*at > moment.last_seq || moment.state.events == 0)) {
    return fail(ErrorCode::kInvalidInput, "--at " + std::to_string(*at) +
                                              ": there is no such event; the run's last is " +
                                              std::to_string(moment.last_seq));
  }
  return moment;
}

void print_json(const Moment& moment) {
  const auto& run = moment.state;
  json::Object object;
  object.set("run_id", run.run_id.text());
  object.set("run_seq", run.last_run_seq);
  object.set("last_run_seq", moment.last_seq);
  object.set("event", moment.event);
  const auto substatus = to_string(run.substatus());
  object.set("substatus", substatus.empty() ? json::Value() : json::Value(substatus));
  object.set("inconsistent", run.is_inconsistent());
  object.set("stale", run.is_stale());
  object.set("has_gaps", !run.gaps(system_clock().now()).empty());
  object.set("state", project::to_json(run));
  const auto hash = project::hash_of(run);
  object.set("state_sha256", hash ? json::Value(hash->text()) : json::Value());
  std::printf("%s\n", json::to_pretty_text(object).c_str());
}

/// "7 nodes: 1 completed, 2 running, 4 pending"
std::string progress_of(const RunState& run) {
  const auto known = static_cast<std::int64_t>(run.nodes.size());
  const auto total = std::max(run.node_count, known);
  auto text = text::count(static_cast<std::size_t>(total), "node");
  const char* separator = ": ";
  for (const auto state : {State::kCompleted, State::kFailed, State::kCancelled, State::kSkipped,
                           State::kRunning, State::kPending}) {
    const auto count = run.count(state) + (state == State::kPending ? total - known : 0);
    if (count == 0) continue;
    text += separator + std::to_string(count) + " " + std::string(to_string(state));
    separator = ", ";
  }
  return text;
}

std::string took(const RunState& run, const NodeState& node) {
  const auto* attempt = node.last_attempt();
  if (attempt == nullptr) return "";
  if (attempt->duration_ms) return text::duration(*attempt->duration_ms);
  const auto end = attempt->ended_at.value_or(run.last_event_at);
  return text::duration(
      std::chrono::duration<double, std::milli>(end - attempt->started_at).count());
}

void print_nodes(const RunState& run) {
  if (run.nodes.empty()) return;
  Table table({"NODE", "STATE", "ATTEMPT", "TOOK", ""});
  table.align(2, Table::Align::kRight);
  table.align(3, Table::Align::kRight);
  for (const auto& node : run.nodes) {
    const auto* attempt = node.last_attempt();
    auto note = node.reason;
    if (attempt != nullptr && !attempt->error_type.empty())
      note = attempt->error_type + ": " + attempt->error_message;
    table.add({node.node_id, std::string(to_string(node.state)),
               attempt == nullptr ? "" : std::to_string(attempt->number), took(run, node),
               std::move(note)});
  }
  table.print(stdout);
}

void print_text(const Moment& moment) {
  const bool coloured = is_coloured(stdout);
  const auto& run = moment.state;
  const auto substatus = to_string(run.substatus());
  std::string headline = paint(coloured, Colour::kBold, text::printable(run.pipeline_id)) + "  " +
                         paint(coloured, colour_of(run.state), to_string(run.state));
  if (!substatus.empty()) headline.append("  ").append(substatus);
  if (run.duration_ms) headline.append("  ").append(text::duration(*run.duration_ms));
  std::printf("%s\n", headline.c_str());
  std::printf("run %s, as it was after event %lld of %lld, %s\n", run.run_id.text().c_str(),
              static_cast<long long>(run.last_run_seq), static_cast<long long>(moment.last_seq),
              to_string(run.last_event_at).c_str());
  std::printf("%s\n\n", paint(coloured, Colour::kGrey, moment.event_text).c_str());
  for (const auto& doubt : doubts_of(run))
    std::printf("%s\n", paint(coloured, Colour::kRed, doubt).c_str());
  std::printf("%s\n", progress_of(run).c_str());
  print_nodes(run);
  for (const auto& wait : waits_of(run)) std::printf("%s\n", wait.c_str());
}

int replay(const ReplayOptions& options, const Invocation& invocation) {
  const auto store = invocation.open_store();
  if (!store) return complain(store.error());
  const auto run = find_run(*store, options.run);
  if (!run) return complain_of_name(run.error());
  const auto moment = replay_run(*store, run->key(), options.at);
  if (!moment) return complain(moment.error());
  options.json ? print_json(*moment) : print_text(*moment);
  return kDone;
}

}  // namespace

void add_replay(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<ReplayOptions>();
  auto* command = app.add_subcommand("replay", "Show a run as it was after any of its events");
  add_named_run(*command, options->run);
  auto* at = command->add_option("--at", options->at,
                                 "The event's number, run_seq: the last event if absent");
  expect_number(at, 1, std::numeric_limits<std::int64_t>::max());
  command->add_flag("--json", options->json, "Print JSON, with a snapshot of the state");
  command->footer("Example: weir replay last --at 3");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return replay(*options, invocation); };
  });
}

}  // namespace weir::cli
