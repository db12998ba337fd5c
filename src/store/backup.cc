#include "store/backup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/copy_file.h"
#include "base/file.h"
#include "log/manifest.h"
#include "log/seal_chain.h"
#include "log/segment.h"

namespace weir::store {
namespace {

using std::filesystem::path;

constexpr std::uint64_t kMaxChain = std::uint64_t{4} << 30;
constexpr std::string_view kUnfinished = ".new-";

/// What a file must be.
struct Expected {
  Sha256 sha256;
  std::uint64_t bytes = 0;  ///< 0: any
};

class Backup {
 public:
  Backup(const log::StoreDirectory& store, path target, path earlier, BackupList before,
         const Clock& clock)
      : store_(store), target_(std::move(target)), earlier_(std::move(earlier)) {
    for (auto& file : before.files) before_.emplace(file.path, file);
    report_.list.at = clock.now();
  }

  Result<BackupReport> run() {
    WEIR_TRY(make_folder(""));
    WEIR_TRY(copy_whole("VERSION"));
    // In this order: what is sealed then is there, and what a segment names too.
    WEIR_TRY(const auto manifest, copy_manifest());
    WEIR_TRY(const auto seals, copy_chain());
    WEIR_TRY(copy_parts(manifest));
    WEIR_TRY(copy_segments(manifest, seals));
    WEIR_TRY(copy_folder("artifacts"));
    WEIR_TRY(copy_keys());
    for (const char* folder : {"quarantine", "cursors", "rollups"}) WEIR_TRY(copy_folder(folder));
    WEIR_TRY(make_folder("runs"));
    auto& list = report_.list;
    std::ranges::sort(list.files, {}, &BackedUpFile::path);
    WEIR_TRY(write_file_durably(target_ / kBackupList, list.text() + "\n"));
    for (const auto& folder : folders_) WEIR_TRY(sync_directory(place_of(folder)));
    return std::move(report_);
  }

 private:
  Result<void> make_folder(const path& folder) {
    if (!folders_.insert(folder).second) return {};
    return make_directories(place_of(folder));
  }

  [[nodiscard]] path place_of(const path& folder) const {
    return folder.empty() ? target_ : target_ / folder;
  }

  void add(const std::string& name, const Copied& copied) {
    report_.list.files.push_back({.path = name, .bytes = copied.bytes, .sha256 = copied.sha256});
    report_.bytes += copied.bytes;
  }
  void leave(const std::string& name, std::string reason) {
    report_.list.left.push_back({.path = name, .reason = std::move(reason)});
  }

  // ---- one file -------------------------------------------------------------------------------

  /// A copy of its first so many bytes.
  Result<Copied> copy(const std::string& name, std::uint64_t limit) {
    WEIR_TRY(make_folder(path(name).parent_path()));
    auto copied =
        copy_file(store_.root() / name, store_.files(), target_ / name, local_files(), limit);
    if (copied) report_.copied_bytes += copied->bytes;
    return copied;
  }

  Result<void> copy_whole(const std::string& name) {
    WEIR_TRY(const auto copied, copy(name, ~std::uint64_t{0}));
    add(name, copied);
    return {};
  }

  Result<void> write(const std::string& name, std::string_view bytes) {
    WEIR_TRY(write_file_durably(target_ / name, bytes));
    report_.copied_bytes += bytes.size();
    add(name, {.bytes = bytes.size(), .sha256 = sha256(bytes)});
    return {};
  }

  /// A file that never changes: a link to it, or to the earlier backup's, or a copy; what it is not
  /// any more is left.
  Result<void> take(const std::string& name, const Expected& expected) {
    WEIR_TRY(make_folder(path(name).parent_path()));
    auto taken = link(earlier(name, expected), name, expected);
    if (!taken) taken = link(store_.root() / name, name, expected);
    if (!taken) {
      auto copied = copy(name, ~std::uint64_t{0});
      if (!copied) return left_by(name, std::move(copied).error());
      taken = *copied;
      if (!is_it(*taken, expected)) {
        ::unlink((target_ / name).c_str());
        leave(name, "is not what was written: it has the hash " + taken->sha256.text() + ", not " +
                        expected.sha256.text());
        return {};
      }
    }
    add(name, *taken);
    return {};
  }

  /// Where the backup that had this name before has the same file; empty: nowhere.
  [[nodiscard]] path earlier(const std::string& name, const Expected& expected) const {
    const auto found = before_.find(name);
    if (found == before_.end() || found->second.sha256 != expected.sha256) return {};
    return earlier_ / name;
  }

