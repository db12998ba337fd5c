#include "report/compare.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "base/text.h"

namespace weir::report {
namespace {

using project::NodeState;
using project::State;

/// No smaller difference of two durations is one, in milliseconds.
constexpr double kLeastMs = 5;

void add_change(std::vector<Change>& changes, std::string_view what, std::string a, std::string b) {
  if (a != b) changes.push_back({std::string(what), std::move(a), std::move(b)});
}

std::string number_text(double value) {
  std::string text;
  const bool is_whole = value == std::floor(value) && std::abs(value) < 1e15;
  if (is_whole) return std::to_string(static_cast<std::int64_t>(value));
  json::append_double(text, value);
  return text;
}

template <class T>
std::vector<Change> changes_between(const std::map<std::string, T>& a,
                                    const std::map<std::string, T>& b, const auto& to_text) {
  std::set<std::string_view> names;
  for (const auto& [name, value] : a) names.insert(name);
  for (const auto& [name, value] : b) names.insert(name);
  std::vector<Change> changes;
  for (const auto name : names) {
    const auto text_in = [&](const std::map<std::string, T>& values) {
      const auto found = values.find(std::string(name));
      return found == values.end() ? std::string() : to_text(found->second);
    };
    add_change(changes, name, text_in(a), text_in(b));
  }
  return changes;
}

Side side_of(const ComparedRun& run) {
  const auto& state = run.state;
  return {.run_id = state.run_id,
          .pipeline_id = state.pipeline_id,
          .state = std::string(to_string(state.state)),
          .started_at = state.started_at,
          .duration_ms = state.duration_ms};
}

std::string error_text(const std::string& type, const std::string& message) {
  return type.empty() ? message : type + ": " + message;
}

std::vector<Change> outcome_changes(const project::RunState& a, const project::RunState& b) {
  std::vector<Change> changes;
  add_change(changes, "state", std::string(to_string(a.state)), std::string(to_string(b.state)));
  add_change(changes, "outcome", a.outcome, b.outcome);
  add_change(changes, "failed node", a.failed_node_id, b.failed_node_id);
  add_change(changes, "error", without_numbers(error_text(a.error_type, a.error_message)),
             without_numbers(error_text(b.error_type, b.error_message)));
  // What is compared is without numbers; what is shown is what was said.
  if (!changes.empty() && changes.back().what == "error") {
    changes.back().a = error_text(a.error_type, a.error_message);
    changes.back().b = error_text(b.error_type, b.error_message);
  }
  return changes;
}

/// Of each member that one has otherwise than the other, or not at all, where it differs first; but
/// not of those named.
void add_differences(std::vector<Change>& changes, const std::string& before, const json::Object& a,
                     const json::Object& b, std::initializer_list<std::string_view> but) {
  const auto add = [&](const std::string& name, const json::Value* left, const json::Value* right) {
    if (std::ranges::find(but, name) != but.end()) return;
    const json::Value none;
    const auto found =
        first_difference(left == nullptr ? none : *left, right == nullptr ? none : *right);
    if (!found) return;
    auto path = before + name;
    if (!found->path.empty() && !found->path.starts_with('[')) path += '.';
    changes.push_back({path + found->path, left == nullptr ? "" : found->left,
                       right == nullptr ? "" : found->right});
  };
  for (const auto& member : a) add(member.key, &member.value, b.find(member.key));
  for (const auto& member : b) {
    if (a.find(member.key) == nullptr) add(member.key, nullptr, &member.value);
  }
}

DurationChange duration_change(std::optional<double> a, std::optional<double> b,
                               std::optional<Usual> usual) {
  DurationChange change{.a_ms = a, .b_ms = b, .usual = usual};
  if (!a || !b || !usual) return change;
  const auto strange_a = is_unusual(*a, *usual, kLeastMs);
  const auto strange_b = is_unusual(*b, *usual, kLeastMs);
  if (!strange_a || !strange_b) return change;
  const auto side = [median = usual->median](double value, bool strange) {
    return !strange ? 0 : value > median ? 1 : -1;
  };
  auto difference = static_cast<double>(side(*b, *strange_b) - side(*a, *strange_a));
  if (difference == 0 && *strange_a) {
    // Both are strange in the same way: alike within the same share of noise around the first.
    auto around = *usual;
    around.median = *a;
    around.deviation *= usual->median > 0 ? *a / usual->median : 1;
    if (is_unusual(*b, around, kLeastMs).value_or(false)) difference = *b - *a;
  }
  change.pace = difference == 0 ? Pace::kAlike : difference > 0 ? Pace::kSlower : Pace::kFaster;
  return change;
}

std::optional<double> completed_in(const NodeState* node) {
  const auto* attempt = node == nullptr ? nullptr : node->last_attempt();
  if (attempt == nullptr || attempt->state != State::kCompleted) return {};
  return attempt->duration_ms;
}

std::string tool_text(const NodeState& node) {
  return node.plugin_id.empty() ? node.tool_id : node.plugin_id + "." + node.tool_id;
}

std::vector<Change> node_changes(const NodeState& a, const NodeState& b) {
  std::vector<Change> changes;
  const auto* last_a = a.last_attempt();
  const auto* last_b = b.last_attempt();
  add_change(changes, "state", std::string(to_string(a.state)), std::string(to_string(b.state)));
  if (last_a != nullptr && last_b != nullptr) {
    add_change(changes, "tool", tool_text(a), tool_text(b));
    add_change(changes, "attempts", std::to_string(last_a->number), std::to_string(last_b->number));
    // Whether a result was known says how it was had, not what it is.
    const auto outcome = [](const std::string& text) { return text == "cached" ? "" : text; };
    add_change(changes, "outcome", outcome(last_a->outcome), outcome(last_b->outcome));
    const auto error_a = error_text(last_a->error_type, last_a->error_message);
    const auto error_b = error_text(last_b->error_type, last_b->error_message);
    if (without_numbers(error_a) != without_numbers(error_b))
      changes.push_back({"error", error_a, error_b});
  }
  // Of a node that has completed it says where its output came from.
  const auto reason = [](const NodeState& node) {
    return node.state == State::kCompleted ? std::string() : without_numbers(node.reason);
  };
  add_change(changes, "reason", reason(a), reason(b));
  return changes;
}

/// Two runs of which the nodes, the messages and the rest are compared, one after the other.
class Comparing {
 public:
  Comparing(const ComparedRun& a, const ComparedRun& b, const NodeHistory& history,
            const ReadOutput& read_output)
      : a_(a), b_(b), history_(history), read_output_(read_output) {}

