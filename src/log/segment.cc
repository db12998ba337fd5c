#include "log/segment.h"

#include <charconv>
#include <cstdio>
#include <cstring>

#include "base/hash.h"

namespace weir::log {
namespace {

constexpr std::string_view kCommitPrefix = "{\"log_commit\":";
constexpr std::size_t kReadSize = std::size_t{1} << 20;

std::string commit_line(std::uint64_t events, std::string_view lines) {
  char line[128];
  const int size = std::snprintf(
      line, sizeof line, "{\"log_commit\":{\"events\":%llu,\"bytes\":%llu,\"crc32c\":\"%08x\"}}\n",
      static_cast<unsigned long long>(events), static_cast<unsigned long long>(lines.size()),
      crc32c(lines));
  return {line, static_cast<std::size_t>(size)};
}

/// What is wrong with a commit line, or nothing. Comparing with the line that ought to stand there
/// checks every number at once and admits one spelling only.
std::optional<std::string> mismatch(std::string_view line, std::uint64_t events,
                                    std::string_view lines) {
  const auto expected = commit_line(events, lines);
  if (line == std::string_view(expected).substr(0, expected.size() - 1)) return {};
  return "commit line and events disagree: found " + std::string(line.substr(0, 120)) +
         ", the bytes before it make " + expected.substr(0, expected.size() - 1);
}

}  // namespace

Result<SegmentWriter> SegmentWriter::create(const std::filesystem::path& path) {
  WEIR_TRY(auto file, File::create(path));
  WEIR_TRY(const bool locked, file.try_lock());
  if (!locked) return fail(ErrorCode::kConflict, path.string() + ": locked by another process");
  WEIR_TRY(sync_directory(path.parent_path()));
  return SegmentWriter(std::move(file));
}

Result<void> SegmentWriter::commit(std::string& lines, std::uint64_t events) {
  if (failure_) return std::unexpected(*failure_);
  lines += commit_line(events, lines);
  reserve_for(size_bytes_ + lines.size());
  auto result = file_.write(lines);
  if (result) result = file_.sync();
  if (!result) {
    failure_ = result.error();
    return result;
  }
  size_bytes_ += lines.size();
  lines.clear();
  return {};
}

/// A segment that grows gets its blocks ahead of time: a commit of 1 MiB is then written five times
/// as fast. Small ones, which most runs make, take no more than they need.
void SegmentWriter::reserve_for(std::uint64_t size) {
  constexpr std::uint64_t kFrom = std::uint64_t{1} << 20, kStep = std::uint64_t{16} << 20;
  if (size < kFrom || size <= reserved_bytes_) return;
  file_.reserve(size_bytes_, kStep);
  reserved_bytes_ = size_bytes_ + kStep;
}

SegmentWriter::~SegmentWriter() {
  if (reserved_bytes_ > size_bytes_ && !failure_) file_.release_beyond(size_bytes_);
}

Result<SegmentReader> SegmentReader::open(const std::filesystem::path& path) {
  WEIR_TRY(auto file, File::open_to_read(path));
  return SegmentReader(std::move(file));
}

Result<std::optional<Commit>> SegmentReader::next_commit() {
  while (true) {
    const auto line = next_line();
    if (!line) {
      WEIR_TRY(const bool more, fill());
      if (!more) return std::optional<Commit>();
      continue;
    }
    if (!line->starts_with(kCommitPrefix)) {
      ++lines_;
      continue;
    }
    const auto begin = candidate_begin_;
    const auto events = lines_;
    const auto end_of_lines = static_cast<std::size_t>(line->data() - buffer_.data());
    const auto lines = std::string_view(buffer_).substr(begin, end_of_lines - begin);
    candidate_begin_ = line_begin_;
    lines_ = 0;
    if (auto reason = mismatch(*line, events, lines)) {
      suspect({buffer_offset_ + begin, line_begin_ - begin, std::move(*reason)});
      continue;
    }
    WEIR_TRY(make_durable(buffer_offset_ + line_begin_));
    damage_.insert(damage_.end(), suspects_.begin(), suspects_.end());
    suspects_.clear();
    commit_begin_ = line_begin_;
    return Commit{.lines = lines, .events = events, .offset = buffer_offset_ + begin};
  }
}

/// One change can spoil the commit line that it hits and the commit after it: still one place.
void SegmentReader::suspect(Damage damage) {
  if (!suspects_.empty() && suspects_.back().offset + suspects_.back().size == damage.offset) {
    suspects_.back().size += damage.size;
  } else {
    suspects_.push_back(std::move(damage));
  }
}

std::optional<std::string_view> SegmentReader::next_line() {
  const auto newline = buffer_.find('\n', searched_to_);
  if (newline == std::string::npos) {
    searched_to_ = buffer_.size();
    return {};
  }
  const auto line = std::string_view(buffer_).substr(line_begin_, newline - line_begin_);
  line_begin_ = searched_to_ = newline + 1;
  return line;
}

/// Reads on. False at the end of the file, and when a commit would be longer than any may be.
Result<bool> SegmentReader::fill() {
  // Only here may views handed out before become invalid: forget what was delivered.
  if (commit_begin_ > 0) {
    buffer_.erase(0, commit_begin_);
    buffer_offset_ += commit_begin_;
    candidate_begin_ -= commit_begin_;
    line_begin_ -= commit_begin_;
    searched_to_ -= commit_begin_;
    commit_begin_ = 0;
  }
  if (buffer_.size() > kMaxCommitBytes + kMaxEventBytes) return false;
  const auto before = buffer_.size();
  buffer_.resize(before + kReadSize);
  const auto got = file_.read_at(buffer_offset_ + before, buffer_.data() + before, kReadSize);
  buffer_.resize(before + got.value_or(0));
  if (!got) return std::unexpected(got.error());
  return *got > 0;
}

Result<void> SegmentReader::make_durable(std::uint64_t end) {
  if (end <= durable_to_) return {};
  WEIR_TRY(const auto size, file_.size());
  WEIR_TRY(file_.sync());
  durable_to_ = size;
  return {};
}

}  // namespace weir::log