  /// Nothing where there can be no link, or it is not what it should be.
  std::optional<Copied> link(const path& from, const std::string& name, const Expected& expected) {
    if (from.empty() || &store_.files() != &local_files()) return {};
    const auto to = target_ / name;
    if (::link(from.c_str(), to.c_str()) != 0) return {};
    struct stat status{};
    const auto hash = sha256_of_file(to);
    if (hash && ::stat(to.c_str(), &status) == 0) {
      const Copied linked{.bytes = static_cast<std::uint64_t>(status.st_size), .sha256 = *hash};
      if (is_it(linked, expected)) return linked;
    }
    ::unlink(to.c_str());
    return {};
  }

  static bool is_it(const Copied& copied, const Expected& expected) {
    return copied.sha256 == expected.sha256 &&
           (expected.bytes == 0 || copied.bytes == expected.bytes);
  }

  /// What the store cannot give; what the backup cannot take is an error.
  Result<void> left_by(const std::string& name, Error error) {
    if (error.code == ErrorCode::kExhausted) return std::unexpected(std::move(error));
    if (error.code == ErrorCode::kIo && !error.message.contains(store_.root().string())) {
      return std::unexpected(std::move(error));
    }
    leave(name, std::move(error.message));
    return {};
  }

  // ---- the store ------------------------------------------------------------------------------

  /// One that cannot be read is copied as it is, and there are no parts then.
  Result<log::Manifest> copy_manifest() {
    const std::string name = "manifest.json";
    auto manifest = log::read_manifest(store_);
    if (!manifest) {
      leave(name, manifest.error().message);
      if (store_.files().exists(store_.manifest().c_str())) WEIR_TRY(copy_whole(name));
      return log::Manifest();
    }
    if (manifest->number() == 0) return manifest;
    for (const auto& file : {store_.manifest(), store_.manifest_copy()}) {
      WEIR_TRY(write(file.filename().string(), manifest->text() + "\n"));
    }
    return manifest;
  }

  Result<void> copy_keys() {
    if (!store_.files().exists(store_.keys().c_str())) return {};
    const OwnersFiles theirs;
    return copy_whole(std::string(log::StoreDirectory::kKeys));
  }

  Result<std::map<log::SegmentName, log::Seal>> copy_chain() {
    if (!store_.files().exists(store_.seals().c_str())) {
      return std::map<log::SegmentName, log::Seal>();
    }
    WEIR_TRY(const auto chain, log::SealChain::read(store_));
    for (const auto& damage : chain.damage()) leave("seals.jsonl", damage.reason);
    // Somebody may have sealed more since, or be doing so: the lines of the chain that was read.
    WEIR_TRY(auto text, read_file(store_.seals(), kMaxChain, store_.files()));
    std::size_t end = 0;
    for (std::size_t at = 0; at < text.size();) {
      const auto newline = text.find('\n', at);
      if (newline == std::string::npos) break;
      const auto hash = sha256(std::string_view(text).substr(at, newline - at));
      at = newline + 1;
      if (!chain.anchors().empty() && hash == chain.anchors().back()) end = at;
    }
    text.resize(end);
    WEIR_TRY(write("seals.jsonl", text));
    if (!chain.anchors().empty()) report_.list.anchor = chain.anchors().back();
    return chain.seals();
  }

  Result<void> copy_parts(const log::Manifest& manifest) {
    for (const auto& part : manifest.parts()) {
      WEIR_TRY(take("events/" + part.file, {.sha256 = part.sha256, .bytes = part.bytes}));
    }
    return {};
  }

  Result<void> copy_segments(const log::Manifest& manifest,
                             const std::map<log::SegmentName, log::Seal>& seals) {
    WEIR_TRY(make_folder("log"));
    WEIR_TRY(const auto listed, store_.segment_names());
    std::set<log::SegmentName> names(listed.begin(), listed.end());
    for (const auto& [name, seal] : seals) names.insert(name);
    for (const auto& name : names) {
      if (manifest.has_replaced(name)) continue;
      const auto file = "log/" + name.file_name();
      const auto seal = seals.find(name);
      if (seal == seals.end()) {
        WEIR_TRY(copy_commits(file));
      } else {
        WEIR_TRY(take(file, {.sha256 = seal->second.sha256, .bytes = seal->second.bytes}));
      }
    }
    return {};
  }

