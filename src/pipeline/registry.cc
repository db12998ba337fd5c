#include "pipeline/registry.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "pipeline/sub_pipelines.h"
#include "pipeline/validate.h"

namespace weir::pipeline {
namespace {

bool is_pipeline_file(const std::filesystem::directory_entry& entry) {
  const auto extension = entry.path().extension();
  std::error_code error;
  return (extension == ".json" || extension == ".yaml" || extension == ".yml") &&
         entry.is_regular_file(error);
}

/// By name.
Result<std::vector<std::filesystem::path>> files_in(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::directory_iterator entries(folder, error);
  std::vector<std::filesystem::path> files;
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    if (!is_pipeline_file(*entries)) continue;
    files.push_back(entries->path());
    if (files.size() > kMaxRegistryFiles) {
      return fail(ErrorCode::kExhausted, folder.string() + ": more than " +
                                             std::to_string(kMaxRegistryFiles) + " pipelines");
    }
  }
  if (error) {
    const bool is_missing = error == std::errc::no_such_file_or_directory;
    return fail(is_missing ? ErrorCode::kNotFound : ErrorCode::kIo,
                folder.string() + ": " + error.message());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

Result<Registry> Registry::load(std::span<const std::filesystem::path> folders,
                                const tool::Registry& tools) {
  Registry registry;
  for (const auto& folder : folders) {
    WEIR_TRY(const auto files, files_in(folder));
    for (const auto& path : files) {
      RegistryEntry entry{.path = path, .file = {}, .problems = {}};
      if (auto file = load_file(path)) {
        entry.file = *std::move(file);
        entry.problems = problems_of(entry.file, tools);
      } else {
        entry.file.definition.id = path.stem().string();
        entry.problems = {{{}, file.error().message}};
      }
      registry.entries_.push_back(std::move(entry));
    }
  }
  registry.check_ids();
  registry.check_sub_pipelines();
  return registry;
}

const RegistryEntry* Registry::find(std::string_view id) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const auto& entry) {
    return entry.file.definition.id == id;
  });
  return found == entries_.end() ? nullptr : &*found;
}

std::vector<std::string> Registry::ids() const {
  std::vector<std::string> ids;
  ids.reserve(entries_.size());
  for (const auto& entry : entries_) ids.push_back(entry.file.definition.id);
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

void Registry::check_ids() {
  std::map<std::string_view, const RegistryEntry*> first;
  for (auto& entry : entries_) {
    const auto& id = entry.file.definition.id;
    const auto [known, added] = first.try_emplace(id, &entry);
    if (added) continue;
    entry.problems.push_back({{1, 1},
                              "id '" + id + "' is already that of " + known->second->path.string(),
                              "PIPELINE_ID"});
  }
}

void Registry::check_sub_pipelines() {
  std::vector<std::vector<Problem>> found;
  {
    SubPipelineCheck check(*this);
    for (const auto& entry : entries_) found.push_back(check.problems_of(entry.file.definition));
  }
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    auto& problems = entries_[i].problems;
    problems.insert(problems.end(), found[i].begin(), found[i].end());
    if (!found[i].empty()) sort_problems(problems);
  }
}

void sort_problems(std::vector<Problem>& problems) {
  std::sort(problems.begin(), problems.end(), [](const auto& a, const auto& b) {
    return std::tie(a.position.line, a.position.column, a.message) <
           std::tie(b.position.line, b.position.column, b.message);
  });
  problems.erase(std::unique(problems.begin(), problems.end()), problems.end());
}

std::vector<Problem> warnings_of(const File& file, const tool::Registry& tools) {
  auto warnings = file.warnings;
  const auto meaning = find_warnings(file.definition, file.folder, tools);
  warnings.insert(warnings.end(), meaning.begin(), meaning.end());
  sort_problems(warnings);
  return warnings;
}

std::vector<Problem> problems_of(const File& file, const tool::Registry& tools) {
  auto problems = file.problems;
  const auto meaning = validate(file.definition, tools);
  problems.insert(problems.end(), meaning.begin(), meaning.end());
  sort_problems(problems);
  return problems;
}

}  // namespace weir::pipeline
