#include "log/seal_chain.h"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "base/json.h"

namespace weir::log {
namespace {

/// A line has some 300 bytes. What is longer is none.
constexpr std::size_t kMaxLine = 1024;
/// More than syncs that failed one after the other can have left behind.
constexpr std::uint64_t kDoubtfulBytes = std::uint64_t{64} << 10;

/// Without its newline. The checksum is not for those who change it on purpose: two lines that were
/// written to one place, neither of them durably, could otherwise leave one that is half of each.
std::string line_of(const Seal& seal, const Sha256& previous) {
  char line[kMaxLine];
  int size = std::snprintf(
      line, sizeof line,
      R"({"seal":{"writer":"%s","number":%u,"bytes":%llu,"dropped_bytes":%llu,"sha256":"%s","previous":"%s"})",
      seal.segment.writer.c_str(), seal.segment.number, static_cast<unsigned long long>(seal.bytes),
      static_cast<unsigned long long>(seal.dropped_bytes), seal.sha256.text().c_str(),
      previous.text().c_str());
  std::string text(line, static_cast<std::size_t>(size));
  size = std::snprintf(line, sizeof line, R"(,"crc32c":"%08x"})", crc32c(text));
  return text.append(line, static_cast<std::size_t>(size));
}

struct ReadSeal {
  Seal seal;
  Sha256 previous;
};

std::optional<ReadSeal> parse_line(std::string_view line) {
  if (line.size() > kMaxLine) return {};
  const auto value = json::parse(line);
  const auto* outer = value && value->object() != nullptr ? value->object()->find("seal") : nullptr;
  const auto* members = outer != nullptr ? outer->object() : nullptr;
  if (members == nullptr) return {};
  const auto text = [&](const char* key) -> std::string {
    const auto* member = members->find(key);
    return member != nullptr && member->string() != nullptr ? *member->string() : std::string();
  };
  const auto number = [&](const char* key) -> std::uint64_t {
    const auto* member = members->find(key);
    const auto* integer = member != nullptr ? member->integer() : nullptr;
    return integer != nullptr && *integer > 0 ? static_cast<std::uint64_t>(*integer) : 0;
  };
  const auto sha256 = Sha256::parse(text("sha256"));
  const auto previous = Sha256::parse(text("previous"));
  if (!sha256 || !previous) return {};
  ReadSeal read{.seal = {.segment = {.writer = text("writer"),
                                     .number = static_cast<std::uint32_t>(number("number"))},
                         .bytes = number("bytes"),
                         .dropped_bytes = number("dropped_bytes"),
                         .sha256 = *sha256},
                .previous = *previous};
  // One spelling only: what it would be written like is what it is.
  if (line_of(read.seal, read.previous) != line) return {};
  return read;
}

}  // namespace

Result<SealChain> SealChain::read(const StoreDirectory& store) {
  SealChain chain;
  if (!store.files().exists(store.seals().c_str())) return chain;
  WEIR_TRY(const auto file, File::open_to_read(store.seals(), store.files()));
  WEIR_TRY(chain.read_from(file));
  // What anybody has seen of the chain survives power loss.
  WEIR_TRY(file.sync());
  return chain;
}

Result<void> SealChain::read_from(const File& file) {
  std::string buffer;
  WEIR_TRY(const auto size, file.size());
  buffer.resize(size);
  for (std::uint64_t at = 0; at < size;) {
    WEIR_TRY(const auto got, file.read_at(at, buffer.data() + at, size - at));
    if (got == 0) buffer.resize(at);  // it was cut meanwhile
    at = got == 0 ? size : at + got;
  }
  std::string_view rest = buffer;
  while (true) {
    const auto newline = rest.find('\n');
    if (newline == std::string_view::npos) break;
    const auto offset = static_cast<std::uint64_t>(rest.data() - buffer.data());
    const auto line = rest.substr(0, newline);
    rest.remove_prefix(newline + 1);
    const auto read = parse_line(line);
    if (!read) {
      suspects_.push_back({offset, line.size() + 1, "not a seal"});
      continue;
    }
    damage_.insert(damage_.end(), suspects_.begin(), suspects_.end());
    const auto expected = anchors_.empty() ? Sha256() : anchors_.back();
    if (read->previous != expected && suspects_.empty()) {
      damage_.push_back({offset, line.size() + 1,
                         "the seal follows " + read->previous.text() + ", the line before it is " +
                             expected.text()});
    }
    suspects_.clear();
    anchors_.push_back(sha256(line));
    seals_[read->seal.segment] = read->seal;
    end_ = offset + line.size() + 1;
  }
  const auto doubtful = std::min(end_, kDoubtfulBytes);
  doubtful_ = buffer.substr(end_ - doubtful, doubtful);
  return {};
}

Result<SealChain::Appender> SealChain::Appender::open(const StoreDirectory& store) {
  WEIR_TRY(auto file, File::open_or_create(store.seals(), store.files()));
  WEIR_TRY(file.lock());
  SealChain chain;
  WEIR_TRY(chain.read_from(file));
  // Whoever has made the file may have been stopped before its name was durable.
  if (chain.anchors_.empty()) WEIR_TRY(sync_directory(store.root(), store.files()));
  return Appender(std::move(chain), std::move(file));
}

Result<void> SealChain::Appender::append(const Seal& seal) {
  WEIR_TRY(const auto size, file_.size());
  if (size > chain_.end_) WEIR_TRY(file_.truncate(chain_.end_));
  const auto previous = chain_.anchors_.empty() ? Sha256() : chain_.anchors_.back();
  const auto line = line_of(seal, previous) + "\n";
  // The lines before it go along: if the sync of whoever has written them failed, they are in
  // memory, look good, and no sync would write them.
  auto& doubtful = chain_.doubtful_;
  auto written = file_.write_at(chain_.end_ - doubtful.size(), doubtful + line);
  if (written) written = file_.sync();
  if (!written) {
    static_cast<void>(file_.truncate(chain_.end_));  // nobody shall be shown what may be lost
    return written;
  }
  chain_.anchors_.push_back(sha256(std::string_view(line).substr(0, line.size() - 1)));
  chain_.seals_[seal.segment] = seal;
  doubtful.clear();
  chain_.end_ += line.size();
  return {};
}

}  // namespace weir::log
