#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/file.h"
#include "tool/tool.h"

namespace weir::pipeline {

/// A pipeline file of a registry.
struct RegistryEntry {
  std::filesystem::path path;
  File file;                      ///< its `problems` are those of its form alone
  std::vector<Problem> problems;  ///< everything that is wrong with it; then it cannot be run
};

/// More files in one folder are refused: each is read when a registry is loaded.
inline constexpr std::size_t kMaxRegistryFiles = 10'000;

/// Pipelines by id, from the files of folders: `*.json`, `*.yaml` and `*.yml`, not those in folders
/// inside them. A file that is wrong is an entry with its problems. So are files of the same id,
/// but the first, by folder and then by name; and a file whose nodes run pipelines that cannot be
/// run (sub_pipelines.h).
class Registry {
 public:
  /// Errors: kNotFound, kIo for a folder that cannot be read; kExhausted over kMaxRegistryFiles.
  [[nodiscard]] static Result<Registry> load(std::span<const std::filesystem::path> folders,
                                             const tool::Registry& tools);

  /// The first of that id, right or wrong; null when there is none. It lives as long as this.
  [[nodiscard]] const RegistryEntry* find(std::string_view id) const;
  /// By folder, then by name.
  [[nodiscard]] const std::vector<RegistryEntry>& entries() const { return entries_; }
  /// Each once, in order.
  [[nodiscard]] std::vector<std::string> ids() const;

 private:
  void check_ids();
  void check_sub_pipelines();

  std::vector<RegistryEntry> entries_;
};

/// By place, each once.
void sort_problems(std::vector<Problem>& problems);

/// Everything wrong with a file, in its form and in its meaning, by place, each once.
[[nodiscard]] std::vector<Problem> problems_of(const File& file, const tool::Registry& tools);
/// What is right and may not be meant, by place.
[[nodiscard]] std::vector<Problem> warnings_of(const File& file, const tool::Registry& tools);

}  // namespace weir::pipeline
