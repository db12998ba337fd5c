#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "log/store_directory.h"
#include "store/history.h"
#include "store/rollup.h"

namespace CLI {
class App;
}
namespace weir::store {
struct DamagedPart;
}

/// The commands, one file each: `add_NAME` declares options and puts what is to be done into
/// `Invocation::action`.
namespace weir::cli {

enum ExitCode : int {
  kDone = 0,
  kFailed = 1,  ///< the run or the check failed
  kWrongUsage = 2,
  kStoreFailed = 3,  ///< the store is damaged or unreachable
  kExecFailed = 125  ///< of `weir exec`, for whatever is not the command's own failure
};

/// What the command line asked for.
struct Invocation {
  std::string store;   ///< --store; empty: not given
  std::string server;  ///< --server; empty: not given, and the store is a folder
  std::string config;  ///< --config; empty: not given
  std::string tenant;  ///< --tenant of the commands that run something; empty: not given
  std::function<int()> action;
  std::vector<std::string> command;  ///< of `weir exec`: see take_command
  std::optional<int> own_failure;    ///< of `weir exec`: the exit code in place of all of ours

  /// --store, else $WEIR_STORE, else the nearest `.weir` upward, else `./.weir`.
  [[nodiscard]] std::filesystem::path store_path() const;
  struct ConfigPath {
    std::filesystem::path path;
    bool is_named;  ///< by the user: then it must be there
  };
  /// --config, else $WEIR_CONFIG, else `weir.yaml` in the folder that contains the store's.
  [[nodiscard]] ConfigPath config_path() const;
  /// For commands that write.
  [[nodiscard]] Result<log::StoreDirectory> create_store() const;
  /// For commands that read.
  [[nodiscard]] Result<log::StoreDirectory> open_store() const;
};

/// Prints "weir: MESSAGE" to standard error, and gives the exit code that fits.
int complain(const Error& error);

/// Compacts the store if it is time and nobody else does it. What goes wrong is said, and is no
/// failure of the command: everything is where it was.
void compact_when_due(const log::StoreDirectory& store);

/// Says on standard error what could not be read, and what that means: the answer is without it.
void warn_of_damage(const std::vector<store::BadPlace>& places,
                    std::string_view so = "the answer is without these events");

/// The same of parts that a command has left as they are.
void warn_of_left_parts(const log::StoreDirectory& store,
                        const std::vector<store::DamagedPart>& left);

/// Says on standard error what was wrong with the rollups, and what was done about it.
void complain_of_rollups(const store::RollupReport& report);

void add_run(CLI::App& app, Invocation& invocation);
void add_resume(CLI::App& app, Invocation& invocation);
void add_rerun(CLI::App& app, Invocation& invocation);
void add_signal(CLI::App& app, Invocation& invocation);
void add_approve(CLI::App& app, Invocation& invocation);
void add_deny(CLI::App& app, Invocation& invocation);
void add_exec(CLI::App& app, Invocation& invocation);
void add_check(CLI::App& app, Invocation& invocation);
void add_status(CLI::App& app, Invocation& invocation);
void add_runs(CLI::App& app, Invocation& invocation);
void add_show(CLI::App& app, Invocation& invocation);
void add_compare(CLI::App& app, Invocation& invocation);
void add_trace(CLI::App& app, Invocation& invocation);
void add_logs(CLI::App& app, Invocation& invocation);
void add_replay(CLI::App& app, Invocation& invocation);
void add_tail(CLI::App& app, Invocation& invocation);
void add_sql(CLI::App& app, Invocation& invocation);
void add_report(CLI::App& app, Invocation& invocation);
void add_export(CLI::App& app, Invocation& invocation);
void add_artifacts(CLI::App& app, Invocation& invocation);
void add_review(CLI::App& app, Invocation& invocation);
void add_verify(CLI::App& app, Invocation& invocation);
void add_compact(CLI::App& app, Invocation& invocation);
void add_backup(CLI::App& app, Invocation& invocation);
void add_restore(CLI::App& app, Invocation& invocation);
void add_gc(CLI::App& app, Invocation& invocation);
void add_hold(CLI::App& app, Invocation& invocation);
void add_release(CLI::App& app, Invocation& invocation);
void add_rebuild(CLI::App& app, Invocation& invocation);
void add_serve(CLI::App& app, Invocation& invocation);
void add_key(CLI::App& app, Invocation& invocation);
void add_doctor(CLI::App& app, Invocation& invocation);
void add_hooks(CLI::App& app, Invocation& invocation);
void add_plugins(CLI::App& app, Invocation& invocation);
void add_schema(CLI::App& app, Invocation& invocation);

/// How many of the words are ours to parse. In `weir exec [OPTION…] [--] COMMAND [WORD…]` the
/// command's are not: they go into `invocation.command` as they are.
[[nodiscard]] int take_command(int argc, char** argv, Invocation& invocation);

/// Does what was asked for, and returns the exit code. Our code does not throw, but what it stands
/// on can: memory that ends, a thread that cannot be started. That ends here.
int act(const Invocation& invocation);

/// The whole program: sees that the standard streams are open, parses, acts, returns the exit code.
int run_program(int argc, char** argv);

}  // namespace weir::cli
