#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>
#include <memory>

#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/run_list.h"
#include "cli/run_text.h"
#include "cli/terminal.h"
#include "log/run_lock.h"
#include "project/redaction_counts.h"
#include "project/run_state_json.h"
#include "report/format.h"
#include "store/history.h"

namespace weir::cli {
namespace {

struct ShowOptions {
  NamedRun run;
  bool json = false;
  std::size_t nodes = std::numeric_limits<std::size_t>::max();
  std::int64_t from_step = 0;
};

using project::Attempt;
using project::NodeState;
using project::RedactionCounts;
using project::RunState;
using project::State;

double offset_ms(const RunState& run, Timestamp time) {
  return std::chrono::duration<double, std::milli>(time - run.started_at).count();
}

/// What an attempt used, as words.
std::string text_of(const project::Usage& usage) {
  std::vector<std::string> words;
  const auto add_bytes = [&](std::string_view what, const std::optional<std::int64_t>& bytes) {
    if (!bytes || *bytes <= 0) return;
    words.push_back(std::string(what) + " " + report::bytes_text(static_cast<double>(*bytes)));
  };
  if (usage.cpu_ms) words.push_back("cpu " + text::duration(*usage.cpu_ms));
  add_bytes("memory", usage.memory_bytes);
  add_bytes("read", usage.read_bytes);
  add_bytes("written", usage.written_bytes);
  if (usage.rows && *usage.rows >= 0)
    words.push_back(report::counted(static_cast<std::uint64_t>(*usage.rows), "row"));
  return text::join(words);
}

json::Value text_or_null(const std::string& text) {
  return text.empty() ? json::Value() : json::Value(text);
}

json::Value node_json(const RunState& run, const NodeState& node) {
  const auto* attempt = node.last_attempt();
  const bool has_duration = attempt != nullptr && attempt->duration_ms;
  json::Object object;
  object.set("node_id", node.node_id);
  object.set("tool", node.plugin_id + "." + node.tool_id);
  object.set("step_index", node.step_index);
  object.set("state", to_string(node.state));
  object.set("attempts", static_cast<std::int64_t>(node.attempts.size()));
  object.set("starts_after_ms",
             attempt == nullptr ? json::Value() : json::Value(offset_ms(run, attempt->started_at)));
  object.set("duration_ms", has_duration ? json::Value(*attempt->duration_ms) : json::Value());
  json::Array predecessors;
  for (const auto& id : node.predecessors) predecessors.emplace_back(id);
  object.set("predecessor_node_ids", std::move(predecessors));
  if (attempt != nullptr && !attempt->error_type.empty()) {
    object.set("error_type", attempt->error_type);
    object.set("error_message", attempt->error_message);
  }
  if (attempt != nullptr) project::add_usage(object, attempt->usage);
  if (node.cache_hit) object.set("cache_hit", *node.cache_hit);
  if (node.undo != project::Undo::kNone) object.set("undo", to_string(node.undo));
  if (!node.reason.empty()) object.set("reason", node.reason);
  json::Array lines;
  for (const auto& line : node.last_log_lines) lines.emplace_back(line);
  object.set("log_lines", node.log_lines);
  object.set("last_log_lines", std::move(lines));
  return object;
}

/// How many nodes are in which state.
json::Object node_states(const RunState& run) {
  std::map<std::string_view, std::int64_t> counts;
  for (const auto& node : run.nodes) ++counts[to_string(node.state)];
  json::Object object;
  for (const auto& [state, count] : counts) object.set(state, count);
  return object;
}

json::Value run_json(const ListedRun& listed, const RedactionCounts& redacted,
                     const ShowOptions& options) {
  const auto& run = listed.state;
  json::Object object;
  object.set("run_id", run.run_id.text());
  object.set("tenant_id", text_or_null(listed.tenant_id));
  object.set("pipeline_id", run.pipeline_id);
  object.set("state", listed.word);
  object.set("started_at", to_string(run.started_at));
  object.set("duration_ms", run.duration_ms ? json::Value(*run.duration_ms) : json::Value());
  object.set("node_count", run.node_count);
  object.set("events", run.events);
  object.set("failed_node_id", text_or_null(run.failed_node_id));
  object.set("error_type", text_or_null(run.error_type));
  object.set("error_message", text_or_null(run.error_message));
  object.set("substatus", text_or_null(std::string(to_string(run.substatus()))));
  json::Array doubts;
  for (auto& doubt : doubts_of(run)) doubts.emplace_back(std::move(doubt));
  object.set("doubts", std::move(doubts));
  json::Object counts;
  for (const auto& [rule, count] : redacted.by_rule())
    counts.set(rule, static_cast<std::int64_t>(count));
  object.set("redacted", std::move(counts));
  object.set("node_states", node_states(run));
  json::Array nodes;
  for (const auto& node : run.nodes) {
    if (nodes.size() >= options.nodes) break;
    if (node.step_index >= options.from_step) nodes.push_back(node_json(run, node));
  }
  object.set("nodes", std::move(nodes));
  return object;
}

/// Draws the nodes of a run below each other, with when and how long each ran, until `now` if it
/// runs.
class Tree {
 public:
  Tree(const RunState& run, std::string_view word, Timestamp now)
      : run_(run), word_(word), now_(now), coloured_(is_coloured(stdout)) {
    for (const auto& node : run.nodes) {
      name_width_ = std::max(name_width_, display_width(node.node_id));
      tool_width_ = std::max(tool_width_, display_width(node.plugin_id + "." + node.tool_id));
      if (const auto* attempt = node.last_attempt()) {
        total_ms_ = std::max(total_ms_, offset_ms(run, attempt->started_at) + length_ms(*attempt));
      }
    }
  }

