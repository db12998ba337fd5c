#include "cli/command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "base/text.h"

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

Result<log::StoreDirectory> Invocation::create_store() const {
  return log::StoreDirectory::create(store_path());
}

Result<log::StoreDirectory> Invocation::open_store() const {
  auto opened = log::StoreDirectory::open(store_path());
  if (!opened && opened.error().code == ErrorCode::kNotFound) {
    opened.error().message += "; `weir run` makes one, --store or $WEIR_STORE names another";
  }
  return opened;
}

int complain(const Error& error) {
  std::fprintf(stderr, "weir: %s\n", error.message.c_str());
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

void warn_of_damage(const std::vector<store::BadPlace>& places) {
  for (const auto& bad : places) {
    std::fprintf(stderr, "weir: %s: at byte %llu: %s\n", bad.segment.c_str(),
                 static_cast<unsigned long long>(bad.offset), bad.reason.c_str());
  }
  if (!places.empty()) {
    std::fprintf(
        stderr, "weir: the answer is without these events; `weir verify` checks the whole store\n");
  }
}

namespace {

/// What to say when the first word is no command of ours.
std::string unknown_command(const CLI::App& app, int argc, char** argv) {
  std::vector<std::string> known;
  for (const auto* command : app.get_subcommands({})) known.push_back(command->get_name());
  const std::string word = argc > 1 ? argv[1] : "";
  if (word.empty() || word.starts_with('-') ||
      std::find(known.begin(), known.end(), word) != known.end()) {
    return {};
  }
  return "no command '" + word + "'" + text::did_you_mean(word, known) + " (" + text::join(known) +
         ")";
}

}  // namespace

int act(const Invocation& invocation) {
  try {
    return invocation.action();
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "weir: %s\n", exception.what());
    return kStoreFailed;
  }
}

int run_program(int argc, char** argv) {
  CLI::App app(
      "The flight recorder for pipelines: runs them, and writes down everything that happens.",
      "weir");
  app.set_version_flag("--version", "weir " WEIR_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  Invocation invocation;
  app.add_option(
      "--store", invocation.store,
      "The store's folder (default: $WEIR_STORE, else the nearest .weir upward, else ./.weir)");
  add_run(app, invocation);
  add_check(app, invocation);
  add_runs(app, invocation);
  add_show(app, invocation);
  add_sql(app, invocation);
  add_verify(app, invocation);
  add_schema(app, invocation);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    const auto unknown = unknown_command(app, argc, argv);
    std::fprintf(stderr, "weir: %s\nRun `weir --help`, or `weir COMMAND --help`.\n",
                 unknown.empty() ? error.what() : unknown.c_str());
    return kWrongUsage;
  }
  const int exit = act(invocation);
  // Output that nobody got is an error: a full disk must not look like an empty answer.
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return exit;
  std::fprintf(stderr, "weir: standard output cannot be written\n");
  return kFailed;
}

}  // namespace weir::cli
