#include "log/loss_note.h"

#include <algorithm>

#include "base/json.h"
#include "log/members.h"

namespace weir::log {
namespace {

constexpr std::string_view kExtension = ".loss";
/// Of the file: a block, all of which is written at once.
constexpr std::size_t kBytes = 4096;
/// So that the rest has room, whatever JSON makes of it.
constexpr std::size_t kMaxReason = 256;

std::string to_text(const Loss& loss) {
  std::string text = R"({"lost":{"since":)";
  json::append_string(text, to_string(loss.since));
  text += R"(,"reason":)";
  json::append_string(text, std::string_view(loss.reason).substr(0, kMaxReason));
  text += R"(,"events":)" + std::to_string(loss.events) + R"(,"runs":)" +
          std::to_string(loss.runs) + R"(,"run_ids":[)";
  for (std::size_t i = 0; i < std::min(loss.run_ids.size(), Loss::kMaxNamed); ++i) {
    if (i > 0) text += ',';
    json::append_string(text, loss.run_ids[i].text());
  }
  return with_checksum(text + "]}");
}

/// Nothing: empty, or no note that is whole.
std::optional<Loss> parse(std::string_view text) {
  const auto end = text.find_last_not_of(" \n");
  if (end == std::string_view::npos) return {};
  text = text.substr(0, end + 1);
  const auto check = text.rfind(R"(,"crc32c":)");
  if (check == std::string_view::npos ||
      with_checksum(std::string(text.substr(0, check))) != text) {
    return {};
  }
  const auto value = json::parse(text);
  if (!value) return {};
  Members line(*value);
  const auto* lost = line.find("lost");
  Members members(lost == nullptr ? nullptr : lost->object());
  Loss loss{.since = members.parsed<Timestamp>("since", parse_rfc3339),
            .reason = members.text("reason"),
            .events = members.number("events"),
            .runs = members.number("runs")};
  members.each("run_ids", [&](const json::Value& item) {
    const auto id = item.string() == nullptr ? std::nullopt : RunId::parse(*item.string());
    if (id) loss.run_ids.push_back(*id);
    return id.has_value();
  });
  if (!members.is_good()) return {};
  return loss;
}

}  // namespace

Result<LossNote> LossNote::reserve(const StoreDirectory& store, std::string_view writer) {
  const auto path = store.run_locks() / (std::string(writer) + std::string(kExtension));
  WEIR_TRY(auto file, File::open_or_create(path, store.files()));
  WEIR_TRY(const bool is_ours, file.try_lock());
  if (!is_ours) return fail(ErrorCode::kConflict, path.string() + ": is another recorder's");
  LossNote note(std::move(file), store.files());
  WEIR_TRY(note.put(""));
  return note;
}

LossNote::~LossNote() {
  if (file_ && is_empty_) files_->unlink(file_->path().c_str());
}

Result<void> LossNote::put(std::string text) {
  text.resize(kBytes - 1, ' ');
  WEIR_CHECK(file_.has_value());
  return file_->write_at(0, text += '\n');
}

Result<void> LossNote::write(const Loss& loss) {
  is_empty_ = false;
  WEIR_TRY(put(to_text(loss)));
  WEIR_CHECK(file_.has_value());
  WEIR_TRY(file_->sync());
  return sync_directory(file_->path().parent_path(), *files_);
}

Result<void> LossNote::clear() {
  is_empty_ = true;
  return put("");
}

std::vector<std::pair<LossNote, Loss>> LossNote::left_behind(const StoreDirectory& store) {
  std::vector<std::pair<LossNote, Loss>> found;
  const auto listed = list_directory(store.run_locks(), store.files());
  if (!listed) return found;
  for (const auto& name : *listed) {
    if (!name.ends_with(kExtension)) continue;
    auto file = File::open_to_change(store.run_locks() / name, store.files());
    if (!file || !file->try_lock().value_or(false)) continue;
    // Somebody else may have taken it away before we had the lock.
    if (!store.files().exists(file->path().c_str())) continue;
    const auto text = read_file(file->path(), kBytes, store.files());
    LossNote note(*std::move(file), store.files());
    auto loss = text ? parse(*text) : std::nullopt;
    note.is_empty_ = !loss && text;
    if (loss) found.emplace_back(std::move(note), *std::move(loss));
  }
  return found;
}

}  // namespace weir::log
