#include "tests/random_runs/random_pipeline.h"

#include <algorithm>
#include <array>
#include <optional>
#include <random>
#include <string_view>

#include "tests/random_runs/child_pipeline.h"
#include "tests/random_runs/races.h"

namespace weir::random_runs {
namespace {

/// Of a `for_each`.
constexpr std::size_t kMaxItems = 3;

/// What a node may ask about one that comes after it: then it is certain that the other has not
/// begun, so that the answer does not depend on who is first.
constexpr auto kOfNodes = std::to_array<std::string_view>(
    {"skip-step", "inject-override", "update-target", "update-target", "approve"});
constexpr auto kEnds = std::to_array<std::string_view>({"cancel", "retry-run", "emergency-stop"});
/// After another. Who is stopped at once takes nothing back, so that it would depend on whether
/// the run was lost between the two what is taken back.
constexpr auto kSecondEnds = std::to_array<std::string_view>({"cancel", "retry-run"});

/// What tools tell of their work; the test's tool knows each word.
constexpr auto kTold =
    std::to_array<std::string_view>({"line", "sound", "artifact", "agent", "own event", "call",
                                     "failed call", "sound", "notification"});

class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(seed) {}

  RandomPipeline make() {
    static constexpr std::array<std::string_view, 3> kModes = {"fail_fast", "continue",
                                                               "best_effort"};
    made_.mode = kModes[below(3)];
    made_.jobs = static_cast<int>(1 + below(3));
    are_ends_alone_ = !one_in(6);
    if (one_in(4)) made_.execution_mode = one_in(2) ? "practice" : "real";
    const auto count = 2 + below(6);
    has_guard_ = one_in(4);
    asks_things_ = !has_guard_ || one_in(2);
    const auto end = asks_things_ && one_in(2) ? count / 2 + below(count - count / 2) : count;
    const auto streams = one_in(3) ? (has_guard_ ? 0 : below(count)) : count;
    for (std::size_t i = 0; i < count; ++i) {
      if (i == streams) add_streams();
      add_node(i == end);
    }
    if (has_guard_) add_guard();
    if (has_guard_ && one_in(2)) add_guard();
    if (asks_things_) {
      for (auto asks = 2 + below(4); asks > 0; --asks) ask_something();
      if (made_.mode == "continue" && end == count && one_in(2)) add_retried_node();
    }
    made_.guards_race = has_guard_ && guards_race(nodes_);
    made_.changes_race = changes_race(nodes_, changes_);
    made_.ends_beside_others = ends_beside_others(nodes_);
    made_.text = text();
    return std::move(made_);
  }

 private:
  std::size_t below(std::size_t n) { return random_() % n; }
  bool one_in(std::size_t n) { return below(n) == 0; }

  Node& new_node(const std::string& id) {
    auto& node = nodes_.emplace_back();
    node.id = id;
    node.json.set("id", id);
    node.with.set("name", id);  // so that none finds what another made in the cache
    return node;
  }

  void need(Node& node, std::size_t other) {
    node.needs.insert(other);
    node.ancestors.insert(other);
    node.ancestors.insert(nodes_[other].ancestors.begin(), nodes_[other].ancestors.end());
  }

  void add_node(bool ends_run) {
    const auto index = nodes_.size();
    auto& node = new_node("n" + std::to_string(index));
    node.runs_child = !ends_run && one_in(8);
    node.runs_child ? run_child(node) : choose_failure(node);
    if (one_in(8) && asks_things_) {
      node.json.set("approval", json::Object());
      made_.answers[node.id] = one_in(4) ? "deny" : "approve";
      if (made_.answers[node.id] == "deny") fail_for_good(node);
    }
    if (ends_run) {
      node.may_end_run = made_.may_be_cancelled = true;
      ask(index, kEnds[below(kEnds.size())]);
      if (one_in(3)) ask(index, kSecondEnds[below(kSecondEnds.size())]);
    }
    choose_needs(index);
    if (one_in(10)) node.json.set("when", one_in(2) ? "1 == 2" : "1 == 1");
    if (one_in(10) && !(node.may_end_run && are_ends_alone_) && !ends_run) {
      node.json.set("for_each", "${params.list}");
    }
    if (one_in(4)) node.json.set("domain", "d");
    if (!node.runs_child) add_details(node);
  }