  Comparison compare() && {
    result_.a = side_of(a_);
    result_.b = side_of(b_);
    result_.settings =
        changes_between(a_.settings, b_.settings, [](const std::string& text) { return text; });
    add_change(result_.settings, "pipeline", result_.a.pipeline_id, result_.b.pipeline_id);
    if (!a_.written.empty() && !b_.written.empty()) {
      add_differences(result_.settings, "definition.", a_.written, b_.written,
                      {"id", "version", "nodes", "edges", "tools"});
    }
    result_.outcome = outcome_changes(a_.state, b_.state);
    result_.duration =
        duration_change(result_.a.duration_ms, result_.b.duration_ms, history_.usual(""));
    compare_graphs();
    compare_nodes();
    compare_logs();
    compare_counts();
    result_.parting = parting();
    return std::move(result_);
  }

 private:
  using Needs = std::map<std::string, std::vector<std::string>, std::less<>>;

  /// What each node of a graph needs, sorted.
  static Needs needs_of(const Plan& plan) {
    Needs needs;
    for (const auto& node : plan) {
      auto& ids = needs[node.id];
      for (const auto need : node.needs) ids.push_back(plan[need].id);
      std::ranges::sort(ids);
    }
    return needs;
  }

  /// Of graphs that only events tell of, a node that one run never reached is none of the other's.
  void compare_graphs() {
    plan_b_ = b_.plan();
    needs_a_ = needs_of(a_.plan());
    needs_b_ = needs_of(plan_b_);
    if (a_.definition.has_value() != b_.definition.has_value()) return;
    for (const auto& node : plan_b_) {
      const auto before = needs_a_.find(node.id);
      if (before == needs_a_.end()) {
        result_.nodes_added.push_back(node.id);
      } else {
        add_change(result_.nodes_moved, node.id, text::join(before->second),
                   text::join(needs_b_.find(node.id)->second));
      }
    }
    for (const auto& [id, needs] : needs_a_) {
      if (!needs_b_.contains(id)) result_.nodes_removed.push_back(id);
    }
  }