  /// Of a segment that is being written.
  Result<void> copy_commits(const std::string& name) {
    auto opened = log::SegmentReader::open(store_.root() / name, store_.files());
    if (!opened) return left_by(name, std::move(opened).error());
    auto reader = *std::move(opened);
    while (true) {
      const auto commit = reader.next_commit();
      if (!commit) return left_by(name, commit.error());
      if (!*commit) break;
    }
    for (const auto& damage : reader.damage()) {
      leave(name, "at byte " + std::to_string(damage.offset) + ": " + damage.reason);
    }
    WEIR_TRY(const auto copied, copy(name, reader.offset()));
    add(name, copied);
    return {};
  }

  /// All files below, but those that are being written.
  Result<void> copy_folder(const std::string& folder) {
    auto listed = list_directory(store_.root() / folder, store_.files());
    if (!listed && listed.error().code == ErrorCode::kNotFound) return {};
    WEIR_TRY(const auto names, std::move(listed));
    WEIR_TRY(make_folder(folder));
    for (const auto& name : names) {
      auto below = folder;
      below.append("/").append(name);
      if (below == "artifacts/tmp" || name.contains(kUnfinished)) continue;
      std::vector<std::string> ignored;
      if (store_.files().list((store_.root() / below).c_str(), ignored) == 0) {
        WEIR_TRY(copy_folder(below));
      } else if (const auto hash = Sha256::parse(name); hash && folder.starts_with("artifacts/")) {
        WEIR_TRY(take(below, {.sha256 = *hash}));
      } else {
        auto copied = copy(below, ~std::uint64_t{0});
        if (copied) {
          add(below, *copied);
        } else {
          WEIR_TRY(left_by(below, std::move(copied).error()));
        }
      }
    }
    return {};
  }

  const log::StoreDirectory& store_;
  const path target_;
  const path earlier_;
  std::map<std::string, BackedUpFile> before_;
  std::set<path> folders_;  // below the target
  BackupReport report_;
};

/// The one that has this name; without files: none.
Result<BackupList> earlier_backup(const path& folder) {
  std::error_code error;
  if (!std::filesystem::exists(folder, error)) return BackupList();
  if (std::filesystem::is_empty(folder, error)) return BackupList();
  auto list = BackupList::read(folder, local_files());
  if (list) return list;
  return fail(ErrorCode::kConflict,
              folder.string() + ": something is there that is no backup; name another folder");
}

/// In exchange for what has the name, in one step.
Result<void> give_name(const path& made, const path& folder) {
  std::error_code ignored;
  if (std::filesystem::exists(folder, ignored)) {
    if (::renameat2(AT_FDCWD, made.c_str(), AT_FDCWD, folder.c_str(), RENAME_EXCHANGE) != 0) {
      return fail_errno("exchange " + made.string() + " and " + folder.string());
    }
    std::filesystem::remove_all(made, ignored);
  } else if (::rename(made.c_str(), folder.c_str()) != 0) {
    return fail_errno("rename " + made.string());
  }
  const auto parent = folder.parent_path();
  return sync_directory(parent.empty() ? "." : parent);
}

path without_slash(const path& folder) {
  return folder.has_filename() ? folder : folder.parent_path();
}

bool is_inside(const path& folder, const path& of) {
  std::error_code error;
  const auto inner = std::filesystem::weakly_canonical(folder, error);
  const auto outer = std::filesystem::weakly_canonical(of, error);
  return !error && std::ranges::mismatch(outer, inner).in1 == outer.end();
}

}  // namespace

Result<BackupReport> back_up(const log::StoreDirectory& store, const path& folder,
                             const Clock& clock) {
  const auto target = without_slash(folder);
  if (is_inside(target, store.root())) {
    return fail(ErrorCode::kInvalidInput,
                folder.string() + ": is inside of the store, and would be lost with it");
  }
  WEIR_TRY(auto before, earlier_backup(target));
  WEIR_TRY(const auto lock, File::open_or_create(store.compaction_lock(), store.files()));
  WEIR_TRY(lock.lock());
  const path made = target.string() + std::string(kUnfinished) + std::to_string(random_bits());
  auto done = Backup(store, made, target, std::move(before), clock).run();
  if (done) {
    if (auto named = give_name(made, target); !named) {
      done = std::unexpected(std::move(named).error());
    }
  }
  if (!done) {
    std::error_code ignored;
    std::filesystem::remove_all(made, ignored);
  }
  return done;
}

}  // namespace weir::store
