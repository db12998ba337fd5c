#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
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
/// docs/formats/parts.md, version 2.
namespace weir::log {

/// A file that holds what was in segments.
struct Part {
  std::string file;                   ///< below StoreDirectory::parts(), with slashes
  std::string date;                   ///< YYYY-MM-DD, UTC: of its events' timestamps
  std::optional<std::string> tenant;  ///< of its events
  /// The numbers of the first and the last batch whose events it holds. Of two parts these ranges
  /// are the same or have nothing in common.
  std::uint64_t batch = 0;
  std::uint64_t last_batch = 0;
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;
  Sha256 sha256;
  RunId first_run;  ///< the least and the greatest of its events
  RunId last_run;
  /// Runs in it that are deleted, sorted: nobody sees their events any more.
  std::vector<RunId> dead{};
  bool operator==(const Part&) const = default;
};

/// A part that an earlier manifest named: its file may be there for those who read it now.
struct RetiredPart {
  std::string file;  ///< as in Part
  Timestamp at;
  bool operator==(const RetiredPart&) const = default;
};

/// Changed parts in one line of the chain of seals: of 70 bytes each, and a line has at most 1 MiB.
inline constexpr std::size_t kMaxPartChanges = 4096;

/// What one compaction replaced.
struct Batch {
  std::uint64_t number = 0;  ///< of the manifest that named it first
  Timestamp at;
  /// By writer: the first and the last number.
  std::map<std::string, std::pair<std::uint32_t, std::uint32_t>, std::less<>> segments{};
  bool operator==(const Batch&) const = default;
};

/// Whether somebody who has read up to `cursor` has read the events of all its segments.
[[nodiscard]] bool has_passed(const Cursor& cursor, const Batch& batch);

/// What a reader must know of the store before it looks at the segments.
class Manifest {
 public:
  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] const std::vector<Batch>& batches() const { return batches_; }
  /// By their batches.
  [[nodiscard]] const std::vector<Part>& parts() const { return parts_; }
  [[nodiscard]] const std::vector<RetiredPart>& retired() const { return retired_; }
  /// What is wrong with the file `manifest.json`, if this was read from its copy; empty: nothing.
  [[nodiscard]] const std::string& damage() const { return damage_; }
  /// Whether the parts hold what was in a segment.
  [[nodiscard]] bool has_replaced(const SegmentName& segment) const;

  /// After everything that the parts hold.
  [[nodiscard]] Cursor end_of_parts() const;

  /// The manifest after this one. `batch` and `parts` get its number.
  [[nodiscard]] Manifest with(Batch batch, std::vector<Part> parts) const;
  /// The manifest after this one, with these parts and no others. Those that it does not have any
  /// more are retired `at`.
  [[nodiscard]] Manifest with_parts(std::vector<Part> parts, Timestamp at) const;
  /// Forgets retired parts whose files are gone; the number stays: for the manifest that comes
  /// next.
  void forget_retired(const std::function<bool(const RetiredPart&)>& is_gone);

  /// One line of JSON, without a newline.
  [[nodiscard]] std::string text() const;
  /// Reads what `text` has written. Errors: kCorrupt, kUnavailable (a newer format).
  [[nodiscard]] static Result<Manifest> parse(std::string_view text);

  bool operator==(const Manifest&) const = default;

 private:
  static constexpr std::uint64_t kVersion = 2;
  friend Result<Manifest> read_manifest(const StoreDirectory& store);

  void add(Batch batch);
  [[nodiscard]] bool is_possible(const Part& part) const;

  std::uint64_t version_ = kVersion;
  std::uint64_t number_ = 0;
  std::vector<Batch> batches_;
  std::vector<Part> parts_;
  std::vector<RetiredPart> retired_;
  std::string damage_;
  std::map<std::string, std::uint32_t, std::less<>> replaced_;  // the last number, by writer
};

/// The store's manifest; one without parts where there was none yet. Where it is damaged or gone,
/// its copy if that is the one that was sealed last. Errors: kCorrupt (neither is there undamaged),
/// kUnavailable (a newer format), kIo.
[[nodiscard]] Result<Manifest> read_manifest(const StoreDirectory& store);

/// What is wrong with the copy; nothing where there is none, or it is a manifest.
[[nodiscard]] std::optional<std::string> manifest_copy_damage(const StoreDirectory& store);

/// Puts it and its copy in the place of those before, and then into the chain of seals. Threads:
/// whoever has the compaction's lock. Errors: kIo, kExhausted.
[[nodiscard]] Result<void> write_manifest(const StoreDirectory& store, const Manifest& manifest);
/// Does what somebody who was stopped in `write_manifest` has left undone for the store's manifest,
/// and puts one that was read from its copy back; what stood there stays beside it.
/// Errors: as that, and kCorrupt (the chain knows a newer one).
[[nodiscard]] Result<void> finish_manifest(const StoreDirectory& store, const Manifest& manifest);

/// Where a part of a date and a tenant goes, below StoreDirectory::parts(). `number` is that of the
/// manifest which names it first.
[[nodiscard]] std::string part_file(std::string_view date, const std::optional<std::string>& tenant,
                                    std::uint64_t number);
/// The number in a part's file name; nothing for files of other names.
[[nodiscard]] std::optional<std::uint64_t> number_of_file(std::string_view file_name);

}  // namespace weir::log
