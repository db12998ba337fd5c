#include "log/segment.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>

#include "base/hash.h"
#include "base/sha256_stream.h"

namespace weir::log {
namespace {

constexpr std::string_view kCommitPrefix = "{\"log_commit\":";
constexpr std::size_t kReadSize = std::size_t{1} << 20;

struct CommitLine {
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;
  std::uint32_t crc = 0;

  /// Without padding and newline.
  [[nodiscard]] std::string text() const {
    char line[128];
    const int size = std::snprintf(
        line, sizeof line, "{\"log_commit\":{\"events\":%llu,\"bytes\":%llu,\"crc32c\":\"%08x\"}}",
        static_cast<unsigned long long>(events), static_cast<unsigned long long>(bytes), crc);
    return {line, static_cast<std::size_t>(size)};
  }

  /// `line` without its newline.
  static std::optional<CommitLine> parse(std::string_view line) {
    CommitLine read;
    const char* at = line.data();
    const char* const end = at + line.size();
    const auto number = [&](std::string_view before, auto& value, int base) {
      if (static_cast<std::size_t>(end - at) < before.size() ||
          std::string_view(at, before.size()) != before) {
        return false;
      }
      const auto parsed = std::from_chars(at + before.size(), end, value, base);
      at = parsed.ptr;
      return parsed.ec == std::errc();
    };
    if (!number("{\"log_commit\":{\"events\":", read.events, 10) ||
        !number(",\"bytes\":", read.bytes, 10) || !number(",\"crc32c\":\"", read.crc, 16)) {
      return {};
    }
    // One spelling only: what it would be written like is what it is, but for the padding.
    const auto text = read.text();
    if (!line.starts_with(text)) return {};
    const auto padding = line.substr(text.size());
    if (padding.size() >= kDirectAlignment ||
        padding.find_first_not_of(' ') != std::string_view::npos) {
      return {};
    }
    return read;
  }
};

}  // namespace

Result<SegmentWriter> SegmentWriter::create(const std::filesystem::path& path, FileSystem& files,
                                            std::size_t direct_from) {
  if (files.exists(path.c_str())) {
    return fail(ErrorCode::kConflict, path.string() + ": is there already");
  }
  // It gets its name when it is locked: who seals would take it for finished otherwise.
  const auto unnamed = path.string() + ".new";
  WEIR_TRY(auto file, File::create(unnamed, files));
  WEIR_TRY(const bool locked, file.try_lock());
  if (!locked) return fail(ErrorCode::kConflict, unnamed + ": locked by another process");
  auto ready = file.rename_to(path);
  if (ready) ready = sync_directory(path.parent_path(), files);
  if (!ready) {
    files.unlink(file.path().c_str());
    return std::unexpected(std::move(ready).error());
  }
  return SegmentWriter(std::move(file), direct_from);
}

Result<void> SegmentWriter::commit(std::string_view lines, std::uint64_t events) {
  CommitBuffer buffer;
  buffer.append(lines);
  return commit(buffer, events);
}

Result<void> SegmentWriter::commit(CommitBuffer& lines, std::uint64_t events) {
  if (failure_) return std::unexpected(*failure_);
  if (lines.size() > kMaxCommitBytes) {
    return fail(ErrorCode::kInvalidInput, "a commit of " + std::to_string(lines.size()) +
                                              " bytes, over the limit of " +
                                              std::to_string(kMaxCommitBytes));
  }
  auto line = CommitLine{.events = events, .bytes = lines.size(), .crc = lines.checksum()}.text();
  const auto unpadded = size_bytes_ + lines.size() + line.size() + 1;
  const bool is_large = lines.size() >= direct_from_;
  if (is_large) line.append(-unpadded % kDirectAlignment, ' ');
  line += '\n';
  lines.append(line);
  reserve_for(size_bytes_ + lines.size());
  const bool is_aligned = is_large && size_bytes_ % kDirectAlignment == 0;
  auto result = is_aligned ? file_.write_direct(lines.view()) : file_.write(lines.view());
  if (result) result = file_.sync();
  if (!result) {
    failure_ = result.error();
    reserved_bytes_ = std::max(reserved_bytes_, size_bytes_ + lines.size());
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
  const auto step = std::max(kStep, 4 * (size - size_bytes_));
  file_.reserve(size_bytes_, step);
  reserved_bytes_ = size_bytes_ + step;
}

SegmentWriter::~SegmentWriter() {
  // Of no effect on what is committed: whoever seals the segment cuts it at the same place.
  if (reserved_bytes_ > size_bytes_) static_cast<void>(file_.truncate(size_bytes_));
}

Result<SegmentReader> SegmentReader::open(const std::filesystem::path& path, FileSystem& files) {
  WEIR_TRY(auto file, File::open_to_read(path, files));
  return SegmentReader(std::move(file));
}

Result<SegmentReader> SegmentReader::open_whole(const std::filesystem::path& path,
                                                FileSystem& files, std::string memory) {
  WEIR_TRY(auto reader, open(path, files));
  WEIR_TRY(reader.file_end_, reader.file_.size());
  memory.clear();
  reader.buffer_ = std::move(memory);
  // Segments are about as large: with room for the next one, too.
  constexpr std::uint64_t kMore = 8;
  if (reader.buffer_.capacity() < reader.file_end_) {
    reader.buffer_.reserve(reader.file_end_ + reader.file_end_ / kMore + kReadSize);
  }
  Sha256Stream hash;  // of what is in the processor's cache
  while (reader.buffer_.size() < reader.file_end_) {
    const auto before = reader.buffer_.size();
    WEIR_TRY(const auto got,
             reader.read_on(std::min<std::uint64_t>(kReadSize, reader.file_end_ - before)));
    if (got == 0) break;
    hash.add(std::string_view(reader.buffer_).substr(before));
  }
  reader.sha256_ = hash.finish();
  reader.is_whole_ = true;
  return reader;
}

void SegmentReader::seek(std::uint64_t offset) {
  buffer_.clear();
  buffer_offset_ = file_end_ = offset;
  commit_begin_ = candidate_begin_ = line_begin_ = searched_to_ = 0;
  candidate_lines_ = 0;
  suspects_.clear();
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
      ++candidate_lines_;
      continue;
    }
    const auto commit = commit_before(*line);
    candidate_begin_ = line_begin_;
    candidate_lines_ = 0;
    if (!commit) continue;
    WEIR_TRY(make_durable(buffer_offset_ + line_begin_));
    damage_.insert(damage_.end(), suspects_.begin(), suspects_.end());
    suspects_.clear();
    commit_begin_ = line_begin_;
    return commit;
  }
}

