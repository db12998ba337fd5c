#include "tests/random_runs/random_pipeline.h"

#include <algorithm>
#include <array>
#include <optional>
#include <random>
#include <string_view>

namespace weir::random_runs {
namespace {

/// What a node may ask of the run, or about a node that comes after it: then it is certain that the
/// other has not begun, so that the answer does not depend on who is first.
constexpr auto kOfNodes =
    std::to_array<std::string_view>({"skip-step", "inject-override", "update-target"});
constexpr auto kEnds = std::to_array<std::string_view>({"cancel", "retry-run", "emergency-stop"});

class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(seed) {}

  RandomPipeline make() {
    static constexpr std::array<std::string_view, 3> kModes = {"fail_fast", "continue",
                                                               "best_effort"};
    made_.mode = kModes[below(3)];
    made_.jobs = static_cast<int>(1 + below(3));
    const auto count = 2 + below(6);
    made_.has_guard = one_in(3);
    for (std::size_t i = 0; i < count; ++i) add_node(i);
    if (made_.has_guard) {
      add_guard();
      if (one_in(2)) add_guard();
      // What fails beside a guard has done so once more, or not, when the guard begins anew.
      const auto fails = [](const Node& node) { return node.with.find("fail") != nullptr; };
      if (std::ranges::count_if(nodes_, fails) > 1) made_.ends_early = true;
    } else {
      for (auto asks = 1 + below(3); asks > 0; --asks) ask_something();
      if (below(8) == 0) add_retried_node();
    }
    // Who skips a node lets those after it begin, before or after they are changed themselves.
    if (frees_ && changes_ > 1) made_.ends_early = true;
    json::Object params;
    for (const auto* name : {"v", "list"}) {
      json::Object param;
      param.set("type", std::string_view(name) == "v" ? "integer" : "list");
      if (std::string_view(name) == "v") {
        param.set("default", 1);
      } else {
        json::Array list;
        for (auto n = below(4); n > 0; --n) list.emplace_back(static_cast<std::int64_t>(n));
        param.set("default", std::move(list));
      }
      params.set(name, std::move(param));
    }
    json::Object pipeline;
    pipeline.set("id", "p");
    pipeline.set("on_failure", made_.mode);
    pipeline.set("seed", static_cast<std::int64_t>(below(1000)));
    pipeline.set("params", std::move(params));
    json::Array nodes;
    for (auto& node : nodes_) {
      node.with.set("ask", std::move(node.asks));
      node.json.set("with", std::move(node.with));
      nodes.emplace_back(std::move(node.json));
    }
    pipeline.set("nodes", std::move(nodes));
    made_.text = json::to_text(pipeline);
    return std::move(made_);
  }

 private:
  struct Node {
    std::string id;
    json::Object json;
    json::Object with;
    json::Array asks;
    std::set<std::size_t> ancestors;
    bool is_aimed_at = false;
  };

  std::size_t below(std::size_t n) { return random_() % n; }
  bool one_in(std::size_t n) { return below(n) == 0; }

  Node& new_node(const std::string& id) {
    auto& node = nodes_.emplace_back();
    node.id = id;
    node.json.set("id", id);
    node.json.set("plugin_id", "x");
    node.json.set("tool_id", "play");
    return node;
  }

  void add_node(std::size_t index) {
    auto& node = new_node("n" + std::to_string(index));
    json::Array needs;
    for (std::size_t before = 0; before < index; ++before) {
      if (!one_in(3)) continue;
      needs.emplace_back(nodes_[before].id);
      node.ancestors.insert(before);
      node.ancestors.insert(nodes_[before].ancestors.begin(), nodes_[before].ancestors.end());
    }
    if (!needs.empty()) node.json.set("needs", std::move(needs));
    if (one_in(10)) node.json.set("when", one_in(2) ? "1 == 2" : "1 == 1");
    if (one_in(10)) node.json.set("for_each", "${params.list}");
    if (one_in(8) && !made_.has_guard) {
      node.json.set("approval", json::Object());
      made_.answers[node.id] = one_in(4) ? "deny" : "approve";
      if (made_.answers[node.id] == "deny" && made_.mode == "fail_fast") made_.ends_early = true;
    }
    if (one_in(5)) {
      json::Object retry;
      retry.set("max_attempts", static_cast<std::int64_t>(2 + below(2)));
      retry.set("delay", "0ms");
      node.json.set("retry", std::move(retry));
      node.with.set("fail", static_cast<std::int64_t>(1 + below(3)));
      if (made_.mode == "fail_fast") made_.ends_early = true;  // it may fail for good
    } else if (one_in(8)) {
      node.with.set("fail", 1000);
      if (made_.mode == "fail_fast") made_.ends_early = true;
    }
  }

