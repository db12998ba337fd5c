#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "event/decoder.h"
#include "store/line_head.h"

namespace weir::store {

/// The options of COPY for a part. Larger groups of rows make a look at one run read more of
/// others, smaller ones make the file larger. Columns with more distinct values in a group, such as
/// ids of spans, get no dictionary: to make one of a fifth of the rows, as is usual, and drop it
/// takes longer than to write the column.
inline constexpr std::string_view kPartFormat =
    "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, DICTIONARY_SIZE_LIMIT 4096, "
    "ROW_GROUP_SIZE 49152)";

/// Writes parts (docs/formats/parts.md).
///
/// Memory   DuckDB's, limited to 384 MiB; what does not fit is in a folder.
/// Threads  One at a time.
class PartWriter {
 public:
  /// `spill_folder` is for this one alone. Errors: kUnavailable (no DuckDB).
  [[nodiscard]] static Result<PartWriter> open(std::filesystem::path spill_folder);
  PartWriter(PartWriter&&) noexcept;
  PartWriter& operator=(PartWriter&&) noexcept;
  ~PartWriter();

  /// A line of the log by its number.
  using Lines = std::function<std::string_view(std::size_t index)>;
  /// Whether the event is the one that should stand there.
  using Check = std::function<bool(std::size_t index, const event::EventView& event)>;

  /// Makes a Parquet file of so many events, in their order, that have no other fields than these.
  /// Does not sync. Errors: kInvalidInput (a line that is no event or not the right one, or what
  /// DuckDB says), kIo, kExhausted (no space).
  [[nodiscard]] Result<void> write(const std::filesystem::path& file, const FieldSet& fields,
                                   std::size_t count, const Lines& lines, const Check& check);
  /// After an error of `write`: the line that was its reason, if one was.
  [[nodiscard]] std::optional<std::size_t> bad_line() const;

 private:
  struct Impl;
  explicit PartWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::store
