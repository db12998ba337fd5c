#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "log/segment.h"
#include "log/store_directory.h"

namespace weir::log {

struct LogWriterOptions {
  /// The next commit begins a new segment when the current one has this size or age. A segment can
  /// be sealed only when it is finished.
  std::uint64_t segment_bytes = std::uint64_t{64} << 20;
  std::chrono::seconds segment_age{600};
  std::size_t direct_from = kDirectFrom;
};

/// A segment all of whose commits were acknowledged.
struct FinishedSegment {
  SegmentName name;
  std::uint64_t bytes = 0;
};

/// Appends commits to segments of its own, one after the other. The first segment is made by the
/// first commit. Threads and durability as for SegmentWriter.
///
/// Failure  After an error it is finished, and another writer may take its place: under another
///          name, so that no number of a segment is ever missing.
class LogWriter {
 public:
  LogWriter(StoreDirectory store, const Clock& clock, LogWriterOptions options = {});

  /// As SegmentWriter::commit.
  [[nodiscard]] Result<void> commit(CommitBuffer& lines, std::uint64_t events);
  [[nodiscard]] Result<void> commit(std::string_view lines, std::uint64_t events);

  /// Finishes the current segment. Its lock is free then.
  void close();

  /// The segments that were finished since the last call, each without an error.
  [[nodiscard]] std::vector<FinishedSegment> take_finished() {
    return std::exchange(finished_, {});
  }

  /// How many segments it has finished.
  [[nodiscard]] std::uint32_t finished_segments() const {
    return segment_ ? name_.number - 1 : name_.number;
  }
  /// What its segments are called.
  [[nodiscard]] const std::string& name() const { return name_.writer; }

 private:
  [[nodiscard]] bool is_full(const SegmentWriter& segment) const;
  [[nodiscard]] Result<void> begin_segment();

  StoreDirectory store_;
  const Clock& clock_;
  LogWriterOptions options_;
  SegmentName name_;  // of the current segment, or of the last
  std::optional<SegmentWriter> segment_;
  std::chrono::nanoseconds begun_{};
  std::optional<Error> failure_;
  std::vector<FinishedSegment> finished_;
};

}  // namespace weir::log