  /// What only nodes with a tool have.
  void add_details(Node& node) {
    const bool is_first = node.needs.empty() && !node.may_end_run && !node.may_fail &&
                          node.json.find("for_each") == nullptr &&
                          node.json.find("approval") == nullptr;
    node.is_known = is_first && one_in(3);
    if (node.is_known || one_in(12)) {
      node.json.set("cache", true);
    } else if (one_in(4)) {
      add_undo(node);
    }
    if (one_in(3)) node.tells.emplace_back(std::string(kTold[below(kTold.size())]));
    // Items would share the circuit, so that one is refused while another is tried.
    if (node.json.find("retry") == nullptr || node.json.find("for_each") != nullptr) return;
    // Run again by a guard, it would find its circuit open or not, as time has passed.
    if (has_guard_ && node.fails_for_good) return;
    if (one_in(2)) break_circuit(node);
  }

  /// It opens with the first failure, and lets the next try through, or refuses all that follow.
  void break_circuit(Node& node) {
    const bool refuses = node.fails_for_good && one_in(3);
    made_.has_open_circuit = made_.has_open_circuit || refuses;
    json::Object breaker;
    breaker.set("operation", "play");
    breaker.set("provider", node.id);
    breaker.set("failures", 1);
    breaker.set("open_for", refuses ? "1h" : "1ms");
    node.json.set("circuit_breaker", std::move(breaker));
    auto retry = *node.json.find("retry")->object();
    retry.set("delay", "1ms");
    retry.set("jitter", "none");
    node.json.set("retry", std::move(retry));
  }

  void run_child(Node& node) {
    const bool fails = one_in(4);
    const std::string id = fails ? "bad" : "good";
    node.json.set("pipeline", id);
    const ChildPipeline child{.id = id, .tries_again = one_in(2), .fails = fails};
    made_.children.try_emplace(id, text_of(child));
    if (one_in(3)) set_retry(node, 2);
    if (fails) fail_for_good(node);
  }

  /// Two nodes that share a stream.
  void add_streams() {
    const auto writer = nodes_.size(), reader = writer + 1;
    const std::string from = "writer" + std::to_string(writer),
                      to = "reader" + std::to_string(reader);
    new_node(from).with.set("chunks", 6);
    auto& reads = new_node(to);
    const bool writer_fails = one_in(10);
    if (writer_fails) {
      fail_for_good(nodes_[writer], 1000);
    } else if (one_in(10)) {
      fail_for_good(reads, 1000);
    } else if (one_in(4)) {
      reads.with.set("reads", 2);
    }
    for (const auto index : {writer, reader}) {
      auto& node = nodes_[index];
      node.has_stream = true;
      if (one_in(4)) add_undo(node);
    }
    if (!has_guard_) {
      choose_needs(writer, writer);
      choose_needs(reader, writer);
    }
    json::Object stream, edge;
    static constexpr std::array<std::string_view, 3> kOnFull = {"block", "drop_oldest",
                                                                "drop_newest"};
    stream.set("capacity", 4);
    stream.set("on_full", one_in(2) ? "block" : kOnFull[below(3)]);
    edge.set("from_node", from);
    edge.set("to_node", to);
    edge.set("stream", std::move(stream));
    edges_.emplace_back(std::move(edge));
  }

  static json::Object retry_of(std::size_t tries) {
    json::Object retry;
    retry.set("max_attempts", static_cast<std::int64_t>(tries));
    retry.set("delay", "0ms");
    return retry;
  }
  static void set_retry(Node& node, std::size_t tries) { node.json.set("retry", retry_of(tries)); }

  void choose_failure(Node& node) {
    if (one_in(5)) {
      const auto tries = 2 + below(2);
      const auto fails = 1 + below(3);
      set_retry(node, tries);
      fails < tries ? fail(node, fails) : fail_for_good(node, fails);
    } else if (one_in(12)) {
      fail_for_good(node, 1000);
      choose_how(node);
    }
  }

  /// It fails whatever happens: by its tool, by its time, or since its mode does not allow the
  /// tool.
  void choose_how(Node& node) {
    if (one_in(3)) {
      node.with.set("hangs", true);
      node.json.set("timeout", "5ms");
    } else if (made_.execution_mode == "practice" && one_in(2)) {
      node.tool = "denied";
    }
  }

  static void fail(Node& node, std::size_t times) {
    node.may_fail = true;
    node.with.set("fail", static_cast<std::int64_t>(times));
  }

  void fail_for_good(Node& node, std::size_t times) {
    fail(node, times);
    fail_for_good(node);
  }

  void fail_for_good(Node& node) {
    node.may_fail = node.fails_for_good = true;
    if (made_.mode != "fail_fast") return;
    node.may_end_run = made_.may_fail_for_good = true;
  }

