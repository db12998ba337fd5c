#include "cli/command.h"

#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <set>

#include "cli/console.h"
#include "cli/person.h"
#include "cli/remote.h"
#include "cli/usage.h"
#include "config/load.h"
#include "store/compaction.h"
#include "store/survey.h"
#include "tool/library.h"
#include "tool/supervisor.h"

namespace weir::cli {

std::filesystem::path Invocation::store_path() const {
  if (!store.empty()) return store;
  if (const char* variable = std::getenv("WEIR_STORE"); variable != nullptr && *variable != '\0') {
    return variable;
  }
  std::error_code error;
  for (auto folder = std::filesystem::current_path(error); !error; folder = folder.parent_path()) {
    if (std::filesystem::exists(folder / ".weir" / "VERSION", error)) return folder / ".weir";
    if (folder == folder.root_path()) break;
  }
  return ".weir";
}

Invocation::ConfigPath Invocation::config_path() const {
  if (!config.empty()) return {config, true};
  if (const char* variable = std::getenv("WEIR_CONFIG"); variable != nullptr && *variable != '\0') {
    return {variable, true};
  }
  auto folder = store_path().lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();  // "here/" is "here"
  std::error_code error;
  const auto name = folder.filename();
  if (name == "." || name == "..") folder = std::filesystem::canonical(folder, error);
  return {folder.parent_path() / config::kFileName, false};
}

Result<log::StoreDirectory> Invocation::create_store() const {
  const auto path = store_path();
  auto created = log::StoreDirectory::create(path);
  const auto is_there = [](ErrorCode code) {
    return code == ErrorCode::kCorrupt || code == ErrorCode::kUnavailable;
  };
  if (!created && !is_there(created.error().code)) {
    created = std::unexpected(
        std::move(created).error().within("the store " + path.string() + " cannot be made"));
    created.error().message += "; --store or $WEIR_STORE names another place";
  }
  return created;
}

Result<log::StoreDirectory> Invocation::open_store() const {
  auto opened = log::StoreDirectory::open(store_path());
  if (!opened && opened.error().code == ErrorCode::kNotFound) {
    opened.error().message += "; `weir run` makes one, --store or $WEIR_STORE names another";
  }
  return opened;
}

int complain(const Error& error) {
  say("weir: %s\n", error.message.c_str());
  switch (error.code) {
    case ErrorCode::kInvalidInput:
    case ErrorCode::kCancelled:
    case ErrorCode::kConflict:
      return kFailed;
    case ErrorCode::kNotFound:
    case ErrorCode::kIo:
    case ErrorCode::kExhausted:
    case ErrorCode::kCorrupt:
    case ErrorCode::kUnavailable:
      return kStoreFailed;
  }
  return kFailed;
}

void compact_when_due(const log::StoreDirectory& store) {
  const auto due = store::is_compaction_due(store);
  if (!due || !*due) return;  // what cannot be read is said by whoever needs it
  // What is kept for a full disk is for those who ask for room.
  const auto done = store::compact(store, {.reserve = store::CompactionOptions::Reserve::kStays});
  if (done) complain_of_rollups(done->rollups);
  if (done || done.error().code == ErrorCode::kConflict ||
      done.error().code == ErrorCode::kUnavailable) {
    return;
  }
  say("weir: the log was not compacted: %s\n", done.error().message.c_str());
}

void warn_of_damage(const std::vector<store::BadPlace>& places, std::string_view so) {
  static std::set<store::BadPlace> told;  // a command may meet a place more than once
  // Names of parts have those of tenants in them, which a server's caller is not to know.
  const bool is_asked_elsewhere = std::getenv("WEIR_ONLY_OPTIONS") != nullptr;
  bool is_less = false;
  for (const auto& bad : places) {
    if (!told.insert(bad).second) continue;
    is_less = is_less || !bad.is_whole;
    if (!is_asked_elsewhere) say("weir: %s\n", bad.text().c_str());
  }
  if (is_less) {
    say("weir: %s; `weir verify` checks the whole store\n", std::string(so).c_str());
  }
}

void warn_of_left_parts(const log::StoreDirectory& store,
                        const std::vector<store::DamagedPart>& left) {
  std::vector<store::BadPlace> places;
  places.reserve(left.size());
  for (const auto& [part, reason] : left) places.push_back({store.parts() / part, 0, reason});
  warn_of_damage(places, "they stay as they are; a backup may have them (weir restore)");
}

void complain_of_rollups(const store::RollupReport& report) {
  for (const auto& place : report.damaged) {
    std::fprintf(stderr, "weir: %s: %s; it was made again from the log\n", place.file.c_str(),
                 place.reason.c_str());
  }
  for (const auto& place : report.unread) {
    std::fprintf(stderr, "weir: %s: %s; rollups of its batch were not made\n", place.file.c_str(),
                 place.reason.c_str());
  }
}

namespace {

/// The words of the command line, the last first, as CLI11 takes them. `weir help run` is
/// `weir run --help`, and `weir version` is `weir --version`.
std::vector<std::string> reversed_words(int argc, char** argv) {
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  if (!words.empty() && words.front() == "version") words.front() = "--version";
  if (!words.empty() && words.front() == "help") {
    words.erase(words.begin());
    words.emplace_back("--help");
  }
  std::reverse(words.begin(), words.end());
  return words;
}

/// A log file must not take the place of a standard stream that is closed, and be printed to. What
/// takes it fails as the closed one would: nobody can read from it or write to it.
void fill_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) >= 0) continue;
    // The lowest number that is free, which is this one.
    static_cast<void>(::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY));
  }
}

