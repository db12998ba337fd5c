#include "log/log_writer.h"

#include <cstdio>

namespace weir::log {

LogWriter::LogWriter(StoreDirectory store, const Clock& clock, LogWriterOptions options)
    : store_(std::move(store)), clock_(clock), options_(options) {
  const auto now = clock.now().time_since_epoch();
  const auto ms = std::chrono::floor<std::chrono::milliseconds>(now);
  char name[32];
  std::snprintf(name, sizeof name, "%012llx%03llx%09llx",
                static_cast<unsigned long long>(ms.count()),
                static_cast<unsigned long long>((now - ms).count()),
                static_cast<unsigned long long>(random_bits() >> 28));
  name_.writer = name;
}

bool LogWriter::is_full(const SegmentWriter& segment) const {
  return segment.size_bytes() >= options_.segment_bytes ||
         clock_.monotonic() - begun_ >= options_.segment_age;
}

void LogWriter::close() {
  if (segment_ && !failure_) {
    finished_.push_back({.name = name_, .bytes = segment_->size_bytes()});
  }
  segment_.reset();
}

Result<void> LogWriter::begin_segment() {
  WEIR_TRY(auto segment, SegmentWriter::create(store_.segment({name_.writer, name_.number + 1}),
                                               store_.files(), options_.direct_from));
  ++name_.number;
  segment_.emplace(std::move(segment));
  begun_ = clock_.monotonic();
  return {};
}

Result<void> LogWriter::commit(std::string_view lines, std::uint64_t events) {
  CommitBuffer buffer;
  buffer.append(lines);
  return commit(buffer, events);
}

Result<void> LogWriter::commit(CommitBuffer& lines, std::uint64_t events) {
  if (failure_) return std::unexpected(*failure_);
  if (segment_ && is_full(*segment_)) close();
  Result<void> done;
  if (!segment_) done = begin_segment();
  if (done && segment_) done = segment_->commit(lines, events);
  if (!done) {
    failure_ = done.error();
    close();
  }
  return done;
}

}  // namespace weir::log