  /// Who may end the run comes after all before it and before all after it, unless it is to be seen
  /// what happens when it runs beside others.
  void choose_needs(std::size_t index) { choose_needs(index, index); }
  /// Of those before `end`.
  void choose_needs(std::size_t index, std::size_t end) {
    auto& node = nodes_[index];
    for (std::size_t before = 0; before < end; ++before) {
      const bool is_alone = nodes_[before].may_end_run || node.may_end_run;
      if ((is_alone && are_ends_alone_) || one_in(3)) need(node, before);
    }
  }

  void add_undo(Node& node) {
    json::Object undo, with;
    undo.set("tool", "undo");
    with.set("fails", one_in(3));
    undo.set("with", std::move(with));
    node.json.set("undo", std::move(undo));
  }

  /// After all others, so that there is something to run again.
  void add_guard() {
    const auto index = nodes_.size();
    auto& node = new_node("guard" + std::to_string(index));
    if (are_ends_alone_) {
      for (std::size_t before = 0; before < index; ++before) need(node, before);
    } else {
      need(node, 0);
      choose_needs(index);
    }
    const auto again = single_before(index, [](const Node& one) {
      return !one.has_stream && one.json.find("cache") == nullptr;
    });
    if (!again) return;
    json::Object guard;
    const auto retry_node = nodes_[*again].id;
    guard.set("retry_node", retry_node);
    guard.set("max_attempts", static_cast<std::int64_t>(2 + below(3)));
    guard.set("stagnation_limit", static_cast<std::int64_t>(one_in(4) ? 2 : 100));
    node.json.set("guard_retry", std::move(guard));
    fail_for_good(node, 1 + below(3));
    if (one_in(4)) add_beside(*again);
  }

  /// It runs again too, and the guard does not wait for it.
  void add_beside(std::size_t retry_node) {
    auto& node = new_node("beside" + std::to_string(nodes_.size()));
    need(node, retry_node);
    if (!one_in(4)) node.json.set("for_each", "${params.list}");
    if (!one_in(3)) return;
    json::Object retry;
    retry.set("max_attempts", 3);
    retry.set("delay", "1ms");
    node.json.set("retry", std::move(retry));
    fail(node, 1);
  }

  /// One that comes before the node and has no items.
  template <class May>
  std::optional<std::size_t> single_before(std::size_t node, May may_be) {
    std::vector<std::size_t> single;
    for (const auto ancestor : nodes_[node].ancestors) {
      const auto& one = nodes_[ancestor];
      if (one.json.find("for_each") == nullptr && may_be(one)) single.push_back(ancestor);
    }
    if (single.empty()) return {};
    return single[below(single.size())];
  }

  /// What is in the cache is not run.
  static bool may_ask(const Node& node) { return !node.runs_child && !node.is_known; }

  void ask_something() {
    const auto asker = below(nodes_.size());
    if (nodes_[asker].json.find("for_each") != nullptr) return;  // each item would ask
    if (!may_ask(nodes_[asker])) return;
    switch (below(11)) {
      case 0:
      case 1:
      case 2:
        return update_params(asker);
      case 3:
        ask(asker, "pause");
        return ask(asker, "resume");
      case 4:
        return ask(asker, "escalate-alert");
      default:
        return ask_of_later_node(kOfNodes[below(kOfNodes.size())]);
    }
  }

  void update_params(std::size_t asker) {
    if (updates_params_) return;
    const auto before = changes_.size();
    for (std::size_t node = 0; node < nodes_.size(); ++node) {
      if (!nodes_[node].ancestors.contains(asker) || nodes_[node].runs_child) continue;
      changes_.push_back({.asker = asker, .target = node});
    }
    if (changes_.size() == before || is_unwanted_race()) return changes_.resize(before);
    for (auto change = before; change < changes_.size(); ++change) {
      nodes_[changes_[change].target].with.set("value", "${params.v}");
    }
    updates_params_ = true;
    ask(asker, "update-params");
  }

  /// About a node that has not begun when it is asked.
  void ask_of_later_node(std::string_view type) {
    const bool is_answer = type == "approve";
    for (std::size_t tries = nodes_.size(); tries > 0; --tries) {
      const auto target = below(nodes_.size());
      auto& node = nodes_[target];
      const bool asks_person = made_.answers.contains(node.id);
      if (node.is_aimed_at || node.json.find("for_each") != nullptr) continue;
      if (asks_person && !is_answer) continue;
      if (is_answer && node.has_stream) continue;
      if (type == "update-target" && node.runs_child) continue;
      const auto asker = single_before(target, may_ask);
      if (!asker) continue;
      node.is_freed = type == "skip-step" || type == "inject-override";
      if (!is_answer) changes_.push_back({.asker = *asker, .target = target});
      if (is_unwanted_race()) {
        node.is_freed = false;
        changes_.pop_back();
        continue;
      }
      node.is_aimed_at = true;
      if (is_answer && !asks_person) {
        node.json.set("approval", json::Object());
        made_.answers[node.id] = "approve";
      }
      return ask(*asker, is_answer ? made_.answers[node.id] : std::string(type), node.id);
    }
  }