  void print() const {
    const auto not_started = run_.node_count - static_cast<std::int64_t>(run_.nodes.size());
    for (const auto& node : run_.nodes) {
      print_node(node, &node == &run_.nodes.back() && not_started <= 0);
    }
    if (not_started > 0) {
      const auto text = text::count(static_cast<std::size_t>(not_started), "node") +
                        without_start(not_started == 1);
      std::printf("└─ %s\n", paint(coloured_, Colour::kGrey, text).c_str());
    }
  }

 private:
  [[nodiscard]] const char* without_start(bool is_one) const {
    if (word_.starts_with("paused"))
      return is_one ? " waits for the run to go on" : " wait for the run to go on";
    return word_.starts_with("running") ? " not started yet" : " never started";
  }

  void print_node(const NodeState& node, bool last) const {
    const auto* attempt = node.last_attempt();
    const auto length = attempt == nullptr ? 0 : length_ms(*attempt);
    std::printf(
        "%s %s %s  %s", last ? "└─" : "├─",
        paint(coloured_, colour_of(node.state), mark_of(node.state)).c_str(),
        pad(node.node_id, name_width_).c_str(),
        paint(coloured_, Colour::kGrey, pad(node.plugin_id + "." + node.tool_id, tool_width_))
            .c_str());
    if (attempt != nullptr) {
      std::printf(
          "  %s  %s", pad_left(text::duration(length), 9).c_str(),
          paint(coloured_, colour_of(node.state), bar(offset_ms(run_, attempt->started_at), length))
              .c_str());
      if (attempt->number > 1)
        std::printf("  attempt %lld", static_cast<long long>(attempt->number));
      if (attempt->outcome == "cached") std::printf("  cached");
      print_undo(node.undo);
    } else {
      std::printf("  %s", std::string(to_string(node.state)).c_str());
    }
    std::printf("\n");
    const auto* indent = last ? "       " : "│      ";
    const auto used = attempt == nullptr ? "" : text_of(attempt->usage);
    if (!used.empty()) std::printf("%s%s\n", indent, paint(coloured_, Colour::kGrey, used).c_str());
    if (node.state == State::kFailed) print_failure(node, indent);
  }

  /// What it took, or has taken so far.
  [[nodiscard]] double length_ms(const Attempt& attempt) const {
    const auto end = attempt.state == State::kRunning ? now_ : run_.last_event_at;
    return attempt.duration_ms.value_or(offset_ms(run_, end) - offset_ms(run_, attempt.started_at));
  }

  void print_undo(project::Undo undo) const {
    if (undo == project::Undo::kUndone) std::printf("  undone");
    if (undo == project::Undo::kFailed) {
      std::printf("  %s", paint(coloured_, Colour::kRed, "not undone").c_str());
    }
  }

