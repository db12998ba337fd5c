#include "log/manifest.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <limits>
#include <set>
#include <span>

#include "base/json.h"
#include "log/members.h"
#include "log/seal_chain.h"

namespace weir::log {
namespace {

/// Of a million parts.
constexpr std::uint64_t kMaxManifestBytes = std::uint64_t{400} << 20;
constexpr std::string_view kPartExtension = ".parquet";
/// What readers of such folders know as null.
constexpr std::string_view kNoTenant = "__HIVE_DEFAULT_PARTITION__";
/// Folder names have at most 255 bytes.
constexpr std::size_t kMaxTenantFolder = 200;

json::Value json_of(std::uint64_t number) { return static_cast<std::int64_t>(number); }

json::Value json_of(const Batch& batch) {
  json::Object segments;
  for (const auto& [writer, range] : batch.segments) {
    segments.append({writer, json::Array{json_of(range.first), json_of(range.second)}});
  }
  json::Object object;
  object.append({"number", json_of(batch.number)});
  object.append({"at", to_string(batch.at)});
  object.append({"segments", std::move(segments)});
  return object;
}

std::optional<std::uint32_t> segment_number(const json::Value& value) {
  const auto* number = value.integer();
  if (number == nullptr || *number < 1 || *number > std::numeric_limits<std::uint32_t>::max()) {
    return {};
  }
  return static_cast<std::uint32_t>(*number);
}

std::optional<Batch> batch_of(const json::Value& value) {
  Members members(value);
  Batch batch{.number = members.number("number"), .at = members.parsed("at", &parse_rfc3339)};
  const auto* segments = members.find("segments");
  if (!members.is_good() || segments->object() == nullptr) return {};
  for (const auto& [writer, range, position] : *segments->object()) {
    if (range.array() == nullptr || range.array()->size() != 2) return {};
    const auto first = segment_number(range.array()->front());
    const auto last = segment_number(range.array()->back());
    if (!first || !last || *first > *last) return {};
    batch.segments.emplace(writer, std::pair(*first, *last));
  }
  return batch;
}

json::Array json_of(const std::vector<RunId>& runs) {
  json::Array array;
  array.reserve(runs.size());
  for (const auto& run : runs) array.emplace_back(run.text());
  return array;
}

json::Value json_of(const Part& part, std::uint64_t version) {
  json::Object object;
  object.append({"file", part.file});
  object.append({"date", part.date});
  object.append({"tenant", part.tenant ? json::Value(*part.tenant) : json::Value(nullptr)});
  if (version == 1) {
    object.append({"batch", json_of(part.batch)});
  } else {
    object.append({"batches", json::Array{json_of(part.batch), json_of(part.last_batch)}});
  }
  object.append({"events", json_of(part.events)});
  object.append({"bytes", json_of(part.bytes)});
  object.append({"sha256", part.sha256.text()});
  object.append({"first_run", part.first_run.text()});
  object.append({"last_run", part.last_run.text()});
  if (version > 1) object.append({"dead", json_of(part.dead)});
  return object;
}

json::Value json_of(const RetiredPart& part) {
  json::Object object;
  object.append({"file", part.file});
  object.append({"at", to_string(part.at)});
  return object;
}

bool is_date(std::string_view text) {
  constexpr std::string_view kShape = "0000-00-00";
  return text.size() == kShape.size() && std::ranges::equal(text, kShape, [](char c, char shape) {
           return shape == '-' ? c == '-' : c >= '0' && c <= '9';
         });
}

/// Whether it is what `part_file` says of some date and tenant: nobody is led out of the folder.
bool is_part_file(std::string_view file) {
  constexpr std::string_view kDate = "date=", kTenant = "/tenant=";
  constexpr std::size_t kDateSize = 10;
  if (!file.starts_with(kDate) || !is_date(file.substr(kDate.size(), kDateSize))) return false;
  file.remove_prefix(kDate.size() + kDateSize);
  if (!file.starts_with(kTenant)) return false;
  file.remove_prefix(kTenant.size());
  const auto slash = file.find('/');
  return slash != std::string_view::npos && slash > 0 &&
         number_of_file(file.substr(slash + 1)).has_value();
}

std::optional<RetiredPart> retired_part_of(const json::Value& value) {
  Members members(value);
  RetiredPart part{.file = members.text("file"), .at = members.parsed("at", &parse_rfc3339)};
  if (!members.is_good() || !is_part_file(part.file)) return {};
  return part;
}

void read_batches(Members& members, Part& part, std::uint64_t version) {
  if (version == 1) {
    part.last_batch = part.batch = members.number("batch");
    return;
  }
  std::vector<std::uint64_t> range;
  members.each("batches", [&](const json::Value& item) {
    const auto* number = item.integer();
    if (number == nullptr || *number < 0) return false;
    range.push_back(static_cast<std::uint64_t>(*number));
    return range.size() <= 2;
  });
  // Without two of them it is not what would be written.
  if (range.size() == 2) part.batch = range[0], part.last_batch = range[1];
  members.each("dead", [&](const json::Value& item) {
    const auto run = item.string() == nullptr ? std::nullopt : RunId::parse(*item.string());
    if (run) part.dead.push_back(*run);
    return run.has_value();
  });
}

std::optional<Part> part_of(const json::Value& value, std::uint64_t version) {
  Members members(value);
  Part part{.file = members.text("file"),
            .date = members.text("date"),
            .tenant = {},
            .events = members.number("events"),
            .bytes = members.number("bytes"),
            .sha256 = members.parsed("sha256", &Sha256::parse),
            .first_run = members.parsed("first_run", &RunId::parse),
            .last_run = members.parsed("last_run", &RunId::parse)};
  read_batches(members, part, version);
  const auto* tenant = members.find("tenant");
  if (!members.is_good()) return {};
  if (tenant->string() != nullptr) part.tenant = *tenant->string();
  return part;
}

}  // namespace

bool has_passed(const Cursor& cursor, const Batch& batch) {
  return batch.number <= cursor.batches || std::ranges::all_of(batch.segments, [&](const auto& of) {
           return of.second.second < cursor.of(of.first).segment;
         });
}

bool Manifest::has_replaced(const SegmentName& segment) const {
  const auto found = replaced_.find(segment.writer);
  return found != replaced_.end() && segment.number <= found->second;
}

Cursor Manifest::end_of_parts() const {
  Cursor cursor{.batches = number_};
  for (const auto& [writer, last] : replaced_) {
    cursor.positions.emplace(writer, Position{.segment = last + 1, .offset = 0});
  }
  return cursor;
}

void Manifest::add(Batch batch) {
  for (const auto& [writer, range] : batch.segments) {
    auto& last = replaced_[writer];
    last = std::max(last, range.second);
  }
  batches_.push_back(std::move(batch));
}

Manifest Manifest::with(Batch batch, std::vector<Part> parts) const {
  Manifest next = *this;
  next.version_ = kVersion;
  batch.number = ++next.number_;
  next.add(std::move(batch));
  for (auto& part : parts) {
    part.batch = part.last_batch = next.number_;
    next.parts_.push_back(std::move(part));
  }
  return next;
}

Manifest Manifest::with_parts(std::vector<Part> parts, Timestamp at) const {
  Manifest next = *this;
  next.version_ = kVersion;
  ++next.number_;
  std::set<std::string_view> files;
  for (const auto& part : parts) files.insert(part.file);
  for (const auto& part : parts_) {
    if (!files.contains(part.file)) next.retired_.push_back({.file = part.file, .at = at});
  }
  next.parts_ = std::move(parts);
  std::ranges::stable_sort(next.parts_, {}, &Part::batch);
  return next;
}

void Manifest::forget_retired(const std::function<bool(const RetiredPart&)>& is_gone) {
  std::erase_if(retired_, is_gone);
}

/// Whether this manifest, which is read, may have it. Nobody is led out of the folder.
bool Manifest::is_possible(const Part& part) const {
  const auto slash = part.file.rfind('/');
  if (slash == std::string::npos || !is_date(part.date)) return false;
  const auto number = number_of_file(std::string_view(part.file).substr(slash + 1));
  return number && *number <= number_ && part.file == part_file(part.date, part.tenant, *number) &&
         part.batch <= part.last_batch && part.batch <= *number && part.last_batch <= number_ &&
         (version_ > 1 || part.batch == *number) && std::ranges::is_sorted(part.dead) &&
         (parts_.empty() || parts_.back().batch <= part.batch);
}

std::string Manifest::text() const {
  json::Array batches, parts;
  for (const auto& batch : batches_) batches.push_back(json_of(batch));
  for (const auto& part : parts_) parts.push_back(json_of(part, version_));
  json::Object inner;
  inner.append({"version", json_of(version_)});
  inner.append({"number", json_of(number_)});
  inner.append({"batches", std::move(batches)});
  inner.append({"parts", std::move(parts)});
  if (version_ > 1) {
    json::Array retired;
    for (const auto& part : retired_) retired.push_back(json_of(part));
    inner.append({"retired", std::move(retired)});
  }
  json::Object outer;
  outer.append({"manifest", std::move(inner)});
  auto text = json::to_text(outer);
  text.pop_back();
  return with_checksum(std::move(text));
}

Result<Manifest> Manifest::parse(std::string_view text) {
  const auto damaged = fail(ErrorCode::kCorrupt, "is not a manifest, or not as it was written");
  const auto value = json::parse(text);
  if (!value) return damaged;
  Members outer(*value);
  const auto* inner = outer.find("manifest");
  if (inner == nullptr) return damaged;
  Members members(*inner);
  const auto version = members.number("version");
  if (members.is_good() && version == 0) return damaged;
  if (members.is_good() && version > kVersion) {
    return fail(ErrorCode::kUnavailable, "its format is version " + std::to_string(version) +
                                             ", this program knows up to " +
                                             std::to_string(kVersion) + "; use a newer weir");
  }
  Manifest manifest;
  manifest.version_ = version;
  manifest.number_ = members.number("number");
  members.each("batches", [&](const json::Value& item) {
    auto batch = batch_of(item);
    const auto before = manifest.batches_.empty() ? 0 : manifest.batches_.back().number;
    if (!batch || batch->number <= before || batch->number > manifest.number_) return false;
    manifest.add(*std::move(batch));
    return true;
  });
  members.each("parts", [&](const json::Value& item) {
    auto part = part_of(item, version);
    if (!part || !manifest.is_possible(*part)) return false;
    manifest.parts_.push_back(*std::move(part));
    return true;
  });
  if (version > 1) {
    members.each("retired", [&](const json::Value& item) {
      auto part = retired_part_of(item);
      if (!part) return false;
      manifest.retired_.push_back(*std::move(part));
      return true;
    });
  }
  // One spelling only, and with it the checksum: what it would be written like is what it is.
  if (!members.is_good() || manifest.text() != text) return damaged;
  return manifest;
}

namespace {

Result<Manifest> read_manifest_file(const StoreDirectory& store,
                                    const std::filesystem::path& path) {
  WEIR_TRY(auto text, read_file(path, kMaxManifestBytes, store.files()));
  if (text.ends_with('\n')) text.pop_back();
  return Manifest::parse(text);
}

Sha256 hash_of(const Manifest& manifest) { return sha256(manifest.text() + "\n"); }

/// The copy is written before the seal: it is what was sealed last, or would have been next.
bool is_newest(const Manifest& copy, const std::optional<ManifestSeal>& sealed) {
  if (sealed && copy.number() == sealed->number) return hash_of(copy) == sealed->sha256;
  return copy.number() == (sealed ? sealed->number : 0) + 1;
}

/// That there is none is right until the first was sealed.
Result<std::optional<ManifestSeal>> last_seal(const StoreDirectory& store) {
  if (!store.files().exists(store.parts().c_str())) return std::optional<ManifestSeal>();
  WEIR_TRY(const auto chain, SealChain::read(store));
  return chain.manifest();
}

}  // namespace

Result<Manifest> read_manifest(const StoreDirectory& store) {
  auto manifest = read_manifest_file(store, store.manifest());
  if (manifest) return manifest;
  auto failure = std::move(manifest).error();
  const auto place = store.manifest().string();
  if (failure.code == ErrorCode::kUnavailable)
    return std::unexpected(std::move(failure).within(place));
  WEIR_TRY(const auto sealed, last_seal(store));
  if (failure.code == ErrorCode::kNotFound) {
    if (!sealed) return Manifest();
    // The first may have been written and sealed in between.
    if (auto first = read_manifest_file(store, store.manifest())) return first;
    failure = {.code = ErrorCode::kCorrupt,
               .message = "not there, number " + std::to_string(sealed->number) + " was sealed"};
  }
  auto copy = read_manifest_file(store, store.manifest_copy());
  if (!copy || !is_newest(*copy, sealed)) {
    failure.message += "; put it back from a backup";
    return std::unexpected(std::move(failure).within(place));
  }
  copy->damage_ = failure.message + "; " + store.manifest_copy().filename().string() +
                  " is read in its place, and `weir compact` puts it back";
  return copy;
}

std::optional<std::string> manifest_copy_damage(const StoreDirectory& store) {
  const auto copy = read_manifest_file(store, store.manifest_copy());
  if (copy || copy.error().code == ErrorCode::kNotFound) return {};
  return store.manifest_copy().string() + ": " + copy.error().message +
         "; the next compaction makes it anew";
}

namespace {

Result<void> write_files(const StoreDirectory& store, const std::string& text) {
  WEIR_TRY(write_file_durably(store.manifest(), text, store.files()));
  return write_file_durably(store.manifest_copy(), text, store.files());
}

/// Where an older weir has made none, or it is not what it was.
Result<void> make_copy(const StoreDirectory& store, const Manifest& manifest) {
  if (manifest.number() == 0) return {};
  const auto copy = read_manifest_file(store, store.manifest_copy());
  if (copy && copy->text() == manifest.text()) return {};
  return write_file_durably(store.manifest_copy(), manifest.text() + "\n", store.files());
}

/// Where the manifest should be, and what is there is left for people.
Result<void> put_back(const StoreDirectory& store, const Manifest& manifest) {
  const auto path = store.manifest();
  if (store.files().exists(path.c_str())) {
    const auto aside = path.string() + ".damaged-" + std::to_string(random_bits());
    if (store.files().rename(path.c_str(), aside.c_str()) != 0) {
      return fail_errno("rename " + path.string());
    }
  }
  return write_file_durably(path, manifest.text() + "\n", store.files());
}

}  // namespace

namespace {

/// What the chain and a manifest do not say alike of the parts.
struct PartChanges {
  std::vector<Sha256> added, removed;
};

PartChanges part_changes(const SealChain& chain, const Manifest& manifest) {
  PartChanges found;
  std::set<Sha256> named;
  for (const auto& part : manifest.parts()) {
    named.insert(part.sha256);
    if (!chain.parts().contains(part.sha256)) found.added.push_back(part.sha256);
  }
  std::ranges::set_difference(chain.parts(), named, std::back_inserter(found.removed));
  return found;
}

/// Takes the first of them, and no more than `most`.
std::vector<Sha256> take_first(std::span<const Sha256>& hashes, std::size_t most) {
  const auto first = hashes.first(std::min(hashes.size(), most));
  hashes = hashes.subspan(first.size());
  return {first.begin(), first.end()};
}

/// One line, or several where it has more changes than one holds.
Result<void> seal_changes(const StoreDirectory& store, const Manifest& manifest) {
  WEIR_TRY(auto appender, SealChain::Appender::open(store));
  const auto all = part_changes(appender.chain(), manifest);
  std::span<const Sha256> added = all.added, removed = all.removed;
  do {
    ManifestSeal line{.number = manifest.number(), .sha256 = hash_of(manifest)};
    line.added = take_first(added, kMaxPartChanges);
    line.removed = take_first(removed, kMaxPartChanges - line.added.size());
    WEIR_TRY(appender.append(line));
  } while (!added.empty() || !removed.empty());
  return {};
}

/// Whether nobody was stopped between its lines. One that was changed has no line to come.
bool is_sealed_whole(const SealChain& chain, const Manifest& manifest) {
  const auto& sealed = chain.manifest();
  if (!sealed || sealed->sha256 != hash_of(manifest)) return true;
  const auto left = part_changes(chain, manifest);
  return left.added.empty() && left.removed.empty();
}

}  // namespace

Result<void> write_manifest(const StoreDirectory& store, const Manifest& manifest) {
  WEIR_TRY(write_files(store, manifest.text() + "\n"));
  return seal_changes(store, manifest);
}

Result<void> finish_manifest(const StoreDirectory& store, const Manifest& manifest) {
  if (!manifest.damage().empty()) WEIR_TRY(put_back(store, manifest));
  WEIR_TRY(const auto chain, SealChain::read(store));
  const auto& sealed = chain.manifest();
  const auto last = sealed ? sealed->number : 0;
  if (last == manifest.number()) {
    WEIR_TRY(make_copy(store, manifest));
    return is_sealed_whole(chain, manifest) ? Result<void>() : seal_changes(store, manifest);
  }
  // It may be in memory alone: written again, it is not.
  if (last + 1 == manifest.number()) return write_manifest(store, manifest);
  return fail(ErrorCode::kCorrupt,
              store.manifest().string() + ": is number " + std::to_string(manifest.number()) +
                  ", number " + std::to_string(last) + " was sealed; put the newest one back");
}

std::string part_file(std::string_view date, const std::optional<std::string>& tenant,
                      std::uint64_t number) {
  std::string folder;
  if (tenant) {
    for (const char c : *tenant) {
      const bool is_plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' ||
                            c == '_' || (c == '.' && !folder.empty());
      char escaped[4];
      std::snprintf(escaped, sizeof escaped, "%%%02X", static_cast<unsigned char>(c));
      folder += is_plain ? std::string(1, c) : escaped;
    }
    if (folder.size() > kMaxTenantFolder || folder == kNoTenant || folder.empty()) {
      folder = folder.substr(0, kMaxTenantFolder / 2) + "%" + sha256(*tenant).text();
    }
  } else {
    folder = kNoTenant;
  }
  char name[32];
  std::snprintf(name, sizeof name, "%08llu", static_cast<unsigned long long>(number));
  return "date=" + std::string(date) + "/tenant=" + folder + "/" + name +
         std::string(kPartExtension);
}

std::optional<std::uint64_t> number_of_file(std::string_view file_name) {
  constexpr std::size_t kDigits = 8;
  if (!file_name.ends_with(kPartExtension)) return {};
  const auto digits = file_name.substr(0, file_name.size() - kPartExtension.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size() || digits.size() < kDigits) {
    return {};
  }
  return number;
}

}  // namespace weir::log
