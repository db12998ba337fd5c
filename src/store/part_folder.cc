#include "store/part_folder.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/copy_file.h"

namespace weir::store {
namespace {

using std::filesystem::path;

/// Calls `visit` for each entry of a folder, if it is there.
template <class Visit>
Result<void> each_entry(const path& folder, FileSystem& files, const Visit& visit) {
  auto listed = list_directory(folder, files);
  if (!listed && listed.error().code == ErrorCode::kNotFound) return {};
  WEIR_TRY(const auto names, std::move(listed));
  for (const auto& name : names) WEIR_TRY(visit(folder / name));
  return {};
}

bool is_called(const path& folder, std::string_view prefix) {
  return folder.filename().string().starts_with(prefix);
}

/// Calls `visit` for each file that stands where parts do, and `visit_other` for what stands
/// beside.
template <class Visit, class VisitOther>
Result<void> each_file(const log::StoreDirectory& store, const Visit& visit,
                       const VisitOther& visit_other) {
  auto& files = store.files();
  return each_entry(store.parts(), files, [&](const path& date) -> Result<void> {
    if (!is_called(date, "date=")) return visit_other(date);
    return each_entry(date, files, [&](const path& tenant) -> Result<void> {
      if (!is_called(tenant, "tenant=")) return visit_other(tenant);
      return each_entry(tenant, files, visit);
    });
  });
}

/// Whose files no manifest may name yet: a line each, its hash and its name.
path announcement(const log::StoreDirectory& store) { return store.root() / "parts.new"; }

/// More parts are not made at once.
constexpr std::uint64_t kMaxAnnouncedBytes = std::uint64_t{64} << 20;

}  // namespace

PartFolder::PartFolder(const log::StoreDirectory& store, const path& scratch, File lock,
                       log::Manifest manifest)
    : store_(store),
      scratch_((scratch.empty() ? store.root() / "cache" : scratch) / "compaction"),
      lock_(std::move(lock)),
      manifest_(std::move(manifest)) {}

Result<PartFolder> PartFolder::lock(const log::StoreDirectory& store, const path& scratch) {
  WEIR_TRY(auto lock, File::open_or_create(store.compaction_lock(), store.files()));
  WEIR_TRY(const bool ours, lock.try_lock());
  if (!ours) {
    return fail(ErrorCode::kConflict, store.root().string() + ": another process is compacting it");
  }
  WEIR_TRY(auto manifest, log::read_manifest(store));
  WEIR_TRY(log::finish_manifest(store, manifest));
  auto damage = manifest.damage();
  if (!damage.empty()) {
    WEIR_TRY(manifest, log::read_manifest(store));
  }
  PartFolder folder(store, scratch, std::move(lock), std::move(manifest));
  folder.manifest_damage_ = std::move(damage);
  folder.empty_scratch();
  WEIR_TRY(folder.remove_leftovers());
  return folder;
}

path PartFolder::scratch() const {
  std::error_code ignored;  // the next step says what is wrong
  std::filesystem::create_directories(scratch_, ignored);
  return scratch_;
}

void PartFolder::empty_scratch() const {
  std::error_code ignored;  // whoever needs the room finds out
  std::filesystem::remove_all(scratch_, ignored);
}

Result<void> PartFolder::put(const log::Part& part, std::string_view bytes) {
  const auto path = store_.parts() / part.file;
  WEIR_TRY(make_directories(path.parent_path(), store_.files()));
  WEIR_TRY(write_file_durably(path, bytes, store_.files()));
  return sync_folders(path);
}

Result<void> PartFolder::put_file(log::Part& part, const path& file) {
  const auto target = store_.parts() / part.file;
  auto& files = store_.files();
  WEIR_TRY(make_directories(target.parent_path(), files));
  WEIR_TRY(part.sha256, sha256_of_file(file));
  WEIR_TRY(announce({&part, 1}));
  const auto temporary = target.string() + ".new-" + std::to_string(random_bits());
  WEIR_TRY(const auto copied, copy_file(file, local_files(), temporary, files));
  if (files.rename(temporary.c_str(), target.c_str()) != 0) {
    auto failure = fail_errno("rename " + temporary);
    files.unlink(temporary.c_str());
    return failure;
  }
  part.bytes = copied.bytes;
  part.sha256 = copied.sha256;
  WEIR_TRY(sync_directory(target.parent_path(), files));
  return sync_folders(target);
}

/// Whoever finds a file after a crash knows it so from one that somebody else has put there. Such a
/// one, under a name that we want, gets another.
Result<void> PartFolder::announce(std::span<const log::Part> parts) {
  auto& files = store_.files();
  for (const auto& part : parts) {
    const auto target = store_.parts() / part.file;
    if (files.exists(target.c_str())) {
      const auto aside = target.string() + ".foreign-" + std::to_string(random_bits());
      if (files.rename(target.c_str(), aside.c_str()) != 0) {
        return fail_errno("rename " + target.string());
      }
    }
    announced_ += part.sha256.text() + ' ' + part.file + '\n';
  }
  return write_file_durably(announcement(store_), announced_, files);
}

/// The folders may have been made by somebody who was stopped before they were durable.
Result<void> PartFolder::sync_folders(const path& file) const {
  const auto date = file.parent_path().parent_path();
  for (const auto& made : {date, store_.parts(), store_.root()}) {
    WEIR_TRY(sync_directory(made, store_.files()));
  }
  return {};
}

Result<path> PartFolder::to_read(const log::Part& part) const {
  const auto original = store_.parts() / part.file;
  const auto hash = sha256_of_file(original, store_.files());
  // A bad sector is damage of this part, and no reason to leave the others.
  if (!hash && hash.error().code != ErrorCode::kNotFound) {
    return fail(ErrorCode::kCorrupt, hash.error().message);
  }
  if (!hash) return std::unexpected(hash.error());
  if (*hash != part.sha256) {
    return fail(ErrorCode::kCorrupt, original.string() + ": is not what was written");
  }
  return to_look_at(part);
}

Result<path> PartFolder::to_look_at(const log::Part& part) const {
  auto original = store_.parts() / part.file;
  if (&store_.files() == &local_files()) return original;
  auto copy = scratch() / (sha256(part.file).text() + ".parquet");
  std::error_code ignored;
  if (std::filesystem::exists(copy, ignored)) return copy;
  WEIR_TRY_VOID(copy_file(original, store_.files(), copy, local_files()));
  return copy;
}

Result<void> PartFolder::replace(log::Manifest next) {
  next.forget_retired([&](const log::RetiredPart& part) {
    return !store_.files().exists((store_.parts() / part.file).c_str());
  });
  WEIR_TRY(log::write_manifest(store_, next));
  manifest_ = std::move(next);
  if (announced_.empty()) return {};
  announced_.clear();
  return remove(announcement(store_));
}

Result<std::uint64_t> PartFolder::remove_retired(Timestamp now, std::chrono::seconds keep) {
  std::uint64_t removed = 0;
  for (const auto& part : manifest_.retired()) {
    const auto file = store_.parts() / part.file;
    if (part.at + keep > now || !store_.files().exists(file.c_str())) continue;
    WEIR_TRY(remove(file));
    // The next manifest forgets it: it must not come back.
    WEIR_TRY(sync_directory(file.parent_path(), store_.files()));
    ++removed;
  }
  return removed;
}

/// Parts that were announced and are in no manifest, and what was to become a part.
Result<void> PartFolder::remove_leftovers() const {
  auto& files = store_.files();
  auto announced = read_file(announcement(store_), kMaxAnnouncedBytes, files);
  if (!announced && announced.error().code != ErrorCode::kNotFound) {
    return std::unexpected(std::move(announced).error());
  }
  std::set<std::string_view> known;
  for (const auto& part : manifest_.parts()) known.insert(part.file);
  for (std::string_view rest = announced ? *announced : std::string_view(); !rest.empty();) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const auto space = line.find(' ');
    const auto file = line.substr(std::min(line.size(), space + 1));
    const auto hash = Sha256::parse(line.substr(0, space));
    if (!hash || file.empty() || known.contains(file)) continue;
    const auto place = store_.parts() / file;
    const auto found = sha256_of_file(place, files);
    if (found && *found == *hash) WEIR_TRY(remove(place));
  }
  if (announced) WEIR_TRY(remove(announcement(store_)));
  const auto leave = [](const path&) { return Result<void>(); };
  const auto remove_new = [&](const path& file) -> Result<void> {
    // "00000007.parquet.new-123"
    const auto name = file.filename().string();
    const auto end = name.find(".new-");
    const bool is_ours = end != std::string::npos && log::number_of_file(name.substr(0, end));
    return is_ours ? remove(file) : Result<void>();
  };
  return each_file(store_, remove_new, leave);
}

