#include "log/seal_chain.h"

#include <algorithm>
#include <optional>
#include <variant>

#include "base/json.h"
#include "log/members.h"

namespace weir::log {
namespace {

/// A segment's line has some 300 bytes, a manifest's 70 for each part. What is longer is none.
constexpr std::size_t kMaxLine = std::size_t{1} << 20;
/// More than syncs that failed one after the other can have left behind.
constexpr std::uint64_t kDoubtfulBytes = std::uint64_t{64} << 10;

std::string quoted(const Sha256& hash) { return '"' + hash.text() + '"'; }

std::string list_of(const std::vector<Sha256>& hashes) {
  std::string list = "[";
  for (const auto& hash : hashes) {
    if (list.size() > 1) list += ',';
    list += quoted(hash);
  }
  return list + "]";
}

std::string members_of(const Seal& seal) {
  return R"("seal":{"writer":")" + seal.segment.writer + R"(","number":)" +
         std::to_string(seal.segment.number) + R"(,"bytes":)" + std::to_string(seal.bytes) +
         R"(,"dropped_bytes":)" + std::to_string(seal.dropped_bytes) + R"(,"sha256":)" +
         quoted(seal.sha256);
}

std::string members_of(const ManifestSeal& manifest) {
  return R"("manifest":{"number":)" + std::to_string(manifest.number) + R"(,"sha256":)" +
         quoted(manifest.sha256) + R"(,"added":)" + list_of(manifest.added) + R"(,"removed":)" +
         list_of(manifest.removed);
}

/// Without its newline. The checksum is not for those who change it on purpose: two lines that were
/// written to one place, neither of them durably, could otherwise leave one that is half of each.
template <class Sealed>
std::string line_of(const Sealed& sealed, const Sha256& previous) {
  return with_checksum("{" + members_of(sealed) + R"(,"previous":)" + quoted(previous) + "}");
}

std::vector<Sha256> hashes_in(Members& members, const char* key) {
  std::vector<Sha256> hashes;
  members.each(key, [&](const json::Value& item) {
    const auto hash = item.string() != nullptr ? Sha256::parse(*item.string()) : std::nullopt;
    if (hash) hashes.push_back(*hash);
    return hash.has_value();
  });
  return hashes;
}

Seal seal_of(Members& members) {
  return {.segment = {.writer = members.text("writer"),
                      .number = static_cast<std::uint32_t>(members.number("number"))},
          .bytes = members.number("bytes"),
          .dropped_bytes = members.number("dropped_bytes"),
          .sha256 = members.parsed("sha256", &Sha256::parse)};
}

ManifestSeal manifest_seal_of(Members& members) {
  return {.number = members.number("number"),
          .sha256 = members.parsed("sha256", &Sha256::parse),
          .added = hashes_in(members, "added"),
          .removed = hashes_in(members, "removed")};
}

struct ReadLine {
  std::variant<Seal, ManifestSeal> sealed;
  Sha256 previous;
};

std::optional<ReadLine> parse_line(std::string_view line) {
  if (line.size() > kMaxLine) return {};
  const auto value = json::parse(line);
  if (!value || value->object() == nullptr) return {};
  const auto inner = [&](const char* key) -> const json::Object* {
    const auto* member = value->object()->find(key);
    return member == nullptr ? nullptr : member->object();
  };
  const auto* seal = inner("seal");
  const auto* manifest = inner("manifest");
  if (seal == nullptr && manifest == nullptr) return {};
  Members members(seal != nullptr ? seal : manifest);
  ReadLine read;
  if (seal != nullptr) {
    read.sealed = seal_of(members);
  } else {
    read.sealed = manifest_seal_of(members);
  }
  read.previous = members.parsed("previous", &Sha256::parse);
  // One spelling only: what it would be written like is what it is.
  const auto written =
      std::visit([&](const auto& sealed) { return line_of(sealed, read.previous); }, read.sealed);
  if (written != line) return {};
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
  size_ = buffer.size();
  std::string_view rest = buffer;
  std::uint64_t last_line = 0;
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
    std::visit([&](const auto& sealed) { take(sealed); }, read->sealed);
    last_line = line.size() + 1;
    end_ = offset + last_line;
  }
  const auto doubtful = std::min(end_, std::max(kDoubtfulBytes, last_line));
  doubtful_ = buffer.substr(end_ - doubtful, doubtful);
  return {};
}

std::optional<Damage> SealChain::tail() const {
  if (size_ == end_) return {};
  return Damage{end_, size_ - end_, "no seal"};
}

void SealChain::take(const ManifestSeal& manifest) {
  for (const auto& part : manifest.removed) parts_.erase(part);
  parts_.insert(manifest.added.begin(), manifest.added.end());
  manifest_ = manifest;
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

template <class Sealed>
Result<void> SealChain::Appender::append_line(const Sealed& sealed) {
  WEIR_TRY(const auto size, file_.size());
  if (size > chain_.end_) WEIR_TRY(file_.truncate(chain_.end_));
  const auto previous = chain_.anchors_.empty() ? Sha256() : chain_.anchors_.back();
  const auto line = line_of(sealed, previous) + "\n";
  WEIR_CHECK(line.size() <= kMaxLine);  // nobody could read it, and the next would cut it off
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
  chain_.take(sealed);
  doubtful.clear();
  chain_.end_ += line.size();
  return {};
}

Result<void> SealChain::Appender::append(const Seal& seal) { return append_line(seal); }
Result<void> SealChain::Appender::append(const ManifestSeal& manifest) {
  return append_line(manifest);
}

}  // namespace weir::log
