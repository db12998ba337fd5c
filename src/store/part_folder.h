#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "base/time.h"
#include "log/manifest.h"
#include "log/store_directory.h"

namespace weir::store {

/// How long files stay that the manifest does not name any more, for those who read them now.
inline constexpr std::chrono::seconds kKeepForReaders{600};

/// The parts of a store, for whoever changes them: it has the store's lock as long as it lives.
///
/// Failure  Stopped anywhere, the store has the manifest from before a step or after it.
/// Threads  One at a time, but for `scratch`.
class PartFolder {
 public:
  /// `scratch` is where DuckDB makes and reads files: a folder `compaction` in it, in the local
  /// file system, whatever the store's is. Empty: the store's `cache`. Finishes what somebody who
  /// was stopped has left. Errors: kConflict (somebody else changes them), kCorrupt (the manifest),
  /// kIo, kExhausted.
  [[nodiscard]] static Result<PartFolder> lock(const log::StoreDirectory& store,
                                               const std::filesystem::path& scratch);

  [[nodiscard]] const log::StoreDirectory& store() const { return store_; }
  [[nodiscard]] const log::Manifest& manifest() const { return manifest_; }
  /// What was wrong with the manifest's file, before it was put back from its copy; empty: nothing.
  [[nodiscard]] const std::string& manifest_damage() const { return manifest_damage_; }
  /// The folder for DuckDB's files. Made when it is asked for; emptied by whoever comes next.
  [[nodiscard]] std::filesystem::path scratch() const;
  /// Removes them: what was begun and will not be finished takes room.
  void empty_scratch() const;

  /// Says in `parts.new`, durably, which files come; it goes when the manifest names them. Errors:
  /// kIo, kExhausted.
  [[nodiscard]] Result<void> announce(std::span<const log::Part> parts);
  /// Writes the file of a part that was announced, durably; its folder and name are those of
  /// `part`. Errors: kIo, kExhausted.
  [[nodiscard]] Result<void> put(const log::Part& part, std::string_view bytes);
  /// Announces a part and writes it: a file in the local file system. Sets the part's bytes and its
  /// hash. Errors: as `put`.
  [[nodiscard]] Result<void> put_file(log::Part& part, const std::filesystem::path& file);

  /// Where DuckDB can read a part: itself, or a copy in `scratch` where the store is not in the
  /// local file system. Errors: kNotFound, kCorrupt (not what was written), kIo.
  [[nodiscard]] Result<std::filesystem::path> to_read(const log::Part& part) const;
  /// The same without a look at what it holds: it may be damaged.
  [[nodiscard]] Result<std::filesystem::path> to_look_at(const log::Part& part) const;

  /// Makes it the store's manifest. Errors: kIo, kExhausted.
  [[nodiscard]] Result<void> replace(log::Manifest next);

  /// Removes files of parts that were retired so long ago. Errors: kIo.
  [[nodiscard]] Result<std::uint64_t> remove_retired(Timestamp now, std::chrono::seconds keep);

 private:
  PartFolder(const log::StoreDirectory& store, const std::filesystem::path& scratch, File lock,
             log::Manifest manifest);

  [[nodiscard]] Result<void> sync_folders(const std::filesystem::path& file) const;
  [[nodiscard]] Result<void> remove_leftovers() const;
  [[nodiscard]] Result<void> remove(const std::filesystem::path& file) const;

  log::StoreDirectory store_;
  std::filesystem::path scratch_;
  File lock_;
  log::Manifest manifest_;
  std::string manifest_damage_;
  std::string announced_;  ///< what `parts.new` holds
};

/// Files among the parts that are none of the store's: nobody reads, changes or removes them.
/// Errors: kIo.
[[nodiscard]] Result<std::vector<std::filesystem::path>> foreign_files(
    const log::StoreDirectory& store, const log::Manifest& manifest);

}  // namespace weir::store