/// Whether help or the version was asked for, and not of a command that does not exist.
bool is_answer(const CLI::App& app, const CLI::ParseError& outcome) {
  return dynamic_cast<const CLI::Success*>(&outcome) != nullptr &&
         (!app.get_subcommands().empty() || app.remaining().empty());
}

/// The words of a command line but for those that say where the store is.
std::vector<std::string> words_for_server(int argc, char** argv) {
  constexpr std::string_view kServer = "--server";
  std::vector<std::string> words;
  bool is_value = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const bool is_ours = is_value || word == kServer || word.starts_with("--server=");
    is_value = !is_value && word == kServer;
    if (!is_ours) words.emplace_back(word);
  }
  return words;
}

/// Which options a command may have that somebody elsewhere has given: a list with spaces. A server
/// says so, and nobody but this parser knows what the words mean.
constexpr const char* kOnlyOptions = "WEIR_ONLY_OPTIONS";

/// What is given and may not be. Nothing: all of it may be.
std::optional<std::string> forbidden_word(const CLI::App& app, std::string_view allowed) {
  for (const auto* option : app.get_options()) {
    if (option->count() == 0) continue;
    const auto name = option->get_name();
    const bool is_allowed =
        option->get_positional() || (" " + std::string(allowed) + " ").contains(" " + name + " ");
    if (!is_allowed) return "a server does not take " + name;
    for (const auto& value : option->results()) {
      if (value.starts_with('@')) {
        return "'" + value + "': no file of the server is read: give what is in it";
      }
    }
  }
  for (const auto* command : app.get_subcommands()) {
    if (auto forbidden = forbidden_word(*command, allowed)) return forbidden;
  }
  return {};
}

/// In the order of the help.
void add_commands(CLI::App& app, Invocation& invocation) {
  add_run(app, invocation);
  add_resume(app, invocation);
  add_rerun(app, invocation);
  add_signal(app, invocation);
  add_approve(app, invocation);
  add_deny(app, invocation);
  add_exec(app, invocation);
  add_check(app, invocation);
  add_status(app, invocation);
  add_runs(app, invocation);
  add_show(app, invocation);
  add_compare(app, invocation);
  add_trace(app, invocation);
  add_logs(app, invocation);
  add_replay(app, invocation);
  add_tail(app, invocation);
  add_sql(app, invocation);
  add_report(app, invocation);
  add_export(app, invocation);
  add_artifacts(app, invocation);
  add_review(app, invocation);
  add_verify(app, invocation);
  add_compact(app, invocation);
  add_gc(app, invocation);
  add_hold(app, invocation);
  add_release(app, invocation);
  add_backup(app, invocation);
  add_restore(app, invocation);
  add_rebuild(app, invocation);
  add_serve(app, invocation);
  add_key(app, invocation);
  add_doctor(app, invocation);
  add_hooks(app, invocation);
  add_plugins(app, invocation);
  add_schema(app, invocation);
}

}  // namespace

int act(const Invocation& invocation) {
  try {
    return invocation.action();
  } catch (const std::exception& exception) {
    say("weir: %s\n", exception.what());
    return invocation.own_failure.value_or(kStoreFailed);
  }
}

int run_program(int argc, char** argv) {
  // Not commands for people: plugins are started with them, so they begin at once.
  if (argc > 1 && argv[1] == tool::kSuperviseCommand) return tool::supervise(argc - 2, argv + 2);
  if (argc > 1 && argv[1] == tool::kHostCommand) return tool::host_library(argc - 2, argv + 2);
  fill_standard_streams();
  static_cast<void>(person());
  CLI::App app(
      "The flight recorder for pipelines: runs them, and writes down everything that happens.",
      "weir");
  app.set_version_flag("-v,--version", "weir " WEIR_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  Invocation invocation;
  auto* store = app.add_option(
      "--store", invocation.store,
      "The store's folder (default: $WEIR_STORE, else the nearest .weir upward, else ./.weir)");
  auto* config = app.add_option(
      "--config", invocation.config,
      "The configuration (default: $WEIR_CONFIG, else weir.yaml beside the store's folder)");
  app.add_option("--server", invocation.server,
                 "Have the server at this URL do it, with its store; $WEIR_KEY is the key")
      ->excludes(store)
      ->excludes(config);
  add_commands(app, invocation);
  try {
    app.parse(reversed_words(take_command(argc, argv, invocation), argv));
  } catch (const CLI::ParseError& outcome) {
    if (is_answer(app, outcome)) return app.exit(outcome);
    say("weir: %s\nRun `weir --help`, or `weir COMMAND --help`.\n", explain(app, outcome).c_str());
    return invocation.own_failure.value_or(kWrongUsage);
  }
  if (const char* const allowed = std::getenv(kOnlyOptions)) {
    const auto forbidden = forbidden_word(app, allowed);
    ::unsetenv(kOnlyOptions);  // what it starts is its own
    if (forbidden) return say("weir: %s\n", forbidden->c_str()), kWrongUsage;
  }
  const int exit = invocation.server.empty()
                       ? act(invocation)
                       : run_at_server(invocation, words_for_server(argc, argv));
  // Output that nobody got is an error: a full disk must not look like an empty answer.
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return exit;
  say("weir: standard output cannot be written\n");
  return kFailed;
}

}  // namespace weir::cli
