#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/id.h"
#include "base/result.h"
#include "base/time.h"
#include "log/store_directory.h"

namespace weir::log {

/// What a recorder could not write.
struct Loss {
  /// Of more runs only so many are named.
  static constexpr std::size_t kMaxNamed = 32;

  Timestamp since{};
  std::string reason;
  std::uint64_t events = 0;
  std::uint64_t runs = 0;
  std::vector<RunId> run_ids{};
};

/// Where a recorder notes what it could not write, for the case that it ends before it can: a file
/// that has its blocks from the beginning, so that a full disk takes the note. Format:
/// docs/formats/event-log.md.
///
/// Ownership  The recorder's, whose lock it bears. The destructor takes an empty note away.
/// Threads    One at a time.
class LossNote {
 public:
  /// Errors: kIo, kExhausted (no space).
  [[nodiscard]] static Result<LossNote> reserve(const StoreDirectory& store,
                                                std::string_view writer);
  LossNote(LossNote&& other) noexcept
      : file_(std::exchange(other.file_, std::nullopt)),
        files_(other.files_),
        is_empty_(other.is_empty_) {}
  LossNote& operator=(LossNote&&) = delete;
  ~LossNote();

  /// Durable when it returns, in the place of what stood there. Errors: kIo; kExhausted where the
  /// file system does not write in place.
  [[nodiscard]] Result<void> write(const Loss& loss);
  [[nodiscard]] Result<void> clear();

  /// The notes of recorders that are gone, each of them ours now until it is destroyed: `clear` one
  /// once what it says is recorded. Empty ones are taken away.
  [[nodiscard]] static std::vector<std::pair<LossNote, Loss>> left_behind(
      const StoreDirectory& store);

 private:
  LossNote(File file, FileSystem& files) : file_(std::move(file)), files_(&files) {}
  [[nodiscard]] Result<void> put(std::string text);

  std::optional<File> file_;  // none: moved away
  FileSystem* files_;
  bool is_empty_ = true;
};

}  // namespace weir::log
