#include "store/rollup_index.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "log/members.h"
#include "store/database.h"

namespace weir::store {
namespace {

constexpr int kIndexVersion = 1;
/// Of half a million files.
constexpr std::uint64_t kMaxIndexBytes = std::uint64_t{128} << 20;
constexpr std::size_t kBytesAtOnce = std::size_t{1} << 18;

const char* name_of(RollupLevel level) {
  return level == RollupLevel::kMinutes ? "minutes" : "hours";
}

std::string hex(std::uint32_t number) {
  char text[16];
  std::snprintf(text, sizeof text, "%08x", number);
  return text;
}

std::optional<std::uint32_t> number_of_hex(std::string_view text) {
  std::uint32_t number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  if (end.ec != std::errc() || hex(number) != text) return {};
  return number;
}

json::Value json_of(std::uint64_t number) { return static_cast<std::int64_t>(number); }

json::Object json_of(const RollupFile& file) {
  json::Object object;
  object.append({"rows", json_of(file.rows)});
  object.append({"bytes", json_of(file.bytes)});
  object.append({"crc32c", hex(file.crc32c)});
  return object;
}

RollupFile file_of(log::Members& members, const char* key) {
  RollupFile file;
  const auto* value = members.find(key);
  if (value == nullptr) return file;
  log::Members inner(*value);
  file.rows = inner.number("rows");
  file.bytes = inner.number("bytes");
  file.crc32c = inner.parsed("crc32c", &number_of_hex);
  return file;
}

}  // namespace

std::string Rollup::file_name(RollupLevel level) const {
  char range[64];
  std::snprintf(range, sizeof range, "%08llu-%08llu-",
                static_cast<unsigned long long>(batches.first),
                static_cast<unsigned long long>(batches.last));
  return std::string(name_of(level)) + '/' + range + hex(file(level).crc32c) + ".parquet";
}

std::filesystem::path rollup_folder(const log::StoreDirectory& store) {
  return store.root() / "rollups";
}

std::filesystem::path rollup_path(const log::StoreDirectory& store, const Rollup& rollup,
                                  RollupLevel level) {
  return rollup_folder(store) / rollup.file_name(level);
}

std::filesystem::path rollup_index_path(const log::StoreDirectory& store) {
  return rollup_folder(store) / "index.json";
}

std::string rollup_index_text(const Rollups& rollups) {
  json::Array files;
  files.reserve(rollups.size());
  for (const auto& rollup : rollups) {
    json::Object object;
    object.append({"first", json_of(rollup.batches.first)});
    object.append({"last", json_of(rollup.batches.last)});
    object.append({"events", json_of(rollup.events)});
    object.append({"minutes", json_of(rollup.minutes)});
    object.append({"hours", json_of(rollup.hours)});
    files.emplace_back(std::move(object));
  }
  json::Object inner;
  inner.append({"version", std::int64_t{kIndexVersion}});
  inner.append({"files", std::move(files)});
  json::Object outer;
  outer.append({"rollups", std::move(inner)});
  auto text = json::to_text(outer);
  text.pop_back();
  return log::with_checksum(std::move(text));
}

Result<Rollups> parse_rollup_index(std::string_view text) {
  const auto damaged =
      fail(ErrorCode::kCorrupt, "is not an index of rollups, or not as it was written");
  const auto value = json::parse(text);
  if (!value) return damaged;
  log::Members outer(*value);
  const auto* inner = outer.find("rollups");
  if (inner == nullptr) return damaged;
  log::Members members(*inner);
  const auto version = members.number("version");
  if (members.is_good() && version > kIndexVersion) {
    return fail(ErrorCode::kUnavailable, "its format is version " + std::to_string(version) +
                                             ", this program knows up to " +
                                             std::to_string(kIndexVersion) + "; use a newer weir");
  }
  Rollups rollups;
  members.each("files", [&](const json::Value& item) {
    log::Members file(item);
    const Rollup rollup{.batches = {.first = file.number("first"), .last = file.number("last")},
                        .events = file.number("events"),
                        .minutes = file_of(file, "minutes"),
                        .hours = file_of(file, "hours")};
    const auto before = rollups.empty() ? 0 : rollups.back().batches.last;
    if (rollup.batches.first <= before || rollup.batches.last < rollup.batches.first) return false;
    rollups.push_back(rollup);
    return file.is_good();
  });
  // One spelling only, and with it the checksum.
  if (!members.is_good() || rollup_index_text(rollups) != text) return damaged;
  return rollups;
}

Result<Rollups> read_rollup_index(const log::StoreDirectory& store) {
  const auto path = rollup_index_path(store);
  auto read = read_file(path, kMaxIndexBytes, store.files());
  if (!read && read.error().code == ErrorCode::kNotFound) return Rollups();
  WEIR_TRY(auto text, std::move(read));
  if (text.ends_with('\n')) text.pop_back();
  auto rollups = parse_rollup_index(text);
  if (!rollups) return std::unexpected(std::move(rollups).error().within(path.string()));
  return rollups;
}

Result<void> write_rollup_index(const log::StoreDirectory& store, const Rollups& rollups) {
  WEIR_TRY(make_directories(rollup_folder(store), store.files()));
  return write_file_durably(rollup_index_path(store), rollup_index_text(rollups) + "\n",
                            store.files());
}

std::string rollup_damage(const log::StoreDirectory& store, const Rollup& rollup,
                          RollupLevel level) {
  const auto& wanted = rollup.file(level);
  const auto file = File::open_to_read(rollup_path(store, rollup, level), store.files());
  if (!file) {
    return file.error().code == ErrorCode::kNotFound ? "not there any more" : file.error().message;
  }
  std::string bytes(kBytesAtOnce, '\0');
  std::uint64_t size = 0;
  std::uint32_t crc = 0;
  while (true) {
    const auto got = file->read_at(size, bytes.data(), bytes.size());
    if (!got) return got.error().message;
    if (*got == 0) break;
    crc = crc32c(std::string_view(bytes).substr(0, *got), crc);
    size += *got;
  }
  return size == wanted.bytes && crc == wanted.crc32c ? "" : "not as it was written";
}

std::string rollup_rows_sql(const std::vector<std::filesystem::path>& files) {
  std::string sql;
  for (const auto& file : files) sql += (sql.empty() ? "" : ", ") + sql_string(file.string());
  return "read_parquet([" + sql + "], union_by_name = true)";
}

bool covers(const Rollups& rollups, std::uint64_t batch) {
  return std::ranges::any_of(rollups, [&](const Rollup& r) { return r.batches.contains(batch); });
}

Rollups countable(Rollups rollups, std::span<const std::uint64_t> batches,
                  std::span<const BatchRange> parts) {
  for (bool is_done = false; !is_done;) {
    is_done = true;
    for (const auto& part : parts) {
      if (part.first == part.last) continue;
      const auto is_left = [&](std::uint64_t batch) {
        return part.contains(batch) && !covers(rollups, batch);
      };
      if (std::ranges::none_of(batches, is_left)) continue;
      const auto removed =
          std::erase_if(rollups, [&](const Rollup& r) { return r.batches.meets(part); });
      is_done = is_done && removed == 0;
    }
  }
  return rollups;
}

}  // namespace weir::store
