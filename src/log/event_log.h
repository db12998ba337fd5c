#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "log/segment.h"

namespace weir::log {

/// The version of the format that this program writes, and the newest it reads.
inline constexpr int kFormatVersion = 1;

/// A store's folder: where things are in it. Nothing is kept open.
class StoreDirectory {
 public:
  /// Makes what is missing. Errors: kIo, kUnavailable (a newer format).
  [[nodiscard]] static Result<StoreDirectory> create(const std::filesystem::path& root);
  /// Errors: kNotFound (no store there), kUnavailable (a newer format), kCorrupt (no version).
  [[nodiscard]] static Result<StoreDirectory> open(const std::filesystem::path& root);

  [[nodiscard]] const std::filesystem::path& root() const { return root_; }
  [[nodiscard]] std::filesystem::path log() const { return root_ / "log"; }
  [[nodiscard]] std::filesystem::path artifacts() const { return root_ / "artifacts"; }
  [[nodiscard]] std::filesystem::path run_lock(const RunId& run) const {
    return root_ / "runs" / (run.text() + ".lock");
  }
  /// All segments, by name: a writer's in their order, writers by their start. Errors: kIo.
  [[nodiscard]] Result<std::vector<std::filesystem::path>> segments() const;

 private:
  explicit StoreDirectory(std::filesystem::path root) : root_(std::move(root)) {}
  std::filesystem::path root_;
};

/// Appends commits to segments of its own, one after the other. The first segment is made by the
/// first commit. Threads, durability and failure as for SegmentWriter.
class LogWriter {
 public:
  LogWriter(const StoreDirectory& store, Timestamp now);

  /// As SegmentWriter::commit.
  [[nodiscard]] Result<void> commit(std::string& lines, std::uint64_t events);

 private:
  static constexpr std::uint64_t kMaxSegmentBytes = std::uint64_t{64} << 20;

  std::filesystem::path folder_;
  std::string writer_;
  int number_ = 0;
  std::optional<SegmentWriter> segment_;
};

/// Ownership of a run by this process. Free when the object or the process ends, however it ends.
class RunLock {
 public:
  /// Errors: kConflict (another process owns the run), kIo.
  [[nodiscard]] static Result<RunLock> take(const StoreDirectory& store, const RunId& run);
  /// Whether some process owns the run now.
  [[nodiscard]] static bool is_held(const StoreDirectory& store, const RunId& run);

  RunLock(RunLock&&) noexcept = default;
  RunLock& operator=(RunLock&&) noexcept = default;
  ~RunLock();

 private:
  explicit RunLock(File file) : file_(std::move(file)) {}
  std::optional<File> file_;
};

}  // namespace weir::log
