#pragma once

#include <algorithm>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <string_view>

#include "event/decoder.h"

/// For tests: the order of a run's events once more, in another way than RunState has it. What a
/// run and a node went through is a word, a letter an event, and a regular expression says which
/// words there are.
namespace weir::project::testing_support {

class OrderChecker {
 public:
  /// Whether the event may come now. If not, it is as if it had not come.
  bool allows(const event::EventView& event) {
    using event::Field;
    const std::string type(event.type_name());
    if (!is_ordered(type)) return true;
    if (is_one_of(run_.empty() ? '\0' : run_.back(), "CFX")) return false;
    if (type == "pipeline_fetched" || type == "pipeline_validated") return true;
    if (is_run(type)) return run(type, event);
    if (run_.empty()) return false;
    const std::string node(event.text(Field::kNodeId));
    if (type.starts_with("pipeline_node_")) return step(type, node, event);
    if (type.starts_with("signal_")) return signal(type, node, event);
    if (type == "approval_requested") {
      const auto& word = nodes_[node].word;
      return !is_one_of(word.empty() ? '\0' : word.back(), "CFXK") && asked_.insert(node).second;
    }
    if (type == "approval_decided") return asked_.erase(node) > 0;
    if (type == "guard_retry_attempt") guards_.insert(node);
    if (type == "guard_retry_recovered" || type == "guard_retry_exhausted") guards_.erase(node);
    return true;
  }

 private:
  struct Node {
    std::string word;
    std::int64_t attempt = 0;
    std::int64_t engine_attempt = 0;
  };

  static bool is_one_of(char letter, std::string_view letters) {
    return letters.find(letter) != std::string_view::npos;
  }
  /// "No run, node, tool or signal event follows" the end.
  static bool is_ordered(const std::string& type) {
    if (type == "tool_undone" || type == "tool_undo_failed" || type == "pipeline_wide" ||
        type == "node_wide" || type.starts_with("pipeline_child_")) {
      return false;
    }
    constexpr std::string_view kBegins[] = {"pipeline_", "node_io", "cache_",  "checkpoint_",
                                            "tool_",     "guard_",  "signal_", "approval_"};
    return std::ranges::any_of(kBegins, [&](auto begin) { return type.starts_with(begin); });
  }
  static bool is_run(const std::string& type) {
    return type.starts_with("pipeline_") && !type.starts_with("pipeline_node_");
  }

  bool run(const std::string& type, const event::EventView& event) {
    using event::Field;
    const auto engine = event.integer(Field::kEngineAttempt).value_or(engine_attempt_);
    static const std::map<std::string, char> letters = {
        {"pipeline_started", 'S'},   {"pipeline_paused", 'P'}, {"pipeline_resumed", 'R'},
        {"pipeline_completed", 'C'}, {"pipeline_failed", 'F'}, {"pipeline_cancelled", 'X'}};
    auto letter = letters.at(type);
    if (letter == 'R' && engine > engine_attempt_) letter = 'E';
    static const std::regex shape("F|S(P+[RE]|E)*P*[CFX]?");
    if (!std::regex_match(run_ + letter, shape)) return false;
    if (letter == 'F' && run_.empty() && !event.text(Field::kFailedNodeId).empty()) return false;
    run_ += letter;
    if (letter != 'E') return true;
    engine_attempt_ = engine;
    for (auto& [id, node] : nodes_) {
      if (!node.word.empty() && is_one_of(node.word.back(), "SE")) node.word += 'L';
    }
    return true;
  }

  bool step(const std::string& type, const std::string& id, const event::EventView& event) {
    using event::Field;
    auto& node = nodes_[id];
    static const std::map<std::string, char> letters = {{"started", 'S'}, {"completed", 'C'},
                                                        {"failed", 'F'},  {"cancelled", 'X'},
                                                        {"skipped", 'K'}, {"retry_scheduled", 'R'}};
    auto letter = letters.at(type.substr(std::string_view("pipeline_node_").size()));
    if (letter == 'R' && (!guards_.empty() || event.text(Field::kReason) == "guard_retry"))
      letter = 'G';
    const auto attempt = event.integer(Field::kAttempt).value_or(0);
    const auto engine = event.integer(Field::kEngineAttempt).value_or(0);
    if (letter == 'S' && attempt == node.attempt && engine > node.engine_attempt) letter = 'E';
    if (letter == 'S' && attempt <= node.attempt) return false;
    if (is_one_of(letter, "CFX") && attempt != node.attempt) return false;
    if (!add(node, letter)) return false;
    if (is_one_of(letter, "SE")) {
      node.attempt = attempt;
      node.engine_attempt = engine;
    }
    return true;
  }

  /// S started, E again by another machinery, L lost with its machinery; C F X ended, K skipped;
  /// R tried again, G because a guard wants it, P because a person does.
  static bool add(Node& node, char letter) {
    static const std::regex shape(
        "(S(L?E|LS)*(F[RG]|FP[RG]?|CG|LKG)|KG)*(S(L?E|LS)*(LK|L|[CFX])?|K)?");
    if (!std::regex_match(node.word + letter, shape)) return false;
    node.word += letter;
    return true;
  }

  bool signal(const std::string& type, const std::string& node, const event::EventView& event) {
    using event::Field;
    if (type == "signal_requested") return true;
    const std::string id(event.text(Field::kSignalId));
    if (decided_.contains(id)) return false;
    if (type == "signal_deferred") return true;
    const bool retries =
        type == "signal_accepted" && event.text(Field::kSignalType) == "retry-step";
    if (retries && !add(nodes_[node], 'P')) return false;
    return decided_.insert(id).second;
  }

  std::string run_;
  std::int64_t engine_attempt_ = 1;
  std::map<std::string, Node> nodes_;
  std::set<std::string> guards_;
  std::set<std::string> asked_;
  std::set<std::string> decided_;
};

}  // namespace weir::project::testing_support