Result<std::vector<path>> foreign_files(const log::StoreDirectory& store,
                                        const log::Manifest& manifest) {
  std::set<std::string> known;
  for (const auto& part : manifest.parts()) known.insert(store.parts() / part.file);
  for (const auto& part : manifest.retired()) known.insert(store.parts() / part.file);
  // What is being made now is not named yet, and not foreign.
  const bool is_changing = store.files().exists(announcement(store).c_str());
  std::vector<path> foreign;
  const auto add = [&](const path& file) -> Result<void> {
    foreign.push_back(file);
    return {};
  };
  const auto add_unknown = [&](const path& file) -> Result<void> {
    if (known.contains(file)) return {};
    const auto name = file.filename().string();
    const bool may_be_new = log::number_of_file(name.substr(0, name.find(".new-"))).has_value();
    return is_changing && may_be_new ? Result<void>() : add(file);
  };
  WEIR_TRY(each_file(store, add_unknown, add));
  WEIR_TRY(each_entry(store.log(), store.files(), [&](const path& file) -> Result<void> {
    const auto segment = file.extension() == ".new" ? file.stem() : file.filename();  // is made now
    return log::SegmentName::parse(segment.string()) ? Result<void>() : add(file);
  }));
  return foreign;
}

Result<void> PartFolder::remove(const path& file) const {
  if (store_.files().unlink(file.c_str()) != 0) return fail_errno("remove " + file.string());
  return {};
}

}  // namespace weir::store