  void compare_nodes() {
    std::unordered_set<std::string> seen;
    const auto add = [&](const std::string& id) {
      if (seen.insert(id).second) compare_node(id);
    };
    for (const auto& node : plan_b_) add(node.id);
    for (const auto& node : b_.state.nodes) add(node.node_id);
    for (const auto& [id, needs] : needs_a_) add(id);
    for (const auto& node : a_.state.nodes) add(node.node_id);
  }

  void compare_node(const std::string& id) {
    const auto* in_a = a_.state.find_node(id);
    const auto* in_b = b_.state.find_node(id);
    const NodeState none;
    NodeComparison node{.node_id = id,
                        .in_a = in_a != nullptr || needs_a_.contains(id),
                        .in_b = in_b != nullptr || needs_b_.contains(id)};
    const auto state_in = [](bool is_there, const NodeState* state) {
      return !is_there ? ""
                       : std::string(to_string(state == nullptr ? State::kPending : state->state));
    };
    node.state_a = state_in(node.in_a, in_a);
    node.state_b = state_in(node.in_b, in_b);
    node.duration = duration_change(completed_in(in_a), completed_in(in_b), history_.usual(id));
    if (node.in_a && node.in_b) {
      node.changes = node_changes(in_a == nullptr ? none : *in_a, in_b == nullptr ? none : *in_b);
      compare_settings(node);
      compare_outputs(node);
    }
    // The name of a node with items stands for them: what it says is in its definition.
    const bool is_group = in_a == nullptr && in_b == nullptr && has_items(id);
    if (is_group) node.state_a = node.state_b = "";
    if (!is_group || node.differs()) result_.nodes.push_back(std::move(node));
  }

  [[nodiscard]] bool has_items(const std::string& id) const {
    return a_.state.find_node(id + "[0]") != nullptr || b_.state.find_node(id + "[0]") != nullptr;
  }

  /// As its file says it. Null: it does not.
  static const json::Object* written_node(const json::Object& file, std::string_view id) {
    const auto* nodes = file.find("nodes");
    if (nodes == nullptr || nodes->array() == nullptr) return nullptr;
    for (const auto& value : *nodes->array()) {
      const auto* node = value.object();
      const auto* name = node == nullptr ? nullptr : node->find("id");
      if (name != nullptr && name->string() != nullptr && *name->string() == id) return node;
    }
    return nullptr;
  }

  /// What both say of a node but its place in the graph, member by member.
  void compare_settings(NodeComparison& node) const {
    const auto* a = written_node(a_.written, node.node_id);
    const auto* b = written_node(b_.written, node.node_id);
    if (a == nullptr || b == nullptr) return;
    // What it needs is the graph's, and its tool the events tell.
    add_differences(node.changes, "", *a, *b, {"id", "needs", "plugin_id", "tool_id"});
  }

  void compare_outputs(NodeComparison& node) const {
    const auto a = a_.outputs.find(node.node_id), b = b_.outputs.find(node.node_id);
    if (a == a_.outputs.end() || b == b_.outputs.end()) return;
    if (a->second.sha256 == b->second.sha256) return;
    const auto value_a = value_of(a->second), value_b = value_of(b->second);
    node.output_differs = true;
    if (!value_a || !value_b) return;
    node.output = first_difference(*value_a, *value_b);
    node.output_differs = node.output.has_value();  // they may be written in two ways
  }

  [[nodiscard]] std::optional<json::Value> value_of(const NodeOutput& output) const {
    auto value = output.text.empty() ? read_output_(output.sha256) : json::parse(output.text);
    return value ? std::optional(*std::move(value)) : std::nullopt;
  }

  void compare_logs() {
    const auto add_missing = [](const ComparedRun& from, const ComparedRun& other,
                                std::vector<LogOnlyIn>& list) {
      for (const auto& [key, messages] : from.logs) {
        if (!other.logs.contains(key))
          list.push_back({key.node_id, key.level, messages.first, messages.count});
      }
    };
    add_missing(a_, b_, result_.logs_only_a);
    add_missing(b_, a_, result_.logs_only_b);
  }