  /// After all others, so that there is something to run again.
  void add_guard() {
    const auto index = nodes_.size();
    auto& node = new_node("guard" + std::to_string(index));
    json::Array needs;
    for (std::size_t before = 0; before < index; ++before) {
      if (before != 0 && !one_in(2)) continue;
      needs.emplace_back(nodes_[before].id);
      node.ancestors.insert(before);
      node.ancestors.insert(nodes_[before].ancestors.begin(), nodes_[before].ancestors.end());
    }
    node.json.set("needs", std::move(needs));
    const auto again = single_before(node);
    if (!again) return;  // all before it run for each of some items
    json::Object guard;
    const auto retry_node = nodes_[*again].id;
    guard.set("retry_node", retry_node);
    guard.set("max_attempts", static_cast<std::int64_t>(2 + below(3)));
    guard.set("stagnation_limit", static_cast<std::int64_t>(one_in(4) ? 2 : 100));
    node.json.set("guard_retry", std::move(guard));
    node.with.set("fail", static_cast<std::int64_t>(1 + below(3)));
    if (made_.mode == "fail_fast") made_.ends_early = true;  // it may fail for good
    if (one_in(2)) add_beside(retry_node);
  }

  /// It runs again too, and the guard does not wait for it.
  void add_beside(const std::string& retry_node) {
    auto& node = new_node("beside" + std::to_string(nodes_.size()));
    node.json.set("needs", json::Array{json::Value(retry_node)});
    if (!one_in(4)) node.json.set("for_each", "${params.list}");
    if (!one_in(3)) return;
    json::Object retry;
    retry.set("max_attempts", 3);
    retry.set("delay", "1ms");
    node.json.set("retry", std::move(retry));
    node.with.set("fail", 1);
  }

  /// One that comes before the node and has no items.
  std::optional<std::size_t> single_before(const Node& node) {
    std::vector<std::size_t> single;
    for (const auto ancestor : node.ancestors) {
      if (nodes_[ancestor].json.find("for_each") == nullptr) single.push_back(ancestor);
    }
    if (single.empty()) return {};
    return single[below(single.size())];
  }

  void ask_something() {
    const auto what = below(12);
    if (what < 4) return ask_of_later_node(what == 3 ? "approve" : kOfNodes[what]);
    auto& asker = nodes_[below(nodes_.size())];
    if (asker.json.find("for_each") != nullptr) return;  // each item would ask
    switch (what) {
      case 4: {
        if (made_.asked_signals.contains("update-params")) return;
        const auto index = static_cast<std::size_t>(&asker - nodes_.data());
        for (auto& node : nodes_) {
          if (node.ancestors.contains(index)) node.with.set("value", "${params.v}");
        }
        return ask(asker, "update-params");
      }
      case 5:
      case 10:
      case 11:
        ask(asker, "pause");
        return ask(asker, "resume");
      case 6:
        return ask(asker, "escalate-alert");
      default:
        made_.ends_early = true;
        return ask(asker, kEnds[what - 7]);
    }
  }

  /// About a node that has not begun when it is asked.
  void ask_of_later_node(std::string_view type) {
    const bool is_answer = type == "approve";
    for (auto& node : nodes_) {
      const bool asks_person = made_.answers.contains(node.id);
      if (node.is_aimed_at || node.json.find("for_each") != nullptr) continue;
      if (asks_person && !is_answer) continue;
      const auto asker = single_before(node);
      if (!asker) continue;
      node.is_aimed_at = true;
      if (is_answer && !asks_person) {
        node.json.set("approval", json::Object());
        made_.answers[node.id] = "approve";
      }
      return ask(nodes_[*asker], is_answer ? made_.answers[node.id] : std::string(type), node.id);
    }
  }

  void ask(Node& asker, std::string_view type, const std::string& node = {}) {
    json::Object ask;
    ask.set("type", type);
    ask.set("id", "ask-" + std::to_string(asks_++));
    if (!node.empty()) ask.set("node", node);
    made_.asked_signals.emplace(type);
    const bool frees = type == "inject-override" || type == "skip-step";
    frees_ = frees_ || frees;
    if (frees || type == "update-target" || type == "update-params") ++changes_;
    asker.asks.emplace_back(std::move(ask));
  }

  /// Beside the others, so that it begins whatever they do; while `hold` waits the run goes on.
  void add_retried_node() {
    auto& node = new_node("retried");
    node.with.set("fail", 1);
    made_.retried_node = "retried";
    made_.asked_signals.insert("retry-step");
    if (made_.mode == "fail_fast") made_.ends_early = true;
    new_node("hold").json.set("approval", json::Object());
    made_.answers["hold"] = "approve";
  }

  std::mt19937_64 random_;
  RandomPipeline made_;
  std::vector<Node> nodes_;
  int asks_ = 0;
  int changes_ = 0;     // asked of nodes that have not begun
  bool frees_ = false;  // one of them lets others begin
};

}  // namespace

RandomPipeline random_pipeline(std::uint64_t seed) { return Maker(seed).make(); }

}  // namespace weir::random_runs
