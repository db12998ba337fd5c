#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/problem.h"
#include "base/result.h"
#include "config/config.h"

namespace weir::config {

inline constexpr std::string_view kFileName = "weir.yaml";
/// A larger file is refused: nobody writes it by hand.
inline constexpr std::size_t kMaxFileBytes = std::size_t{1} << 20;

/// What a file says, and everything that is wrong with it, by place, up to 200 problems. With
/// problems the configuration is not to be used.
struct File {
  Config config;
  std::vector<Problem> problems;
};

/// Reads the text of a file by itself: paths are as they are written, and no secret is fetched.
[[nodiscard]] File parse(std::string_view text);

/// The value of a variable, nothing if it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
/// This process's.
[[nodiscard]] Environment process_environment();

/// A value that comes from the command line.
struct Flag {
  std::string name;  ///< "--durability", for problems
  std::string key;   ///< "record.durability"
  std::string value;
};

enum class IfMissing : std::uint8_t { kDefaults, kFail };

struct Sources {
  std::filesystem::path file;
  IfMissing if_missing = IfMissing::kDefaults;
  Environment environment;
  std::vector<Flag> flags{};
};

/// What holds: a flag, else the environment, else the file, else the default. Relative paths become
/// relative to the file's folder, and secrets are fetched from where the file says. Errors, for a
/// file that cannot be read at all: kNotFound (kFail), kIo, kExhausted (over kMaxFileBytes).
[[nodiscard]] Result<File> load(const Sources& sources);

}  // namespace weir::config