  void compare_counts() {
    const auto nodes_in = [](const ComparedRun& run) {
      std::map<std::string, double> counts;
      for (const auto state :
           {State::kCompleted, State::kFailed, State::kSkipped, State::kCancelled}) {
        const auto count = run.state.count(state);
        if (count > 0)
          counts["nodes " + std::string(to_string(state))] = static_cast<double>(count);
      }
      for (const auto& [name, sum] : run.sums) counts[name] = sum;
      for (const auto& [type, count] : run.events)
        counts["events " + type] = static_cast<double>(count);
      return counts;
    };
    result_.counts = changes_between(nodes_in(a_), nodes_in(b_), number_text);
  }

  /// The node that differs though no node before it does; of several, the one that ended first.
  [[nodiscard]] std::optional<Parting> parting() const {
    std::unordered_map<std::string_view, const NodeComparison*> differing;
    for (const auto& node : result_.nodes) {
      if (node.differs()) differing.emplace(node.node_id, &node);
    }
    const NodeComparison* first = nullptr;
    for (const auto& node : result_.nodes) {
      if (!node.differs() || is_explained(node.node_id, differing)) continue;
      if (first == nullptr || end_of(node.node_id) < end_of(first->node_id)) first = &node;
    }
    if (result_.settings.empty() && first == nullptr) return {};
    return Parting{
        .setting = result_.settings.empty() ? std::string() : result_.settings.front().what,
        .node_id = first == nullptr ? std::string() : first->node_id,
        .sentence = first == nullptr ? std::string() : sentence_of(*first)};
  }

  [[nodiscard]] bool is_explained(
      std::string_view id,
      const std::unordered_map<std::string_view, const NodeComparison*>& differing) const {
    std::vector<std::string_view> open = {id};
    std::unordered_set<std::string_view> seen = {id};
    while (!open.empty()) {
      const auto at = open.back();
      open.pop_back();
      for (const auto* needs : {&needs_a_, &needs_b_}) {
        const auto found = needs->find(node_of_item(at));
        if (found == needs->end()) continue;
        for (const auto& need : found->second) {
          if (differing.contains(need)) return true;
          if (seen.insert(need).second) open.push_back(need);
        }
      }
    }
    return false;
  }

  /// In b, else in a: one that never ended comes last.
  [[nodiscard]] std::int64_t end_of(std::string_view id) const {
    for (const auto* run : {&b_, &a_}) {
      const auto found = run->ended_at.find(id);
      if (found != run->ended_at.end()) return found->second;
    }
    return std::numeric_limits<std::int64_t>::max();
  }

  static std::string sentence_of(const NodeComparison& node) {
    if (!node.in_a) return "it is new";
    if (!node.in_b) return "it is gone";
    if (!node.changes.empty()) {
      const auto& change = node.changes.front();
      const auto named = [](const std::string& text) { return text.empty() ? "none" : text; };
      return change.what + " " + named(change.a) + " in a, " + named(change.b) + " in b";
    }
    if (!node.output) return "it gave something else";
    return "it gave something else" +
           (node.output->path.empty() ? std::string() : " at " + node.output->path);
  }

  const ComparedRun& a_;
  const ComparedRun& b_;
  const NodeHistory& history_;
  const ReadOutput& read_output_;
  Plan plan_b_;
  Needs needs_a_;
  Needs needs_b_;
  Comparison result_;
};

}  // namespace

std::string_view pace_name(Pace pace) {
  static constexpr std::string_view kNames[] = {"alike", "slower", "faster", "unknown"};
  return kNames[static_cast<std::size_t>(pace)];
}

bool Comparison::is_same() const {
  return settings.empty() && outcome.empty() && nodes_added.empty() && nodes_removed.empty() &&
         nodes_moved.empty() && std::ranges::none_of(nodes, &NodeComparison::differs);
}

Comparison compare(const ComparedRun& a, const ComparedRun& b, const NodeHistory& history,
                   const ReadOutput& read_output) {
  return Comparing(a, b, history, read_output).compare();
}

}  // namespace weir::report
