#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "log/store_directory.h"

/// Which files of rollups count. Format: docs/formats/rollups.md, version 1.
namespace weir::store {

/// Batches of the manifest, from one number to another.
struct BatchRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  [[nodiscard]] bool contains(std::uint64_t batch) const { return first <= batch && batch <= last; }
  [[nodiscard]] bool meets(const BatchRange& other) const {
    return first <= other.last && other.first <= last;
  }
  bool operator==(const BatchRange&) const = default;
};

enum class RollupLevel : std::uint8_t { kMinutes, kHours };
inline constexpr RollupLevel kRollupLevels[] = {RollupLevel::kMinutes, RollupLevel::kHours};

/// What one file of a range must be.
struct RollupFile {
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::uint32_t crc32c = 0;
  bool operator==(const RollupFile&) const = default;
};

/// The rollups of some batches.
struct Rollup {
  BatchRange batches;
  std::uint64_t events = 0;  ///< that were summed
  RollupFile minutes{};
  RollupFile hours{};

  [[nodiscard]] const RollupFile& file(RollupLevel level) const {
    return level == RollupLevel::kMinutes ? minutes : hours;
  }
  /// "minutes/00000001-00000009-0dbfd9e6.parquet", below rollup_folder.
  [[nodiscard]] std::string file_name(RollupLevel level) const;
  bool operator==(const Rollup&) const = default;
};

/// In ascending order, no batch twice.
using Rollups = std::vector<Rollup>;

[[nodiscard]] std::filesystem::path rollup_folder(const log::StoreDirectory& store);
[[nodiscard]] std::filesystem::path rollup_path(const log::StoreDirectory& store,
                                                const Rollup& rollup, RollupLevel level);
[[nodiscard]] std::filesystem::path rollup_index_path(const log::StoreDirectory& store);

/// One line of JSON, without a newline.
[[nodiscard]] std::string rollup_index_text(const Rollups& rollups);
/// Errors: kCorrupt, kUnavailable (a newer format).
[[nodiscard]] Result<Rollups> parse_rollup_index(std::string_view text);

/// None where there is no index. Errors: as parse_rollup_index, kIo.
[[nodiscard]] Result<Rollups> read_rollup_index(const log::StoreDirectory& store);
/// Puts it in the place of the one before. Errors: kIo, kExhausted.
[[nodiscard]] Result<void> write_rollup_index(const log::StoreDirectory& store,
                                              const Rollups& rollups);

/// What is wrong with a file; empty: it is as it was written. Reads all of it.
[[nodiscard]] std::string rollup_damage(const log::StoreDirectory& store, const Rollup& rollup,
                                        RollupLevel level);

/// `read_parquet(['…', …], union_by_name = true)`: the rows of files of one level.
[[nodiscard]] std::string rollup_rows_sql(const std::vector<std::filesystem::path>& files);

/// Those that can be counted beside the events of all parts that have a batch which none of them
/// covers. A part may hold several batches (`parts`): where they cover some of them, these do not
/// count.
[[nodiscard]] Rollups countable(Rollups rollups, std::span<const std::uint64_t> batches,
                                std::span<const BatchRange> parts);
[[nodiscard]] bool covers(const Rollups& rollups, std::uint64_t batch);

}  // namespace weir::store
