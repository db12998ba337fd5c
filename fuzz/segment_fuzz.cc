// Segments: SegmentReader against the format as docs/formats/event-log.md says it, read the slow
// way; also of a file that grows while it is read.

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "log/segment.h"

namespace weir::log {
namespace {

/// Bit by bit: shares nothing with base/hash.
std::uint32_t crc32c_reference(std::string_view bytes) {
  constexpr std::uint32_t kReversedPolynomial = 0x82F63B78U;
  std::uint32_t crc = ~0U;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1U) * kReversedPolynomial);
  }
  return ~crc;
}

std::string hex8(std::uint32_t value) {
  std::string text;
  for (int shift = 28; shift >= 0; shift -= 4) text += "0123456789abcdef"[value >> shift & 15];
  return text;
}

/// A decimal without leading zeros from the front of `text`.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || (text.front() == '0' && end != text.data() + 1)) return {};
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

bool take(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

/// Those of the lines `before` of which `line` (without LF) says what is true: the last ones.
/// Before them may stand what is left of another commit.
std::optional<std::string_view> committed_by(std::string_view line, std::string_view before) {
  if (!take(line, "{\"log_commit\":{\"events\":")) return {};
  const auto count = take_number(line);
  if (!take(line, ",\"bytes\":")) return {};
  const auto size = take_number(line);
  if (!count || !size || *size > before.size()) return {};
  const auto events = before.substr(before.size() - *size);
  if (*size < before.size() && before[before.size() - *size - 1] != '\n') return {};
  if (static_cast<std::uint64_t>(std::ranges::count(events, '\n')) != *count) return {};
  if (!take(line, ",\"crc32c\":\"") || !take(line, hex8(crc32c_reference(events)))) return {};
  if (!take(line, "\"}}") || line.size() >= 4096) return {};
  return line.find_first_not_of(' ') == std::string_view::npos ? std::optional(events)
                                                               : std::nullopt;
}

struct Expected {
  std::string committed;        // the event lines of all good commits
  std::vector<Commit> commits;  // views into the file
  std::vector<Damage> damage;   // without reasons
  std::uint64_t end_of_last_good = 0;
};

/// Everything between the end of one good commit and the begin of the next good one is damage.
Expected read_reference(std::string_view file) {
  Expected expected;
  std::size_t events_begin = 0, line_begin = 0, good_end = 0;
  for (auto newline = file.find('\n'); newline != std::string_view::npos;
       newline = file.find('\n', line_begin)) {
    const auto line = file.substr(line_begin, newline - line_begin);
    const auto events = file.substr(events_begin, line_begin - events_begin);
    line_begin = newline + 1;
    if (!line.starts_with("{\"log_commit\":")) continue;
    if (const auto committed = committed_by(line, events)) {
      const auto begin = static_cast<std::size_t>(committed->data() - file.data());
      if (begin > good_end) {
        expected.damage.push_back({.offset = good_end, .size = begin - good_end, .reason = {}});
      }
      expected.committed += *committed;
      const auto count = static_cast<std::uint64_t>(std::ranges::count(*committed, '\n'));
      expected.commits.push_back({.lines = *committed, .events = count, .offset = begin});
      good_end = line_begin;
    }
    events_begin = line_begin;
  }
  expected.end_of_last_good = good_end;
  return expected;
}

/// A file that has a path and no place on a disk.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(::memfd_create("segment", MFD_CLOEXEC)) {
    WEIR_CHECK(descriptor_ >= 0);
  }
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  void append(std::string_view bytes) const {
    WEIR_CHECK(::write(descriptor_, bytes.data(), bytes.size()) ==
               static_cast<ssize_t>(bytes.size()));
  }
  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

/// Follows one reader through a file that grows.
class Follower {
 public:
  explicit Follower(const std::string& path) : reader_(*SegmentReader::open(path)) {}

  /// Reads on to the end of `file`, what it now holds, and checks everything read so far.
  void follow(std::string_view file) {
    const auto expected = read_reference(file);
    while (true) {
      const auto commit = reader_.next_commit();
      WEIR_CHECK(commit);
      if (!*commit) break;
      WEIR_CHECK(commits_ < expected.commits.size());
      const auto& right = expected.commits[commits_++];
      WEIR_CHECK((*commit)->lines == right.lines && (*commit)->events == right.events);
      WEIR_CHECK((*commit)->offset == right.offset);
    }
    WEIR_CHECK(commits_ == expected.commits.size());
    WEIR_CHECK(reader_.offset() == expected.end_of_last_good);
    WEIR_CHECK(reader_.offset() + reader_.torn_bytes() == file.size());
    check_damage(expected.damage);
  }

 private:
  void check_damage(const std::vector<Damage>& expected) const {
    const auto& damage = reader_.damage();
    WEIR_CHECK(damage.size() == expected.size());
    for (std::size_t i = 0; i < damage.size(); ++i) {
      WEIR_CHECK(damage[i].offset == expected[i].offset && damage[i].size == expected[i].size);
      WEIR_CHECK(!damage[i].reason.empty());
    }
  }

  SegmentReader reader_;
  std::size_t commits_ = 0;
};

/// Random bytes never hold a right checksum. So in every second input some bytes stand for more:
/// 1 for the right commit line, 2 for one with a wrong checksum, 3 for one that counts wrong, 4 for
/// a padded one.
std::string expand(std::string_view bytes) {
  std::string file;
  std::size_t begin = 0;
  for (const char c : bytes) {
    if (c < 1 || c > 4) {
      file += c;
      continue;
    }
    const auto events = std::string_view(file).substr(begin);
    const auto count = std::count(events.begin(), events.end(), '\n') + (c == 3 ? 1 : 0);
    const auto crc = crc32c_reference(events) + (c == 2 ? 1U : 0U);
    file += "{\"log_commit\":{\"events\":" + std::to_string(count) +
            ",\"bytes\":" + std::to_string(events.size()) + ",\"crc32c\":\"" + hex8(crc) + "\"}}" +
            std::string(c == 4 ? 17 : 0, ' ') + "\n";
    begin = file.size();
  }
  return file;
}

/// First two bytes: whether to expand, and in how large steps the file grows.
void check(std::string_view input) {
  if (input.size() < 2) return;
  const auto step = static_cast<std::size_t>(static_cast<unsigned char>(input[1]));
  const auto file = input[0] % 2 == 0 ? std::string(input.substr(2)) : expand(input.substr(2));

  MemoryFile memory;
  Follower growing(memory.path());
  if (step > 0 && file.size() / step < 8) {
    for (std::size_t size = 0; size < file.size(); size += std::min(step, file.size() - size)) {
      memory.append(std::string_view(file).substr(size, step));
      growing.follow(std::string_view(file).substr(0, size + step));
    }
  } else {
    memory.append(file);
  }
  growing.follow(file);
  Follower(memory.path()).follow(file);
}

}  // namespace
}  // namespace weir::log

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  weir::log::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
