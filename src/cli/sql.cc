#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/priority.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/parquet_file.h"
#include "cli/run_list.h"
#include "cli/sql_prompt.h"
#include "cli/sql_question.h"
#include "cli/terminal.h"
#include "cli/usage.h"
#include "config/units.h"
#include "store/session.h"

namespace weir::cli {
namespace {

struct SqlOptions {
  std::vector<std::string> words;  // the query, and of --explain its word
  std::string recipe;
  std::string file;
  std::vector<std::string> set;
  std::string format = "table";
  std::string output;
  std::string tenant;
  std::string timeout;
  std::string memory_limit;
  std::optional<std::uint64_t> max_rows;
  std::optional<int> threads;
  bool has_tenant = false;
  bool explains = false;
  bool list = false;
};

constexpr std::uint64_t kMaxQueryBytes = 1 << 20;
constexpr std::string_view kAnalyze = "analyze";

SqlFormat format_of(const SqlOptions& options) {
  if (options.format == "json") return SqlFormat::kJson;
  if (options.format == "csv") return SqlFormat::kCsv;
  return options.format == "parquet" ? SqlFormat::kParquet : SqlFormat::kTable;
}

SqlLimits limits_of(const SqlOptions& options) {
  SqlLimits limits{.max_rows = options.max_rows};
  if (options.timeout == "0") limits.timeout = std::chrono::milliseconds::zero();
  if (const auto timeout = config::parse_duration(options.timeout)) limits.timeout = *timeout;
  return limits;
}

Result<store::SessionOptions> session_options(const SqlOptions& options) {
  store::SessionOptions session;
  if (options.has_tenant) session.tenant = options.tenant;
  if (const auto memory = config::parse_size(options.memory_limit)) session.memory_bytes = *memory;
  session.threads = options.threads;
  for (const auto& word : options.set) {
    const auto sign = word.find('=');
    if (sign == std::string::npos || sign == 0) {
      return fail(ErrorCode::kInvalidInput, "--set " + word + ": NAME=VALUE is expected");
    }
    session.variables.emplace_back(word.substr(0, sign), word.substr(sign + 1));
  }
  return session;
}

Result<std::string> query_in(const std::string& path, const std::string& name) {
  auto query = read_file(path, kMaxQueryBytes);
  if (query && query->find_first_not_of("; \t\r\n") == std::string::npos) {
    return fail(ErrorCode::kInvalidInput, name + " holds no query");
  }
  return query;
}

/// What is asked; nothing: it is to be typed.
Result<std::optional<std::string>> chosen_query(const SqlOptions& options) {
  auto words = options.words;
  if (options.explains) std::erase(words, kAnalyze);
  const bool has_query = !options.recipe.empty() || !options.file.empty();
  if (words.size() > (has_query ? 0 : 1)) {
    return fail(ErrorCode::kInvalidInput, "unexpected argument '" + words.back() + "'");
  }
  if (!options.recipe.empty()) {
    const auto recipe = store::find_recipe(options.recipe);
    if (recipe) return std::string(recipe->sql);
    return fail(ErrorCode::kInvalidInput, "the cookbook has no '" + options.recipe +
                                              "'; `weir sql --list` shows what it has");
  }
  if (!options.file.empty()) return query_in(options.file, options.file);
  if (!words.empty()) return words.front();
  if (::isatty(STDIN_FILENO) == 0) return query_in("/dev/stdin", "standard input");
  const bool is_for_people = format_of(options) != SqlFormat::kParquet && !options.explains;
  if (is_terminal(stdout) && is_for_people) return std::nullopt;
  return fail(
      ErrorCode::kInvalidInput,
      "no query: give one as an argument, on standard input or in a --file, or a --cookbook "
      "NAME (see --list)");
}

std::string question_of(const SqlOptions& options, std::string query) {
  if (!options.explains) return query;
  const bool analyzes = std::ranges::find(options.words, kAnalyze) != options.words.end();
  return (analyzes ? "EXPLAIN ANALYZE " : "EXPLAIN ") + query;
}

/// Which variable says nothing to the recipe.
std::optional<std::string> unread_variable(const SqlOptions& options,
                                           const store::SessionOptions& session) {
  const auto recipe = store::find_recipe(options.recipe);
  if (!recipe) return {};
  const auto read = store::variables_of(*recipe);
  for (const auto& [name, value] : session.variables) {
    if (std::ranges::find(read, name) != read.end()) continue;
    return "--set " + name + ": " + std::string(recipe->name) + " reads " +
           (read.empty() ? "no variable" : text::join(read));
  }
  return {};
}

/// Recipes take a run as all commands do. Errors: those of find_run_id.
Result<void> find_named_run(const log::StoreDirectory& store, store::SessionOptions& session) {
  for (auto& [name, value] : session.variables) {
    if (name != "run_id" || RunId::parse(value)) continue;
    WEIR_TRY(const auto id, find_run_id(store, {value, session.tenant}));
    value = id.text();
  }
  return {};
}

/// What is wrong with the options together.
std::optional<std::string> wrong_options(const SqlOptions& options) {
  const bool is_parquet = format_of(options) == SqlFormat::kParquet;
  if (options.has_tenant && options.tenant.empty()) return "--tenant: a name is expected";
  if (!options.output.empty() && !is_parquet) {
    return "--output is for --format parquet; others are printed: > " + options.output;
  }
  if (is_parquet && options.explains) return "--explain: a plan is no Parquet";
  if (is_parquet && options.output.empty() && is_terminal(stdout)) {
    return "Parquet is nothing for a terminal: --output FILE, or > FILE";
  }
  return {};
}

/// Opens the store to a session and gives it to `use`.
Result<void> with_session(const log::StoreDirectory& store, store::SessionOptions options,
                          const std::stop_token& stop,
                          const std::function<Result<void>(store::Session&)>& use) {
  const auto bad = std::make_shared<store::BadPlaces>();
  WEIR_TRY(auto session, store::Session::open(store, std::move(options), bad, stop));
  auto used = use(session);
  warn_of_damage(bad->all());
  return used;
}

Result<void> write_parquet(const log::StoreDirectory& store, const SqlOptions& options,
                           store::SessionOptions for_session, const std::string& query,
                           const std::stop_token& stop) {
  WEIR_TRY(auto file, ParquetFile::at(options.output));
  for_session.output = file.written();
  return with_session(store, std::move(for_session), stop,
                      [&](store::Session& session) -> Result<void> {
                        WEIR_TRY(answer_to_parquet(session, query, limits_of(options), stop));
                        return file.keep();
                      });
}

Result<void> answer_once(const log::StoreDirectory& store, const SqlOptions& options,
                         store::SessionOptions for_session, const std::string& query,
                         const std::stop_token& stop) {
  const auto format = format_of(options);
  if (format == SqlFormat::kParquet) {
    return write_parquet(store, options, std::move(for_session), query, stop);
  }
  return with_session(store, std::move(for_session), stop, [&](store::Session& session) {
    return answer(session, query, format, limits_of(options), stop);
  });
}

int run_sql(const SqlOptions& options, const Invocation& invocation) {
  if (options.list) {
    print_recipes();
    return kDone;
  }
  if (const auto wrong = wrong_options(options)) {
    std::fprintf(stderr, "weir: %s\n", wrong->c_str());
    return kWrongUsage;
  }
  const auto query = chosen_query(options);
  auto session = session_options(options);
  if (!query || !session) {
    complain(query ? session.error() : query.error());
    return kWrongUsage;
  }
  if (const auto unread = unread_variable(options, *session)) {
    std::fprintf(stderr, "weir: %s\n", unread->c_str());
    return kWrongUsage;
  }
  const auto store = invocation.open_store();
  if (!store) return complain(store.error());
  set_thread_priority(Priority::kAsking);
  const std::optional<std::string>& typed = *query;
  if (!options.recipe.empty() || !typed) {
    const auto found = find_named_run(*store, *session);
    if (!found) return complain_of_name(found.error());
  }
  if (!typed) {
    return run_prompt(*store, *std::move(session),
                      {.format = format_of(options), .limits = limits_of(options)});
  }
  const InterruptStop interrupt(is_terminal(stderr) ? "\n" : "");
  const auto done = answer_once(*store, options, *std::move(session), question_of(options, *typed),
                                interrupt.token());
  if (!done) return complain(done.error());
  compact_when_due(*store);
  return kDone;
}

CLI::Option* expect_like(CLI::Option* option, const std::string& what,
                         const std::function<bool(const std::string&)>& fits) {
  return option->type_name(what)->check([what, fits](const std::string& value) {
    return fits(value) ? "" : what + " is expected, not '" + value + "'";
  });
}

void add_limits(CLI::App& command, SqlOptions& options) {
  expect_like(command.add_option("--timeout", options.timeout,
                                 "End a query that takes longer (default: 60s); 0: never"),
              "a time such as 90s or 5m", [](const std::string& value) {
                return value == "0" || config::parse_duration(value).has_value();
              });
  expect_like(command.add_option("--memory-limit", options.memory_limit,
                                 "What a query may have in memory (default: 768MiB)"),
              "a size such as 512MiB or 2GB",
              [](const std::string& value) { return config::parse_size(value).value_or(0) > 0; });
  expect_number(
      command.add_option("--max-rows", options.max_rows,
                         "Print no answer with more rows, and of a table the first (default: none, "
                         "of tables 10000); 0: none"),
      0, std::numeric_limits<std::int64_t>::max());
  expect_number(command.add_option("--threads", options.threads,
                                   "How many work on a query (default: all the machine has)"),
                1, 1024);
}

}  // namespace

void add_sql(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<SqlOptions>();
  auto* command = app.add_subcommand(
      "sql", "Query what was recorded: events, logs, runs, nodes and more; SHOW TABLES lists them");
  auto* query = command->add_option(
      "query", options->words,
      "SQL in DuckDB's dialect; if absent, standard input, and on a terminal a prompt");
  query->expected(0, 2);
  auto* recipe = command->add_option("--cookbook", options->recipe,
                                     "Run a query of the cookbook instead: its name or number");
  auto* file = command->add_option("--file", options->file, "Read the query from a file");
  recipe->excludes(file);
  command->add_flag("--list", options->list, "List the cookbook");
  command
      ->add_option("--set", options->set,
                   "A variable for the query, NAME=VALUE: getvariable('NAME') is its text")
      ->allow_extra_args(false);
  expect_word(command->add_option("--format", options->format, "How to print (default: table)"),
              {"table", "json", "csv", "parquet"});
  command->add_flag_callback(
      "--json", [options] { options->format = "json"; }, "The same as --format json");
  command->add_option("--output", options->output,
                      "Where to put Parquet; whole, or not at all (default: standard output)");
  auto* tenant = command->add_option("--tenant", options->tenant, "Only what this tenant recorded");
  command->add_flag(
      "--explain", options->explains,
      "Print the plan of the query; with the word analyze, run it and print where the "
      "time went");
  add_limits(*command, *options);
  command->callback([&invocation, options, tenant] {
    options->has_tenant = tenant->count() > 0;
    invocation.action = [&invocation, options] { return run_sql(*options, invocation); };
  });
}

}  // namespace weir::cli
