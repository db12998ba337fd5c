#include "log/manifest.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <limits>

#include "base/json.h"
#include "log/members.h"
#include "log/seal_chain.h"

namespace weir::log {
namespace {

constexpr int kManifestVersion = 1;
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

json::Value json_of(const Part& part) {
  json::Object object;
  object.append({"file", part.file});
  object.append({"date", part.date});
  object.append({"tenant", part.tenant ? json::Value(*part.tenant) : json::Value(nullptr)});
  object.append({"batch", json_of(part.batch)});
  object.append({"events", json_of(part.events)});
  object.append({"bytes", json_of(part.bytes)});
  object.append({"sha256", part.sha256.text()});
  object.append({"first_run", part.first_run.text()});
  object.append({"last_run", part.last_run.text()});
  return object;
}

bool is_date(std::string_view text) {
  constexpr std::string_view kShape = "0000-00-00";
  return text.size() == kShape.size() && std::ranges::equal(text, kShape, [](char c, char shape) {
           return shape == '-' ? c == '-' : c >= '0' && c <= '9';
         });
}

std::optional<Part> part_of(const json::Value& value) {
  Members members(value);
  Part part{.file = members.text("file"),
            .date = members.text("date"),
            .tenant = {},
            .batch = members.number("batch"),
            .events = members.number("events"),
            .bytes = members.number("bytes"),
            .sha256 = members.parsed("sha256", &Sha256::parse),
            .first_run = members.parsed("first_run", &RunId::parse),
            .last_run = members.parsed("last_run", &RunId::parse)};
  const auto* tenant = members.find("tenant");
  if (!members.is_good()) return {};
  if (tenant->string() != nullptr) part.tenant = *tenant->string();
  // Nobody is led out of the folder.
  if (!is_date(part.date) || part.file != part_file(part.date, part.tenant, part.batch)) return {};
  return part;
}

}  // namespace

bool Manifest::has_replaced(const SegmentName& segment) const {
  const auto found = replaced_.find(segment.writer);
  return found != replaced_.end() && segment.number <= found->second;
}

Cursor Manifest::end_of_parts() const {
  Cursor cursor;
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
  batch.number = ++next.number_;
  next.add(std::move(batch));
  for (auto& part : parts) {
    part.batch = next.number_;
    next.parts_.push_back(std::move(part));
  }
  return next;
}

std::string Manifest::text() const {
  json::Array batches, parts;
  for (const auto& batch : batches_) batches.push_back(json_of(batch));
  for (const auto& part : parts_) parts.push_back(json_of(part));
  json::Object inner;
  inner.append({"version", std::int64_t{kManifestVersion}});
  inner.append({"number", json_of(number_)});
  inner.append({"batches", std::move(batches)});
  inner.append({"parts", std::move(parts)});
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
  if (members.is_good() && version > kManifestVersion) {
    return fail(ErrorCode::kUnavailable,
                "its format is version " + std::to_string(version) + ", this program knows up to " +
                    std::to_string(kManifestVersion) + "; use a newer weir");
  }
  Manifest manifest;
  manifest.number_ = members.number("number");
  members.each("batches", [&](const json::Value& item) {
    auto batch = batch_of(item);
    if (!batch) return false;
    manifest.add(*std::move(batch));
    return true;
  });
  members.each("parts", [&](const json::Value& item) {
    auto part = part_of(item);
    if (!part) return false;
    manifest.parts_.push_back(*std::move(part));
    return true;
  });
  // One spelling only, and with it the checksum: what it would be written like is what it is.
  if (!members.is_good() || manifest.text() != text) return damaged;
  return manifest;
}

namespace {

/// That there is none is right until the first was sealed.
Result<Manifest> no_manifest(const StoreDirectory& store) {
  if (!store.files().exists(store.parts().c_str())) return Manifest();
  WEIR_TRY(const auto chain, SealChain::read(store));
  const auto& sealed = chain.manifest();
  if (!sealed) return Manifest();
  return fail(ErrorCode::kCorrupt, store.manifest().string() + ": not there, number " +
                                       std::to_string(sealed->number) + " was sealed; put it back");
}

}  // namespace

Result<Manifest> read_manifest(const StoreDirectory& store) {
  const auto path = store.manifest();
  auto read = read_file(path, kMaxManifestBytes, store.files());
  if (!read && read.error().code == ErrorCode::kNotFound) return no_manifest(store);
  WEIR_TRY(auto text, std::move(read));
  if (text.ends_with('\n')) text.pop_back();
  auto manifest = Manifest::parse(text);
  if (!manifest) return std::unexpected(std::move(manifest).error().within(path.string()));
  return manifest;
}

Result<void> write_manifest(const StoreDirectory& store, const Manifest& manifest) {
  WEIR_TRY(write_file_durably(store.manifest(), manifest.text() + "\n", store.files()));
  WEIR_TRY(auto appender, SealChain::Appender::open(store));
  const auto& chain = appender.chain();
  ManifestSeal seal{.number = manifest.number(), .sha256 = sha256(manifest.text() + "\n")};
  std::set<Sha256> named;
  for (const auto& part : manifest.parts()) {
    named.insert(part.sha256);
    if (!chain.parts().contains(part.sha256)) seal.added.push_back(part.sha256);
  }
  std::ranges::set_difference(chain.parts(), named, std::back_inserter(seal.removed));
  return appender.append(seal);
}

Result<void> finish_manifest(const StoreDirectory& store, const Manifest& manifest) {
  WEIR_TRY(const auto chain, SealChain::read(store));
  const auto& sealed = chain.manifest();
  const auto last = sealed ? sealed->number : 0;
  if (last == manifest.number()) return {};
  // It may be in memory alone: written again, it is not.
  if (last + 1 == manifest.number()) return write_manifest(store, manifest);
  return fail(ErrorCode::kCorrupt,
              store.manifest().string() + ": is number " + std::to_string(manifest.number()) +
                  ", number " + std::to_string(last) + " was sealed; put the newest one back");
}

std::string part_file(std::string_view date, const std::optional<std::string>& tenant,
                      std::uint64_t batch) {
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
  std::snprintf(name, sizeof name, "%08llu", static_cast<unsigned long long>(batch));
  return "date=" + std::string(date) + "/tenant=" + folder + "/" + name +
         std::string(kPartExtension);
}

std::optional<std::uint64_t> batch_of_file(std::string_view file_name) {
  constexpr std::size_t kDigits = 8;
  if (!file_name.ends_with(kPartExtension)) return {};
  const auto digits = file_name.substr(0, file_name.size() - kPartExtension.size());
  std::uint64_t batch = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), batch);
  if (error != std::errc() || end != digits.data() + digits.size() || digits.size() < kDigits) {
    return {};
  }
  return batch;
}

}  // namespace weir::log
