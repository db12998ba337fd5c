#include <algorithm>
#include <set>

#include "pipeline/capabilities.h"
#include "pipeline/validate.h"

// What is right, and may not be meant.
namespace weir::pipeline {
namespace {

/// A node that is joined with no other, in a pipeline where others are.
void find_orphans(const Definition& definition, std::vector<Problem>& warnings) {
  if (definition.edges.empty()) return;
  std::vector<std::string_view> joined;
  joined.reserve(2 * definition.edges.size());
  for (const auto& edge : definition.edges) {
    joined.push_back(edge.from.text);
    joined.push_back(edge.to.text);
  }
  std::sort(joined.begin(), joined.end());
  for (const auto& node : definition.nodes) {
    if (std::binary_search(joined.begin(), joined.end(), node.id.text)) continue;
    warnings.push_back({node.id.position,
                        "node '" + node.id.text + "' is joined with no other node", "ORPHAN_NODE"});
  }
}

void find_fallbacks(const Definition& definition, const tool::Registry& tools,
                    std::vector<Problem>& warnings) {
  if (definition.fallback == Fallback::kReject) return;
  const bool is_emulated = definition.fallback == Fallback::kEmulate;
  for (const auto& capability : missing_capabilities(definition, tools)) {
    warnings.push_back({capability.position,
                        "capability '" + capability.text + "' is not there: the pipeline runs " +
                            (is_emulated ? "with what stands in for it" : "without it"),
                        is_emulated ? "CAPABILITY_EMULATED" : "CAPABILITY_DEGRADED"});
  }
}

/// What may be the names of files in a text, as in `sort -u data.csv` and `FROM 'data.csv'`.
std::vector<std::string_view> words_of(std::string_view text) {
  constexpr std::string_view kBetween = " \t\r\n'\"`()[]{},;=<>|&$";
  std::vector<std::string_view> words;
  while (true) {
    const auto begin = text.find_first_not_of(kBetween);
    if (begin == std::string_view::npos) return words;
    text.remove_prefix(begin);
    const auto end = std::min(text.find_first_of(kBetween), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

/// The texts in a node's settings, and whether they name files that its cache does not know.
class CachedNodeFiles {
 public:
  CachedNodeFiles(const Node& node, const std::filesystem::path& folder,
                  std::vector<Problem>& warnings)
      : node_(node), folder_(folder), warnings_(warnings) {}

  // NOLINTNEXTLINE(misc-no-recursion): as deep as JSON may be
  void look(const json::Value& value) {
    if (const auto* text = value.string()) {
      for (const auto word : words_of(*text)) look_at(word);
    } else if (const auto* items = value.array()) {
      for (const auto& item : *items) look(item);
    } else if (const auto* object = value.object()) {
      for (const auto& member : *object) look(member.value);
    }
  }

 private:
  void look_at(std::string_view word) {
    if (word.size() > kMaxName || asked_.size() >= kMaxWords) return;
    if (!asked_.insert(word).second) return;
    const auto& named = node_.cache->files;
    const auto is_this = [&](const std::filesystem::path& file) {
      return file.lexically_normal() == std::filesystem::path(word).lexically_normal();
    };
    if (std::any_of(named.begin(), named.end(), is_this)) return;
    std::error_code error;
    // An absolute path is that of a program more often than not.
    if (word.starts_with('/') || !std::filesystem::is_regular_file(folder_ / word, error)) return;
    warnings_.push_back({node_.id.position,
                         "'cache' of node '" + node_.id.text + "': the file '" + std::string(word) +
                             "' may change what it puts out, and an output is kept for it all the "
                             "same",
                         "CACHE_UNNAMED_FILE"});
  }

  static constexpr std::size_t kMaxName = 4096, kMaxWords = 1000;
  const Node& node_;
  const std::filesystem::path& folder_;
  std::vector<Problem>& warnings_;
  std::set<std::string_view> asked_;
};

void find_unnamed_files(const Definition& definition, const std::filesystem::path& folder,
                        std::vector<Problem>& warnings) {
  if (folder.empty()) return;
  for (const auto& node : definition.nodes) {
    if (!node.cache || !node.cache->enabled) continue;
    CachedNodeFiles files(node, folder, warnings);
    for (const auto& member : node.with) files.look(member.value);
  }
}

}  // namespace

std::vector<Problem> find_warnings(const Definition& definition,
                                   const std::filesystem::path& folder,
                                   const tool::Registry& tools) {
  std::vector<Problem> warnings;
  find_orphans(definition, warnings);
  find_fallbacks(definition, tools, warnings);
  find_unnamed_files(definition, folder, warnings);
  return warnings;
}

}  // namespace weir::pipeline