/// The events that `commit_line`, a line of buffer_, commits. What stands between them and the
/// commit before is suspect, and so is everything if the numbers are wrong.
std::optional<Commit> SegmentReader::commit_before(std::string_view commit_line) {
  const auto end = static_cast<std::size_t>(commit_line.data() - buffer_.data());
  const auto between = std::string_view(buffer_).substr(candidate_begin_, end - candidate_begin_);
  const auto offset = buffer_offset_ + candidate_begin_;
  const auto read = CommitLine::parse(commit_line);
  if (read && read->bytes <= std::min(between.size(), kMaxCommitBytes)) {
    const auto before = between.size() - read->bytes;
    const auto lines = between.substr(before);
    const auto skipped = std::ranges::count(between.substr(0, before), '\n');
    if (crc32c(lines) == read->crc &&
        candidate_lines_ - static_cast<std::uint64_t>(skipped) == read->events &&
        (before == 0 || between[before - 1] == '\n')) {
      if (before > 0) suspect({offset, before, "no commit line that fits these bytes"});
      return Commit{.lines = lines, .events = read->events, .offset = offset + before};
    }
  }
  suspect({offset, between.size() + commit_line.size() + 1,
           "the commit line and the events before it disagree: " +
               std::string(commit_line.substr(0, 120))});
  return {};
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
  if (is_whole_) return false;
  // Only here may views handed out before become invalid: forget what was delivered.
  if (commit_begin_ > 0) {
    buffer_.erase(0, commit_begin_);
    buffer_offset_ += commit_begin_;
    candidate_begin_ -= commit_begin_;
    line_begin_ -= commit_begin_;
    searched_to_ -= commit_begin_;
    commit_begin_ = 0;
  }
  if (buffer_.size() > kMaxCommitBytes + kMaxEventBytes) {
    if (suspects_.empty()) {
      suspect({buffer_offset_, file_end_ - buffer_offset_, "no commit line within its limit"});
    }
    return false;
  }
  const auto before = buffer_.size();
  const auto position = buffer_offset_ + before;
  WEIR_TRY(file_end_, file_.size());
  if (file_end_ <= position) return false;
  const auto wanted = std::min<std::uint64_t>(kReadSize, file_end_ - position);
  WEIR_TRY(const auto got, read_on(wanted));
  return got > 0;
}

/// What it reads comes after what is in the buffer.
Result<std::uint64_t> SegmentReader::read_on(std::uint64_t wanted) {
  const auto before = buffer_.size();
  Result<std::size_t> got = 0;
  buffer_.resize_and_overwrite(before + wanted, [&](char* buffer, std::size_t) {
    got = file_.read_at(buffer_offset_ + before, buffer + before, wanted);
    return before + got.value_or(0);
  });
  return got;
}

Result<void> SegmentReader::make_durable(std::uint64_t end) {
  if (end <= durable_to_) return {};
  WEIR_TRY(const auto size, file_.size());
  WEIR_TRY(file_.sync());
  durable_to_ = size;
  return {};
}

}  // namespace weir::log
