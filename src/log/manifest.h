#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/id.h"
#include "base/result.h"
#include "base/time.h"
#include "log/cursor.h"
#include "log/store_directory.h"

/// Which parts of the log are Parquet files, and which segments these replaced. Format:
/// docs/formats/parts.md, version 1.
namespace weir::log {

/// A file that holds what was in segments.
struct Part {
  std::string file;                   ///< below StoreDirectory::parts(), with slashes
  std::string date;                   ///< YYYY-MM-DD, UTC: of its events' timestamps
  std::optional<std::string> tenant;  ///< of its events
  std::uint64_t batch = 0;            ///< its number
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;
  Sha256 sha256;
  RunId first_run;  ///< the least and the greatest of its events
  RunId last_run;
  bool operator==(const Part&) const = default;
};

/// What one compaction replaced.
struct Batch {
  std::uint64_t number = 0;  ///< of the manifest that named it first
  Timestamp at;
  /// By writer: the first and the last number.
  std::map<std::string, std::pair<std::uint32_t, std::uint32_t>, std::less<>> segments{};
  bool operator==(const Batch&) const = default;
};

/// What a reader must know of the store before it looks at the segments.
class Manifest {
 public:
  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] const std::vector<Batch>& batches() const { return batches_; }
  [[nodiscard]] const std::vector<Part>& parts() const { return parts_; }
  /// Whether the parts hold what was in a segment.
  [[nodiscard]] bool has_replaced(const SegmentName& segment) const;

  /// After everything that the parts hold.
  [[nodiscard]] Cursor end_of_parts() const;

  /// The manifest after this one. `batch` and `parts` get its number.
  [[nodiscard]] Manifest with(Batch batch, std::vector<Part> parts) const;

  /// One line of JSON, without a newline.
  [[nodiscard]] std::string text() const;
  /// Reads what `text` has written. Errors: kCorrupt, kUnavailable (a newer format).
  [[nodiscard]] static Result<Manifest> parse(std::string_view text);

  bool operator==(const Manifest&) const = default;

 private:
  void add(Batch batch);

  std::uint64_t number_ = 0;
  std::vector<Batch> batches_;
  std::vector<Part> parts_;
  std::map<std::string, std::uint32_t, std::less<>> replaced_;  // the last number, by writer
};

/// The store's manifest; one without parts where there was none yet. Errors: kCorrupt (it is
/// damaged, or gone), kUnavailable (a newer format), kIo.
[[nodiscard]] Result<Manifest> read_manifest(const StoreDirectory& store);

/// Puts it in the place of the one before, and then into the chain of seals. Threads: whoever has
/// the compaction's lock. Errors: kIo, kExhausted.
[[nodiscard]] Result<void> write_manifest(const StoreDirectory& store, const Manifest& manifest);
/// Does what somebody who was stopped in `write_manifest` has left undone for the store's manifest.
/// Errors: as that, and kCorrupt (the chain knows a newer one).
[[nodiscard]] Result<void> finish_manifest(const StoreDirectory& store, const Manifest& manifest);

/// Where the part of a date, a tenant and a batch goes, below StoreDirectory::parts().
[[nodiscard]] std::string part_file(std::string_view date, const std::optional<std::string>& tenant,
                                    std::uint64_t batch);
/// The batch that a part's file name says; nothing for files of other names.
[[nodiscard]] std::optional<std::uint64_t> batch_of_file(std::string_view file_name);

}  // namespace weir::log
