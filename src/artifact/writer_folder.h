#pragma once

#include <cstdint>
#include <filesystem>
#include <utility>

#include "base/file.h"
#include "base/result.h"

namespace weir::artifact {

/// A folder for the temporaries of one writer, held by an advisory lock on the folder itself: the
/// lock goes with the process, however that ends, and says to others whether the writer lives.
///
///     tmp/          locked while a writer comes: it removes what is held by nobody, then makes its
///     own tmp/a8Xk2P/   locked for as long as its writer lives
class WriterFolder {
 public:
  /// Makes a folder below `root`, after removing those of dead writers. Errors: kIo, kExhausted.
  [[nodiscard]] static Result<WriterFolder> create(const std::filesystem::path& root);

  WriterFolder(WriterFolder&& other) noexcept
      : held_(std::move(other.held_)), path_(std::exchange(other.path_, {})), next_(other.next_) {}
  WriterFolder& operator=(WriterFolder&&) = delete;
  /// Removes the folder with all that is in it.
  ~WriterFolder();

  /// The path of a file that is not there yet.
  [[nodiscard]] std::filesystem::path new_path();

 private:
  explicit WriterFolder(File held) : held_(std::move(held)), path_(held_.path()) {}
  File held_;
  std::filesystem::path path_;  // empty after a move
  std::uint64_t next_ = 0;
};

}  // namespace weir::artifact
