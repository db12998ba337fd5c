#include <linux/magic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <cstdlib>
#include <iterator>
#include <string_view>

#include "base/file.h"
#include "base/text.h"
#include "cli/doctor.h"
#include "cli/problems.h"
#include "cli/terminal.h"
#include "config/load.h"
#include "log/folder_watch.h"
#include "store/database.h"
#include "tool/load_plugins.h"

namespace weir::cli {
namespace {

std::string size_text(std::uint64_t bytes) {
  constexpr std::uint64_t kGiB = 1024 * kMiB;
  return bytes >= 10 * kGiB ? std::to_string(bytes / kGiB) + " GiB"
                            : std::to_string(bytes / kMiB) + " MiB";
}

void examine_clock(std::vector<Finding>& findings) {
  const auto now = to_string(system_clock().now());
  // Before this there was no Weir.
  const bool is_wrong = now < "2026";
  findings.push_back({"clock", is_wrong ? Verdict::kFail : Verdict::kOk, now.substr(0, 19) + "Z",
                      is_wrong ? "set it: everything recorded now is in the past" : ""});
}

void examine_duckdb(std::vector<Finding>& findings) {
  const auto version = [] -> Result<std::string> {
    WEIR_TRY(const auto database, store::Database::open_in_memory());
    WEIR_TRY(auto connection, database.connect());
    WEIR_TRY(auto rows, connection.query("SELECT version()"));
    const auto* row = rows.next();
    const auto* text = row == nullptr ? nullptr : row->front().string();
    return text == nullptr ? "of an unknown version" : *text;
  }();
  if (version) {
    findings.push_back({"DuckDB", Verdict::kOk, *version});
  } else {
    findings.push_back({"DuckDB", Verdict::kFail, version.error().message,
                        "without it there is no SQL, no compaction, and no reading of parts"});
  }
}

void examine_open_files(std::vector<Finding>& findings) {
  constexpr rlim_t kEnough = 1024;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const bool is_few = limit.rlim_cur < kEnough;
  const auto count =
      limit.rlim_cur == RLIM_INFINITY ? "any number" : std::to_string(limit.rlim_cur);
  findings.push_back({"open files", is_few ? Verdict::kWarn : Verdict::kOk, count + " at a time",
                      is_few ? "ulimit -n 1024: nodes and plugins need several each" : ""});
}

void examine_inotify(std::vector<Finding>& findings) {
  const auto limit_of = [](std::string_view name) {
    const auto text = read_file("/proc/sys/fs/inotify/" + std::string(name), 64);
    return text ? std::strtoll(text->c_str(), nullptr, 10) : 0;
  };
  const auto watches = limit_of("max_user_watches"), instances = limit_of("max_user_instances");
  std::error_code error;
  const auto folder = std::filesystem::temp_directory_path(error);
  const auto watch = log::FolderWatch::on(folder);
  constexpr long long kFew = 64;
  const auto what = text::count(static_cast<std::size_t>(instances), "instance") + ", " +
                    std::to_string(watches) + " watches a user";
  if (!watch) {
    findings.push_back({"inotify", Verdict::kWarn, watch.error().message,
                        "fs.inotify.max_user_instances in sysctl; until then what follows the log "
                        "looks once a second"});
  } else {
    const bool is_few = instances < kFew;
    findings.push_back({"inotify", is_few ? Verdict::kWarn : Verdict::kOk, what,
                        is_few ? "sysctl fs.inotify.max_user_instances=512" : ""});
  }
}

void examine_sandbox(std::vector<Finding>& findings) {
  std::vector<std::string> missing, there;
  for (const auto& one : tool::protections()) (one.available ? there : missing).push_back(one.name);
  if (missing.empty()) {
    findings.push_back({"sandbox", Verdict::kOk, text::join(there)});
  } else {
    findings.push_back({"sandbox", Verdict::kWarn, "not here: " + text::join(missing),
                        "plugins that are not trusted do not run; weir plugins says why"});
  }
}

void examine_terminal(std::vector<Finding>& findings) {
  const char* locale = std::setlocale(LC_CTYPE, "");
  std::string what = locale == nullptr ? "of an unknown locale" : locale;
  const bool is_utf8 = what.ends_with("UTF-8") || what.ends_with("utf8");
  if (is_terminal(stdout)) {
    what += ", " + std::to_string(terminal_width(stdout)) + " columns, " +
            (is_coloured(stdout) ? "colour" : "no colour");
  } else {
    what += ", not a terminal";
  }
  findings.push_back({"terminal", is_utf8 ? Verdict::kOk : Verdict::kWarn, what,
                      is_utf8 ? "" : "LANG=C.UTF-8: bars and marks are UTF-8"});
}

/// Of what locks, syncs and inotify mean something else on.
struct Foreign {
  unsigned long magic;
  std::string_view name;
};
constexpr Foreign kNetwork[] = {
    {NFS_SUPER_MAGIC, "NFS"}, {SMB_SUPER_MAGIC, "SMB"},   {0xFF53'4D42, "CIFS"},
    {0xFE53'4D42, "SMB"},     {V9FS_MAGIC, "9P"},         {CEPH_SUPER_MAGIC, "Ceph"},
    {AFS_SUPER_MAGIC, "AFS"}, {FUSE_SUPER_MAGIC, "FUSE"}, {CODA_SUPER_MAGIC, "Coda"},
};

void examine_file_system(const std::filesystem::path& folder, std::vector<Finding>& findings) {
  struct statfs information{};
  if (::statfs(folder.c_str(), &information) != 0) {
    const auto failure = fail_errno("statfs " + folder.string());
    findings.push_back({"file system", Verdict::kFail, failure.error().message});
    return;
  }
  const auto magic = static_cast<unsigned long>(information.f_type);
  const auto network = std::ranges::find(kNetwork, magic, &Foreign::magic);
  if (network != std::end(kNetwork)) {
    findings.push_back({"file system", Verdict::kWarn, std::string(network->name),
                        "locks and syncs may mean less there: a local disk is safer"});
  } else if (magic == TMPFS_MAGIC || magic == RAMFS_MAGIC) {
    findings.push_back({"file system", Verdict::kWarn, "in memory: what is recorded goes with it",
                        "--store on a disk, for what is to stay"});
  } else {
    findings.push_back({"file system", Verdict::kOk, "local"});
  }
}

/// Whether it can write, sync and lock there.
void examine_writing(const std::filesystem::path& folder, std::vector<Finding>& findings) {
  if (::access(folder.c_str(), W_OK) != 0) {
    findings.push_back({"permissions", Verdict::kWarn, folder.string() + " cannot be written to",
                        "reading works; to record, let this user write there"});
    return;
  }
  struct stat status{};
  const bool by_all = ::stat(folder.c_str(), &status) == 0 && (status.st_mode & S_IWOTH) != 0;
  const auto probe = folder / ("doctor-" + std::to_string(::getpid()) + ".tmp");
  const auto works = [&probe] -> Result<void> {
    WEIR_TRY(auto file, File::create(probe));
    WEIR_TRY(file.write("weir doctor\n"));
    WEIR_TRY(file.sync());
    WEIR_TRY(const bool locked, file.try_lock());
    if (!locked) return fail(ErrorCode::kIo, "a lock of a new file is taken");
    // A second description of the same file must not get it.
    WEIR_TRY(const auto other, File::open_to_read(probe));
    WEIR_TRY(const bool twice, other.try_lock());
    if (twice) return fail(ErrorCode::kIo, "two have the same lock at once");
    return {};
  }();
  std::error_code ignored;
  std::filesystem::remove(probe, ignored);
  if (!works) {
    findings.push_back({"permissions", Verdict::kFail, works.error().message,
                        "a store needs a file system with fsync and flock"});
  } else {
    findings.push_back({"permissions", by_all ? Verdict::kWarn : Verdict::kOk,
                        by_all ? "everybody may write into the store" : "written, synced, locked",
                        by_all ? "chmod o-w " + folder.string() : ""});
  }
}

void examine_space(const std::filesystem::path& folder, std::vector<Finding>& findings) {
  struct statvfs information{};
  if (::statvfs(folder.c_str(), &information) != 0) return;
  const auto free = std::uint64_t{information.f_bavail} * information.f_frsize;
  const auto verdict = free < 100 * kMiB    ? Verdict::kFail
                       : free < 2048 * kMiB ? Verdict::kWarn
                                            : Verdict::kOk;
  findings.push_back({"free space", verdict, size_text(free),
                      verdict == Verdict::kOk ? "" : "make room: a full disk stops what records"});
}

}  // namespace

void examine_machine(std::vector<Finding>& findings) {
  findings.push_back({"weir", Verdict::kOk, WEIR_VERSION});
  examine_clock(findings);
  examine_duckdb(findings);
  examine_open_files(findings);
  examine_inotify(findings);
  examine_sandbox(findings);
  examine_terminal(findings);
}

void examine_disk(const std::filesystem::path& folder, std::vector<Finding>& findings) {
  examine_file_system(folder, findings);
  examine_writing(folder, findings);
  examine_space(folder, findings);
}

void examine_settings(const Invocation& invocation, std::vector<Finding>& findings) {
  const auto [path, is_named] = invocation.config_path();
  const auto file = config::load(
      {.file = path,
       .if_missing = is_named ? config::IfMissing::kFail : config::IfMissing::kDefaults,
       .environment = config::process_environment()});
  if (!file || !file->problems.empty()) {
    const auto what =
        file ? to_string(file->problems.front(), path.string()) : file.error().message;
    const auto count = file ? file->problems.size() : 1;
    findings.push_back({"configuration", Verdict::kFail, what,
                        count > 1
                            ? "and " + std::to_string(count - 1) + " more: weir plugins says all"
                            : "commands that record do nothing until it is right"});
    return;
  }
  std::error_code ignored;
  const bool is_there = std::filesystem::exists(path, ignored);
  findings.push_back(
      {"configuration", Verdict::kOk, is_there ? path.string() : "none: the defaults hold"});
  const auto plugins = tool::find_plugins(file->config.plugins, "/proc/self/exe");
  if (!plugins) {
    findings.push_back({"plugins", Verdict::kFail, plugins.error().message,
                        "mend plugins.folders in " + path.string()});
    return;
  }
  std::vector<std::string> wrong, idle;
  for (const auto& plugin : *plugins) {
    if (!plugin.problems.empty())
      wrong.push_back(plugin.file.string());
    else if (!plugin.why_not.empty())
      idle.push_back(plugin.plugin.manifest.id);
  }
  const auto total = text::count(plugins->size(), "plugin");
  if (!wrong.empty()) {
    findings.push_back(
        {"plugins", Verdict::kFail, text::join(wrong), "weir plugins says what is wrong"});
  } else if (!idle.empty()) {
    findings.push_back({"plugins", Verdict::kWarn, "cannot run here: " + text::join(idle),
                        "weir plugins says why"});
  } else {
    findings.push_back({"plugins", Verdict::kOk, total});
  }
}

}  // namespace weir::cli
