#pragma once

#include <expected>
#include <filesystem>
#include <memory>

#include "base/result.h"
#include "tool/tool.h"

struct weir_plugin;  // NOLINT(readability-identifier-naming): of the interface in C

namespace weir::tool {

/// A shared object with the interface of include/weir/plugin.h, loaded into this process: it can do
/// whatever this process can.
class Library {
 public:
  /// Errors: kNotFound, kInvalidInput (not a plugin, or one for a newer Weir).
  [[nodiscard]] static Result<Library> load(const std::filesystem::path& path);
  Library(Library&& other) noexcept;
  Library& operator=(Library&&) = delete;
  ~Library();

  /// From many threads at once.
  [[nodiscard]] std::expected<Output, Failure> call(const std::string& tool_id,
                                                    const Call& call) const;

 private:
  Library(void* handle, const weir_plugin* plugin) : handle_(handle), plugin_(plugin) {}
  void* handle_;
  const weir_plugin* plugin_;
};

/// `weir plugin-host LIBRARY`: answers calls for it on standard input with JSON-RPC lines on
/// standard output, until it ends.
int host_library(int argc, char** argv);

/// The hidden command's name.
inline constexpr std::string_view kHostCommand = "plugin-host";

}  // namespace weir::tool
