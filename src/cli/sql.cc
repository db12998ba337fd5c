#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "cli/command.h"
#include "cli/table.h"
#include "cli/usage.h"
#include "store/query.h"

namespace weir::cli {
namespace {

struct SqlOptions {
  std::string query;
  std::string recipe;
  std::vector<std::string> set;
  std::string format = "table";
  bool list = false;
};

/// More rows than this are no table for people.
constexpr std::size_t kMaxTableRows = 10'000;
constexpr std::uint64_t kMaxQueryBytes = 1 << 20;

std::string cell_text(const json::Value& value) {
  if (value.is_null()) return "";
  return value.string() != nullptr ? *value.string() : json::to_text(value);
}

void print_table(store::Rows& rows) {
  Table table(rows.columns());
  bool more = false;
  while (const auto* row = rows.next()) {
    if (table.size() == kMaxTableRows) {
      more = true;
      break;
    }
    std::vector<std::string> cells;
    for (std::size_t i = 0; i < row->size(); ++i) {
      const bool number = (*row)[i].kind() == "a number";
      if (number) table.align(i, Table::Align::kRight);
      cells.push_back(cell_text((*row)[i]));
    }
    table.add(std::move(cells));
  }
  table.print(stdout);
  if (more)
    std::fprintf(stderr, "weir: the first %zu rows; --format csv prints all\n", kMaxTableRows);
}

void print_json(store::Rows& rows) {
  const char* separator = "[";
  while (const auto* row = rows.next()) {
    json::Object object;
    for (std::size_t i = 0; i < row->size(); ++i) object.append({rows.columns()[i], (*row)[i]});
    std::printf("%s\n  %s", separator, json::to_text(object).c_str());
    separator = ",";
  }
  std::printf(separator[0] == '[' ? "[]\n" : "\n]\n");
}

/// RFC 4180.
void print_csv(store::Rows& rows) {
  const auto print_cell = [](std::size_t column, const std::string& text) {
    std::string cell = text;
    if (text.find_first_of(",\"\r\n") != std::string::npos) {
      cell = "\"";
      for (const char c : text) cell.append(c == '"' ? 2 : 1, c);
      cell += '"';
    }
    std::printf("%s%s", column > 0 ? "," : "", cell.c_str());
  };
  for (std::size_t i = 0; i < rows.columns().size(); ++i) print_cell(i, rows.columns()[i]);
  std::printf("\n");
  while (const auto* row = rows.next()) {
    for (std::size_t i = 0; i < row->size(); ++i) print_cell(i, cell_text((*row)[i]));
    std::printf("\n");
  }
}

Result<std::string> chosen_query(const SqlOptions& options) {
  if (!options.recipe.empty()) {
    for (const auto& recipe : store::cookbook()) {
      const bool is_its_number =
          recipe.number > 0 && std::to_string(recipe.number) == options.recipe;
      if (is_its_number || recipe.name == options.recipe) return std::string(recipe.sql);
    }
    return fail(ErrorCode::kInvalidInput, "the cookbook has no '" + options.recipe +
                                              "'; `weir sql --list` shows what it has");
  }
  if (!options.query.empty()) return options.query;
  if (::isatty(STDIN_FILENO) != 0) {
    return fail(ErrorCode::kInvalidInput,
                "no query: give one as an argument or on standard input, or a --cookbook NAME (see "
                "--list)");
  }
  auto query = read_file("/dev/stdin", kMaxQueryBytes);
  if (query && query->find_first_not_of("; \t\r\n") == std::string::npos) {
    return fail(ErrorCode::kInvalidInput, "standard input holds no query");
  }
  return query;
}

int list_recipes() {
  Table table({"NUMBER", "NAME", "QUESTION"});
  table.align(0, Table::Align::kRight);
  for (const auto& recipe : store::cookbook()) {
    table.add({recipe.number > 0 ? std::to_string(recipe.number) : "", std::string(recipe.name),
               std::string(recipe.question)});
  }
  table.print(stdout);
  return kDone;
}

int run_sql(const SqlOptions& options, const Invocation& invocation) {
  if (options.list) return list_recipes();
  const auto query = chosen_query(options);
  if (!query) {
    complain(query.error());
    return kWrongUsage;
  }
  const auto store = invocation.open_store();
  if (!store) return complain(store.error());
  const auto bad = std::make_shared<store::BadPlaces>();
  const auto database = store::open_views(*store, bad);
  if (!database) return complain(database.error());
  auto connection = database->connect();
  if (!connection) return complain(connection.error());
  for (const auto& word : options.set) {
    const auto sign = word.find('=');
    if (sign == std::string::npos || sign == 0) {
      std::fprintf(stderr, "weir: --set %s: NAME=VALUE is expected\n", word.c_str());
      return kWrongUsage;
    }
    const auto set = store::set_variable(*connection, word.substr(0, sign), word.substr(sign + 1));
    if (!set) return complain(set.error());
  }
  auto rows = connection->query_one(*query);
  if (!rows) return complain(std::move(rows).error().within("the query"));
  if (options.format == "json") {
    print_json(*rows);
  } else if (options.format == "csv") {
    print_csv(*rows);
  } else {
    print_table(*rows);
  }
  warn_of_damage(bad->all());
  compact_when_due(*store);
  return kDone;
}

}  // namespace

void add_sql(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<SqlOptions>();
  auto* command = app.add_subcommand(
      "sql", "Query what was recorded: events, logs, runs, nodes and more; SHOW TABLES lists them");
  auto* query = command->add_option("query", options->query,
                                    "SQL in DuckDB's dialect; standard input if absent");
  command
      ->add_option("--cookbook", options->recipe,
                   "Run a query of the cookbook instead: its name or number")
      ->excludes(query);
  command->add_flag("--list", options->list, "List the cookbook");
  command
      ->add_option("--set", options->set,
                   "A variable for the query, NAME=VALUE: getvariable('NAME') is its text")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  expect_word(command->add_option("--format", options->format, "How to print (default: table)"),
              {"table", "json", "csv"});
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return run_sql(*options, invocation); };
  });
}

}  // namespace weir::cli
