#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/descriptor.h"
#include "log/cursor.h"
#include "log/folder_watch.h"
#include "log/manifest.h"
#include "log/segment.h"
#include "log/store_directory.h"

namespace weir::log {

/// Whose segments somebody wants; none: everybody's.
using WriterFilter = std::function<bool(std::string_view writer)>;

/// A commit with its place; or events of parts, which have none.
struct FollowedCommit {
  SegmentName segment{};
  std::uint64_t begin = 0;  ///< of its first line, in the segment
  std::uint64_t end = 0;    ///< of its commit line
  std::string_view lines;   ///< each with its newline; valid until the follower's next call
  std::uint64_t events = 0;
  bool is_of_parts = false;
};

/// Gives the events of parts, some lines at a time, each with its newline, valid until the next
/// call; nothing at the end. An error is of a part that cannot be read: the next call goes on
/// behind it.
using PartLines = std::function<Result<std::optional<std::string_view>>()>;
/// Begins to read parts of a store. Errors: kUnavailable (what is needed for that is not there).
using OpenParts =
    std::function<Result<PartLines>(const StoreDirectory& store, const std::vector<Part>& parts)>;

/// What a follower cannot deliver: bytes that are not what was written, segments that are gone.
struct FollowProblem {
  SegmentName segment;
  std::uint64_t offset = 0;
  std::string reason;
  bool operator==(const FollowProblem&) const = default;
};

struct FollowerOptions {
  WriterFilter wants{};
  /// How it reads what compaction has taken away before it was read (store::open_parts). Without
  /// it, and with `wants`, since parts do not say whose events they hold, that is a problem.
  OpenParts open_parts{};
  /// How often it looks at everything, whatever it was told: of some file systems the kernel tells
  /// nothing, and nobody is told that a lock is free.
  std::chrono::milliseconds look_interval{1000};
  /// How many segments it keeps open at the most; others are opened again when they have grown.
  std::size_t max_open = 32;
  std::function<Result<FolderWatch>(const std::filesystem::path&)> watch = FolderWatch::on;
};

/// Delivers the commits of all writers of a store, those that are there and those that come: of
/// each writer every commit after the cursor once, in its order. What it delivers is durable.
///
/// Order    Within a writer. Between writers it takes turns: a segment each, the writer that began
///          first before others. Of parts within a run.
/// Parts    Where segments that a compaction replaced are gone, the parts are read that replaced
///          them: all of a batch, so what was read of its segments before comes again, and
///          `on_problem` is told.
/// Gaps     Damage, suspects of finished segments, and segments that were removed before they were
///          read are told to `on_problem`, once each, and it goes on behind them. Torn tails of
///          finished segments are passed over and counted.
/// Memory   A position for each writer, `max_open` open segments.
/// Threads  One at a time; `wake` from any.
class Follower {
 public:
  using ProblemHandler = std::function<void(const FollowProblem&)>;

  /// Begins at `from`: with `end_of_log`, what is committed from then on. `on_problem` is called by
  /// `next`. Errors: kIo, kNotFound.
  [[nodiscard]] static Result<Follower> open(StoreDirectory store, Cursor from,
                                             ProblemHandler on_problem,
                                             FollowerOptions options = {});

  /// The next commit. Nothing when none has come within `wait` (a day at the most), or at once when
  /// it was woken. Errors: kIo, kNotFound, of one segment or the folder: the next call goes on with
  /// the others, and later tries that one again.
  [[nodiscard]] Result<std::optional<FollowedCommit>> next(std::chrono::milliseconds wait);

  /// Ends a `next` that waits, or else the next one that would.
  void wake();

  /// Lets the next call look at everything, whatever the kernel has told.
  void look() { next_look_ = {}; }

  /// After everything delivered so far. Names no writers that are gone.
  [[nodiscard]] const Cursor& cursor() const { return cursor_; }
  /// After the last commits of segments that are finished: never acknowledged.
  [[nodiscard]] std::uint64_t torn_bytes() const { return torn_bytes_; }

