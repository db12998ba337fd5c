#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "artifact/writer_folder.h"
#include "base/hash.h"
#include "base/result.h"
#include "base/time.h"

namespace weir::artifact {

/// Content by its SHA-256, in `<root>/<first two digits>/<digits>`. Written once, never changed.
/// What is not finished is in `<root>/tmp`; the first write removes what dead writers left there.
///
/// Threads    Any, and any number of processes: equal content is equal wherever it comes from.
/// Durability What `put` and `adopt` return names content that survives power loss.
class ArtifactStore {
 public:
  explicit ArtifactStore(std::filesystem::path root) : root_(std::move(root)) {}

  /// Errors: kIo, kExhausted (no space).
  [[nodiscard]] Result<Sha256> put(std::string_view bytes) const;

  /// Moves a file into the store; it must be on the same file system. After an error it is where it
  /// was. Errors: kNotFound, kIo.
  [[nodiscard]] Result<Sha256> adopt(const std::filesystem::path& file) const;

  /// A new path below the root for a file to be adopted. What is there goes with this object, or,
  /// when the process is killed, with the next writer.
  [[nodiscard]] Result<std::filesystem::path> temporary_path() const;

  /// Where the content is, if it is there.
  [[nodiscard]] std::filesystem::path path_of(const Sha256& hash) const;

  /// Removes content that was put, for the first time or again, before `before`, and returns its
  /// size: nothing when it is not there, or newer. Who puts it in this moment may lose it, so
  /// `before` is long ago. Errors: kIo.
  [[nodiscard]] Result<std::optional<std::uint64_t>> remove_older(const Sha256& hash,
                                                                  Timestamp before) const;

  /// Errors: kNotFound, kIo, kExhausted (more than `limit` bytes), kCorrupt (not what was put).
  [[nodiscard]] Result<std::string> get(const Sha256& hash, std::uint64_t limit) const;

 private:
  /// Gives a finished and synced file the name of its content.
  [[nodiscard]] Result<void> move_in(const std::filesystem::path& file, const Sha256& hash) const;

  const std::filesystem::path root_;
  mutable std::mutex mutex_;
  mutable std::optional<WriterFolder> temporaries_;  // guarded by mutex_; made by the first write
};

}  // namespace weir::artifact