  void ask(std::size_t asker, std::string_view type, const std::string& node = {}) {
    json::Object ask;
    ask.set("type", type);
    ask.set("id", "ask-" + std::to_string(asks_++));
    if (!node.empty()) ask.set("node", node);
    nodes_[asker].asks.emplace_back(std::move(ask));
  }

  /// Beside the others, so that it begins whatever they do; while `hold` waits the run goes on.
  void add_retried_node() {
    fail(new_node("retried"), 1);
    made_.retried_node = "retried";
    new_node("hold").json.set("approval", json::Object());
    made_.answers["hold"] = "approve";
  }

  /// Most pipelines are to end in one way only.
  [[nodiscard]] bool is_unwanted_race() { return changes_race(nodes_, changes_) && !one_in(10); }

  std::string text() {
    json::Array nodes, known_nodes;
    for (auto& node : nodes_) {
      made_.ids.push_back(node.id);
      if (node.json.find("for_each") != nullptr) {
        for (std::size_t i = 0; i < kMaxItems; ++i) {
          made_.ids.push_back(node.id + "[" + std::to_string(i) + "]");
        }
      }
      finish(node);
      if (node.is_known) known_nodes.emplace_back(node.json);
      nodes.emplace_back(std::move(node.json));
    }
    auto pipeline = settings();
    if (!known_nodes.empty()) {
      auto known = pipeline;
      known.set("nodes", std::move(known_nodes));
      made_.known_text = json::to_text(known);
    }
    pipeline.set("nodes", std::move(nodes));
    if (!edges_.empty()) pipeline.set("edges", std::move(edges_));
    return json::to_text(pipeline);
  }

  void finish(Node& node) {
    json::Array needs;
    for (const auto needed : node.needs) needs.emplace_back(nodes_[needed].id);
    if (!needs.empty()) node.json.set("needs", std::move(needs));
    if (node.runs_child) return;
    node.json.set("plugin_id", "x");
    node.json.set("tool_id", node.tool);
    if (!node.asks.empty()) node.with.set("asks", std::move(node.asks));
    if (!node.tells.empty()) node.with.set("tells", std::move(node.tells));
    node.json.set("with", std::move(node.with));
  }

  static json::Object modes() {
    json::Object practice, modes;
    practice.set("allow", json::Array{json::Value("x.*")});
    practice.set("deny", json::Array{json::Value("x.denied")});
    modes.set("practice", std::move(practice));
    modes.set("real", json::Object());
    return modes;
  }

  /// Of the pipeline, but for its nodes.
  json::Object settings() {
    json::Object v, list, params, domains, pipeline;
    json::Array items;
    for (auto n = below(kMaxItems + 1); n > 0; --n)
      items.emplace_back(static_cast<std::int64_t>(n));
    v.set("type", "integer");
    v.set("default", 1);
    list.set("type", "list");
    list.set("default", std::move(items));
    params.set("v", std::move(v));
    params.set("list", std::move(list));
    domains.set("d", static_cast<std::int64_t>(1 + below(2)));
    pipeline.set("id", "p");
    pipeline.set("on_failure", made_.mode);
    pipeline.set("seed", static_cast<std::int64_t>(below(1000)));
    pipeline.set("params", std::move(params));
    pipeline.set("domains", std::move(domains));
    made_.says_io = one_in(6);
    if (!made_.execution_mode.empty()) pipeline.set("execution_modes", modes());
    if (one_in(4)) pipeline.set("tool_events", true);
    if (one_in(4)) {
      json::Object wide;
      wide.set("nodes", true);
      wide.set("run", true);
      pipeline.set("wide_events", std::move(wide));
    }
    if (one_in(5)) {
      pipeline.set("requires_capabilities", json::Array{json::Value("teleport")});
      pipeline.set("fallback", one_in(2) ? "emulate" : "degrade");
    }
    return pipeline;
  }

  std::mt19937_64 random_;
  RandomPipeline made_;
  std::vector<Node> nodes_;
  std::vector<Change> changes_;
  json::Array edges_;  // with streams
  bool has_guard_ = false;
  bool asks_things_ = false;
  bool are_ends_alone_ = false;
  bool updates_params_ = false;
  int asks_ = 0;
};

}  // namespace

RandomPipeline random_pipeline(std::uint64_t seed) { return Maker(seed).make(); }

}  // namespace weir::random_runs
