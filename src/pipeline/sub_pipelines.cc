#include "pipeline/sub_pipelines.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "pipeline/settings.h"

namespace weir::pipeline {
namespace {

/// Of a chain of pipelines, nobody reads further.
constexpr std::size_t kMaxReason = 1000;

std::string start_of(const Node& node) {
  return "node '" + node.id.text + "': pipeline '" + node.pipeline + "'";
}

/// What is given to the pipeline, as far as it is known before it is run.
void check_params(const Node& node, const Params& params, std::vector<Problem>& problems) {
  if (!node.with_was_read) return;
  const auto place = node.with_position.line == 0 ? node.id.position : node.with_position;
  for (auto& problem : params_problems(params, node.with, is_whole_reference)) {
    problems.push_back({problem.position.line == 0 ? place : problem.position,
                        start_of(node) + ": " + problem.message});
  }
}

}  // namespace

SubPipelineCheck::SubPipelineCheck(const Registry& registry) : ids_(registry.ids()) {
  for (const auto& entry : registry.entries()) entries_.emplace(entry.file.definition.id, &entry);
}

const RegistryEntry* SubPipelineCheck::find(std::string_view id) const {
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : found->second;
}

std::vector<Problem> SubPipelineCheck::problems_of(const Definition& definition) {
  auto problems = problems_of_nodes(definition);
  for (const auto& node : definition.nodes) {
    if (node.pipeline.empty() || find(node.pipeline) == nullptr) continue;
    const auto& why = why_not(node.pipeline);
    if (!why.empty()) problems.push_back({node.id.position, start_of(node) + why});
  }
  return problems;
}

std::vector<Problem> SubPipelineCheck::problems_of_nodes(const Definition& definition) const {
  std::vector<Problem> problems;
  for (const auto& node : definition.nodes) {
    if (node.pipeline.empty()) continue;
    if (const auto* entry = find(node.pipeline)) {
      check_params(node, entry->file.definition.params, problems);
    } else {
      problems.push_back({node.id.position, "node '" + node.id.text + "': there is no pipeline '" +
                                                node.pipeline + "'" +
                                                text::did_you_mean(node.pipeline, ids_)});
    }
  }
  return problems;
}

/// As the end of a sentence about it.
const std::string& SubPipelineCheck::why_not(const std::string& id) {
  const auto [found, is_new] = why_not_.try_emplace(id);
  if (!is_new) {
    // A pipeline that is being looked at and is met again is one that runs itself.
    const auto first = std::find(around_.begin(), around_.end(), id);
    if (first != around_.end()) {
      found->second = " runs itself: " + text::join({first, around_.end()}, " → ") + " → " + id;
    }
    return found->second;
  }
  around_.push_back(id);
  auto why = look_for_reason(*find(id));
  around_.pop_back();
  auto& result = why_not_[id];
  if (result.empty()) result = std::move(why);
  return result;
}

std::string SubPipelineCheck::look_for_reason(const RegistryEntry& entry) {
  const auto& definition = entry.file.definition;
  auto problems = entry.problems;
  if (problems.empty()) problems = problems_of_nodes(definition);
  if (!problems.empty()) {
    return " cannot be run: " + to_string(problems.front(), entry.path.string());
  }
  for (const auto& node : definition.nodes) {
    if (node.pipeline.empty()) continue;
    const auto& why = why_not(node.pipeline);
    if (why.empty()) continue;
    const auto reason = why.size() > kMaxReason ? std::string(" cannot be run") : why;
    return " runs '" + node.pipeline + "', which" + reason;
  }
  return {};
}

std::vector<const RegistryEntry*> SubPipelineCheck::below(const Definition& definition) const {
  std::vector<const RegistryEntry*> found;
  std::set<std::string_view> seen;
  const auto add = [&](const Definition& one) {
    for (const auto& node : one.nodes) {
      const auto* entry = node.pipeline.empty() ? nullptr : find(node.pipeline);
      if (entry != nullptr && seen.insert(node.pipeline).second) found.push_back(entry);
    }
  };
  add(definition);
  for (std::size_t i = 0; i < found.size(); ++i) add(found[i]->file.definition);
  return found;
}

}  // namespace weir::pipeline
