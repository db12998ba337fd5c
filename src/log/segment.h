#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/hash.h"
#include "base/result.h"
#include "log/commit_buffer.h"

/// Segments of the event log. Format: docs/formats/event-log.md, version 1.
namespace weir::log {

/// One event line, without its newline.
inline constexpr std::size_t kMaxEventBytes = std::size_t{4} << 20;
/// The events of one commit: what a reader must hold in memory at once.
inline constexpr std::size_t kMaxCommitBytes = std::size_t{64} << 20;

/// A commit of so many bytes and more ends at a multiple of kDirectAlignment, and is written past
/// the page cache if it begins at one (docs/decisions/0007-direct-writes.md).
inline constexpr std::size_t kDirectFrom = std::size_t{1} << 20;

/// Appends group commits to one segment file.
///
/// Ownership  Owns the file and its lock.
/// Threads    One at a time: the recorder's writer thread.
/// Durability What `commit` was given survives power loss when it returns.
/// Failure    After a failed commit the writer refuses further work: the kernel may have dropped
///            the dirty pages, so a retry that "succeeds" would prove nothing.
class SegmentWriter {
 public:
  /// Creates `path`, which must not exist, and locks it. After an error there is no such file, if
  /// the file system lets go of it. Errors: kIo, kExhausted (no space).
  [[nodiscard]] static Result<SegmentWriter> create(const std::filesystem::path& path,
                                                    FileSystem& files = local_files(),
                                                    std::size_t direct_from = kDirectFrom);
  SegmentWriter(SegmentWriter&&) noexcept = default;
  SegmentWriter& operator=(SegmentWriter&&) = delete;
  /// Gives back what was reserved, and what a failed commit has left, if that can be done.
  ~SegmentWriter();

  /// Writes `events` event lines and their commit line, and makes all of it durable: one write, one
  /// fdatasync. `lines` is empty after a success. Errors: kInvalidInput (more than
  /// kMaxCommitBytes), kIo, kExhausted (no space); final.
  [[nodiscard]] Result<void> commit(CommitBuffer& lines, std::uint64_t events);
  /// The same of a copy.
  [[nodiscard]] Result<void> commit(std::string_view lines, std::uint64_t events);

  /// Bytes committed so far.
  [[nodiscard]] std::uint64_t size_bytes() const { return size_bytes_; }

 private:
  SegmentWriter(File file, std::size_t direct_from)
      : file_(std::move(file)), direct_from_(direct_from) {}
  void reserve_for(std::uint64_t size);

  File file_;
  std::size_t direct_from_;
  std::uint64_t size_bytes_ = 0;
  std::uint64_t reserved_bytes_ = 0;  // up to here there are blocks, or bytes of a failed commit
  std::optional<Error> failure_;
};

/// A place in a segment whose bytes are not what was written.
struct Damage {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::string reason;
  bool operator==(const Damage&) const = default;
};

/// The events of one commit.
struct Commit {
  std::string_view lines;  ///< each with its newline; valid until the reader's next call
  std::uint64_t events = 0;
  std::uint64_t offset = 0;  ///< of the first line in the segment
};

/// Reads the commits of one segment, also while another process appends to it.
///
/// Threads  One at a time.
class SegmentReader {
 public:
  /// Errors: kNotFound, kIo.
  [[nodiscard]] static Result<SegmentReader> open(const std::filesystem::path& path,
                                                  FileSystem& files = local_files());

  /// The same, and reads all that the file has now into `memory`, in the place of what that held:
  /// what `next_commit` gives then stays until `take_bytes`.
  [[nodiscard]] static Result<SegmentReader> open_whole(const std::filesystem::path& path,
                                                        FileSystem& files, std::string memory);

  /// The next commit, nothing at the end of the committed part; call again when the file has grown.
  /// What it returns is durable. Errors: kIo.
  [[nodiscard]] Result<std::optional<Commit>> next_commit();
  /// The same from the commit that begins at `offset` on, a place that `offset()` has named.
  void seek(std::uint64_t offset);

  /// What `open_whole` has read, and its hash; the reader is of no use without.
  [[nodiscard]] std::string take_bytes() { return std::move(buffer_); }
  [[nodiscard]] const Sha256& sha256() const { return sha256_; }

  /// Damage passed so far: only what a good commit follows.
  [[nodiscard]] const std::vector<Damage>& damage() const { return damage_; }
  /// Commits that are whole but for their checksum, and that nothing good follows: left by a power
  /// failure in the middle of a write, or bytes that have changed since.
  [[nodiscard]] const std::vector<Damage>& suspects() const { return suspects_; }
  /// Bytes after the last good commit, once `next_commit` has returned nothing.
  [[nodiscard]] std::uint64_t torn_bytes() const { return file_end_ - offset(); }
  /// Where the committed part that was read so far ends.
  [[nodiscard]] std::uint64_t offset() const { return buffer_offset_ + commit_begin_; }

 private:
  explicit SegmentReader(File file) : file_(std::move(file)) {}

  [[nodiscard]] Result<std::uint64_t> read_on(std::uint64_t wanted);

  [[nodiscard]] Result<bool> fill();
  [[nodiscard]] std::optional<std::string_view> next_line();
  [[nodiscard]] std::optional<Commit> commit_before(std::string_view commit_line);
  void suspect(Damage damage);
  [[nodiscard]] Result<void> make_durable(std::uint64_t end);

  File file_;
  bool is_whole_ = false;  // the file is in buffer_, as it was when it was opened
  Sha256 sha256_;          // of that
  std::string buffer_;     // the file from buffer_offset_ on
  std::uint64_t buffer_offset_ = 0;
  std::uint64_t file_end_ = 0;         // where the last read found it
  std::size_t commit_begin_ = 0;       // in buffer_: where the last good commit ended
  std::size_t candidate_begin_ = 0;    // where the events before the next commit line begin
  std::uint64_t candidate_lines_ = 0;  // of these events, read so far
  std::size_t line_begin_ = 0;         // the next line to look at
  std::size_t searched_to_ = 0;        // no newline between line_begin_ and here
  std::uint64_t durable_to_ = 0;
  std::vector<Damage> suspects_;
  std::vector<Damage> damage_;
};

}  // namespace weir::log
