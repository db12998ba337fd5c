#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/command.h"
#include "log/store_directory.h"

/// What can be wrong, looked at bit by bit. Nothing is changed.
namespace weir::cli {

inline constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

enum class Verdict : std::uint8_t { kOk, kWarn, kFail };
[[nodiscard]] std::string_view verdict_name(Verdict verdict);

struct Finding {
  std::string name;  ///< of what was looked at
  Verdict verdict = Verdict::kOk;
  std::string what;        ///< as it is
  std::string advice{};    ///< what to do about it
  bool is_damage = false;  ///< of the store
};

/// The clock, limits, libraries, the sandbox, the terminal.
void examine_machine(std::vector<Finding>& findings);

/// The file system that a folder is on.
void examine_disk(const std::filesystem::path& folder, std::vector<Finding>& findings);

/// weir.yaml and the plugins that it names.
void examine_settings(const Invocation& invocation, std::vector<Finding>& findings);

/// What is in the store: its files are as long as they are to be and end as such files do, and what
/// is not compacted is read. `weir verify` reads everything.
void examine_store(const log::StoreDirectory& store, std::vector<Finding>& findings);

}  // namespace weir::cli