 private:
  using Time = std::chrono::steady_clock::time_point;

  /// A writer of whom there may be more than was delivered.
  struct Live {
    std::uint32_t newest = 0;   // the highest number that was seen
    bool is_ready = false;      // in ready_
    bool ask_for_lock = true;   // find out whether the segment is finished
    std::uint64_t used_at = 0;  // by reads_
    std::optional<SegmentReader> reader{};
    std::size_t reported = 0;  // of the reader's damage
  };

  Follower(StoreDirectory store, Cursor from, ProblemHandler on_problem, FollowerOptions options,
           Descriptor wake);

  /// Batches of which segments that were not read are gone: their parts are read.
  struct Replaced {
    std::uint64_t first = 0;  // batches
    std::uint64_t last = 0;
    std::vector<Part> parts{};
    std::map<std::string, Position, std::less<>> end{};  // after them
    SegmentName gone{};                                  // one of them
    std::optional<SegmentName> again{};                  // of which something was read before
    PartLines lines{};
    std::string ahead{};  // read and not delivered: the cursor moves with the last
  };

  [[nodiscard]] bool reads_parts() const { return options_.open_parts && !options_.wants; }
  void find_replaced(const Manifest& manifest, const std::vector<SegmentName>& names);
  [[nodiscard]] std::optional<SegmentName> first_gone(const Batch& batch,
                                                      const std::vector<SegmentName>& names) const;
  [[nodiscard]] Result<std::optional<FollowedCommit>> read_replaced();
  [[nodiscard]] bool read_ahead(Replaced& replaced);
  void pass(const Replaced& replaced);
  [[nodiscard]] Position passed_in_parts(const Manifest& manifest, std::string_view writer) const;
  void forget_writers(const std::vector<SegmentName>& newest, const Manifest* manifest);
  void note(const SegmentName& name);
  void make_ready(const std::string& writer, Live& live);
  [[nodiscard]] Result<void> look_at_all();
  [[nodiscard]] Result<void> take_changes();
  [[nodiscard]] Result<bool> await(Time deadline);
  [[nodiscard]] Result<std::optional<FollowedCommit>> read(const std::string& writer, Live& live);
  [[nodiscard]] Result<SegmentReader*> reader_of(const std::string& writer, Live& live);
  [[nodiscard]] Result<bool> pass_removed(const std::string& writer, Live& live);
  [[nodiscard]] Result<bool> is_finished(const SegmentName& name);
  void close(Live& live);
  void close_one();
  void finish_segment(const std::string& writer, const SegmentReader& reader, Live& live);
  void report_damage(const SegmentName& name, const SegmentReader& reader, Live& live);

  StoreDirectory store_;
  Cursor cursor_;
  ProblemHandler on_problem_;
  FollowerOptions options_;
  std::optional<FolderWatch> watch_;
  Descriptor wake_;
  Time next_look_{};
  Time next_manifest_look_{};
  std::deque<Replaced> replaced_;
  std::string lines_;  // of parts
  std::map<std::string, Live, std::less<>> live_;
  std::deque<std::string> ready_;  // writers to read, in turn
  std::size_t open_ = 0;
  std::uint64_t reads_ = 0;
  std::uint64_t torn_bytes_ = 0;
};

/// The place after all that is committed now, and all that parts hold. Errors: kIo.
[[nodiscard]] Result<Cursor> end_of_log(const StoreDirectory& store,
                                        const WriterFilter& wants = {});

/// What there is in the files after a cursor, committed or not.
struct Remainder {
  std::uint64_t bytes = 0;
  Cursor end;  ///< where the files end; of the writers that have any
};
/// Errors: kIo.
[[nodiscard]] Result<Remainder> remainder(const StoreDirectory& store, const Cursor& cursor,
                                          const WriterFilter& wants = {});

}  // namespace weir::log