  void print_failure(const NodeState& node, const char* indent) const {
    const auto& attempt = node.attempts.back();
    // Other systems may say only one of the two.
    const bool has_both = !attempt.error_type.empty() && !attempt.error_message.empty();
    std::printf("%s%s%s%s\n", indent, paint(coloured_, Colour::kRed, attempt.error_type).c_str(),
                has_both ? ": " : "", text::printable(attempt.error_message).c_str());
    const auto hidden = node.log_lines - static_cast<std::int64_t>(node.last_log_lines.size());
    if (hidden > 0) std::printf("%s… %lld earlier lines\n", indent, static_cast<long long>(hidden));
    for (const auto& line : node.last_log_lines)
      std::printf("%s| %s\n", indent, text::printable(line).c_str());
  }

  /// When the node ran within the run: at least one mark wide.
  [[nodiscard]] std::string bar(double start, double length) const {
    constexpr double kColumns = 40;
    const auto scale = total_ms_ > 0 ? kColumns / total_ms_ : 0;
    const auto begin = std::min(std::floor(start * scale), kColumns - 1);
    const auto size = std::max(1.0, std::min(std::round(length * scale), kColumns - begin));
    std::string text(static_cast<std::size_t>(std::max(begin, 0.0)), ' ');
    for (int i = 0; i < static_cast<int>(size); ++i) text += "━";
    return text;
  }

  const RunState& run_;
  const std::string_view word_;  // for its state
  const Timestamp now_;
  const bool coloured_;
  std::size_t name_width_ = 0;
  std::size_t tool_width_ = 0;
  double total_ms_ = 0;
};

void print_redacted(const RedactionCounts& redacted) {
  std::string rules;
  for (const auto& [rule, count] : redacted.by_rule()) {
    rules.append(rules.empty() ? "" : ", ").append(text::printable(rule));
    rules.append(" ").append(std::to_string(count));
  }
  if (!rules.empty()) std::printf("redacted: %s\n", rules.c_str());
}

void print_run(const ListedRun& listed, const RedactionCounts& redacted, Timestamp now) {
  const bool coloured = is_coloured(stdout);
  const auto& run = listed.state;
  const auto& state = listed.word;
  std::printf("%s  %s  %s\n", paint(coloured, Colour::kBold, run.pipeline_id).c_str(),
              paint(coloured, colour_of(run.state), state).c_str(),
              run.duration_ms ? text::duration(*run.duration_ms).c_str() : "");
  std::printf("run %s, started %s, %s\n", run.run_id.text().c_str(),
              to_string(run.started_at).c_str(),
              text::count(static_cast<std::size_t>(run.events), "event").c_str());
  print_redacted(redacted);
  if (state == "interrupted") {
    std::printf("The process that ran it is gone; its last event is of %s.\n",
                to_string(run.last_event_at).c_str());
  }
  if (run.state == State::kFailed && run.failed_node_id.empty()) {
    std::printf("Nothing was executed: %s\n%s\n", run.error_type.c_str(),
                run.error_message.c_str());
  }
  for (const auto& doubt : doubts_of(run))
    std::printf("%s\n", paint(coloured, Colour::kRed, doubt).c_str());
  Tree(run, state, now).print();
  for (const auto& wait : waits_of(run)) std::printf("%s\n", wait.c_str());
}

int show(const ShowOptions& options, const Invocation& invocation) {
  const auto store = invocation.open_store();
  if (!store) return complain(store.error());
  const auto run = find_run(*store, options.run);
  if (!run) return complain_of_name(run.error());
  // What still runs does so now if somebody has the run; else nothing is known after its last
  // event.
  const bool is_owned = log::RunLock::is_held(*store, run->state.run_id);
  const auto now = is_owned ? system_clock().now() : run->state.last_event_at;
  RedactionCounts redacted;
  const auto read = store::read_run(*store, run->key(), [&](const event::EventView& event) {
    redacted.apply(event);
    return Result<void>();
  });
  if (!read) return complain(read.error());
  if (options.json) {
    std::printf("%s\n", json::to_pretty_text(run_json(*run, redacted, options)).c_str());
  } else {
    print_run(*run, redacted, now);
  }
  return kDone;
}

}  // namespace

void add_show(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<ShowOptions>();
  auto* command = app.add_subcommand("show", "Show what happened in a run, node by node");
  add_named_run(*command, options->run);
  auto* json = command->add_flag("--json", options->json, "Print JSON");
  command->add_option("--nodes", options->nodes, "How many nodes at the most")->needs(json);
  command->add_option("--from-step", options->from_step, "Nodes from this step_index on")
      ->needs(json);
  command->footer("Example: weir show last");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return show(*options, invocation); };
  });
}

}  // namespace weir::cli
