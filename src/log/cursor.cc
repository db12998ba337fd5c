#include "log/cursor.h"

#include <algorithm>
#include <limits>

#include "base/json.h"
#include "log/members.h"

namespace weir::log {
namespace {

constexpr std::string_view kCursorExtension = ".json";

std::filesystem::path folder_of(const StoreDirectory& store) { return store.root() / "cursors"; }

bool is_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return !name.empty() && name.size() <= kMaxCursorName && std::ranges::all_of(name, fits);
}

Result<std::filesystem::path> path_of(const StoreDirectory& store, std::string_view name) {
  if (!is_name(name)) {
    return fail(ErrorCode::kInvalidInput, "'" + std::string(name.substr(0, kMaxCursorName)) +
                                              "' cannot be a cursor's name: it has 1 to " +
                                              std::to_string(kMaxCursorName) +
                                              " characters of a-z, 0-9, - and _");
  }
  return folder_of(store) / (std::string(name) + std::string(kCursorExtension));
}

std::optional<std::uint64_t> number_of(const json::Object& object, std::string_view key) {
  const auto* value = object.find(key);
  const auto* number = value == nullptr ? nullptr : value->integer();
  if (number == nullptr || *number < 0) return {};
  return static_cast<std::uint64_t>(*number);
}

std::optional<Position> position_of(const json::Value& value) {
  const auto* object = value.object();
  if (object == nullptr) return {};
  const auto segment = number_of(*object, "segment"), offset = number_of(*object, "offset");
  if (!segment || !offset || *segment > std::numeric_limits<std::uint32_t>::max()) return {};
  return Position{.segment = static_cast<std::uint32_t>(*segment), .offset = *offset};
}

}  // namespace

Position Cursor::of(std::string_view writer) const {
  const auto found = positions.find(writer);
  return found == positions.end() ? Position() : found->second;
}

std::string Cursor::text() const {
  std::string text = R"({"cursor":{)";
  for (const auto& [writer, position] : positions) {
    if (text.back() != '{') text += ',';
    text += '"';
    text += writer;
    text += R"(":{"segment":)" + std::to_string(position.segment) + R"(,"offset":)" +
            std::to_string(position.offset) + "}";
  }
  text += '}';
  if (batches > 0) text += R"(,"batches":)" + std::to_string(batches);
  return with_checksum(std::move(text));
}

Result<Cursor> Cursor::parse(std::string_view text) {
  const auto damaged = fail(ErrorCode::kCorrupt, "is not a cursor, or not as it was written");
  if (text.size() > kMaxCursorBytes) return damaged;
  const auto value = json::parse(text);
  const auto* outer = value ? value->object() : nullptr;
  const auto* inner = outer == nullptr ? nullptr : outer->find("cursor");
  if (inner == nullptr || inner->object() == nullptr) return damaged;
  Cursor cursor{.batches = number_of(*outer, "batches").value_or(0)};
  for (const auto& member : *inner->object()) {
    const auto position = position_of(member.value);
    if (!position) return damaged;
    const SegmentName name{.writer = member.key, .number = position->segment};
    if (SegmentName::parse(name.file_name()) != name) return damaged;
    cursor.positions.insert_or_assign(member.key, *position);
  }
  // One spelling only, and with it the checksum: what it would be written like is what it is.
  if (cursor.text() != text) return damaged;
  return cursor;
}

Result<RegisteredCursor> read_cursor(const StoreDirectory& store, std::string_view name) {
  WEIR_TRY(const auto path, path_of(store, name));
  const auto beginning = [&](const std::string& why) {
    return RegisteredCursor{
        .cursor = {},
        .restarted = path.string() + ": " + why + "; reading begins at the beginning of the log"};
  };
  auto text = read_file(path, kMaxCursorBytes, store.files());
  if (!text && text.error().code == ErrorCode::kNotFound) return beginning("no cursor is there");
  if (!text && text.error().code == ErrorCode::kExhausted) return beginning("too large");
  WEIR_TRY(auto line, std::move(text));
  if (!line.ends_with('\n')) return beginning("the cursor is cut off");
  line.pop_back();
  auto cursor = Cursor::parse(line);
  if (!cursor) return beginning(cursor.error().message);
  return RegisteredCursor{.cursor = *std::move(cursor)};
}

Result<void> write_cursor(const StoreDirectory& store, std::string_view name,
                          const Cursor& cursor) {
  WEIR_TRY(const auto path, path_of(store, name));
  const auto text = cursor.text() + "\n";
  if (text.size() > kMaxCursorBytes) {
    return fail(ErrorCode::kExhausted, path.string() + ": over the limit of " +
                                           std::to_string(kMaxCursorBytes) + " bytes");
  }
  WEIR_TRY(make_directories(folder_of(store), store.files()));
  return write_file_durably(path, text, store.files());
}

Result<void> remove_cursor(const StoreDirectory& store, std::string_view name) {
  WEIR_TRY(const auto path, path_of(store, name));
  if (store.files().unlink(path.c_str()) != 0) return fail_errno("remove " + path.string());
  return sync_directory(folder_of(store), store.files());
}

Result<std::vector<std::string>> cursor_names(const StoreDirectory& store) {
  auto listed = list_directory(folder_of(store), store.files());
  if (!listed && listed.error().code == ErrorCode::kNotFound) return std::vector<std::string>();
  WEIR_TRY(const auto file_names, std::move(listed));
  std::vector<std::string> names;
  for (std::string_view name : file_names) {
    if (!name.ends_with(kCursorExtension)) continue;
    name.remove_suffix(kCursorExtension.size());
    if (is_name(name)) names.emplace_back(name);
  }
  return names;
}

Result<std::vector<Cursor>> registered_cursors(const StoreDirectory& store) {
  std::vector<Cursor> cursors;
  WEIR_TRY(const auto names, cursor_names(store));
  for (const auto& name : names) {
    WEIR_TRY(auto read, read_cursor(store, name));
    cursors.push_back(std::move(read.cursor));
  }
  return cursors;
}

}  // namespace weir::log
