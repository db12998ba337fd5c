#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pipeline/definition.h"

namespace weir::pipeline {

/// A larger pipeline file is refused: 100 000 nodes take about 10 MiB.
inline constexpr std::size_t kMaxFileBytes = std::size_t{64} << 20;

/// What a file says, as far as it could be understood, and what is wrong with its form.
struct File {
  Definition definition;
  std::vector<Problem> problems;
  std::vector<Problem> warnings{};  ///< what was passed over: it means nothing
  std::string text;
  std::filesystem::path folder{};  ///< its own, in which it names files; empty: it is no file
};

/// Reads a pipeline file: JSON for `.json`, YAML for `.yaml` and `.yml`. What is wrong with what it
/// says is in `problems`, at most one for each place. `definition.id` is the file's stem when the
/// file does not say. Errors, for a file that cannot be read at all: kNotFound, kIo (a folder, no
/// permission), kExhausted (over kMaxFileBytes).
[[nodiscard]] Result<File> load_file(const std::filesystem::path& path);

/// The same for a text that has been read from there before. Errors: none.
[[nodiscard]] File read_text(const std::filesystem::path& path, std::string text);
/// What such a text says, whatever it means. Errors: kInvalidInput, "LINE:COLUMN: " first.
[[nodiscard]] Result<json::Value> parse_text(const std::filesystem::path& path,
                                             const std::string& text);
/// What a text that is in no file can be read as: "pipeline.json" if it begins as an object does,
/// or "pipeline.yaml".
[[nodiscard]] std::string file_name_of(std::string_view text);

/// The same for a value that has been read already.
[[nodiscard]] File read_definition(const json::Value& value);

}  // namespace weir::pipeline
