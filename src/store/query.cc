#include "store/query.h"

#include <algorithm>
#include <charconv>

#include "sql_cookbook.h"
#include "sql_views.h"
#include "store/session.h"

namespace weir::store {

Result<Views> open_views(const log::StoreDirectory& store, std::shared_ptr<BadPlaces> bad,
                         const ViewOptions& options) {
  WEIR_TRY(auto manifest, log::read_manifest(store));
  if (!manifest.damage().empty())
    bad->add({.file = store.manifest(), .reason = manifest.damage(), .is_whole = true});
  auto limits = options.database;
  std::optional<ScratchFolder> scratch;
  if (limits.spill_folder.empty() && limits.spill_bytes != 0) scratch = spill_below(store, limits);
  WEIR_TRY(auto database, Database::open_in_memory(limits));
  WEIR_TRY(auto connection, database.connect());
  WEIR_TRY(connection.execute("SET GLOBAL parquet_metadata_cache = true"));  // parts never change
  auto events = options.events;
  events.left_out.merge(bad->left_out());
  WEIR_TRY(auto files, EventTable::add(connection, store, manifest, std::move(bad), events));
  WEIR_TRY(create_views(connection));
  if (options.access == ViewOptions::Access::kLocked) {
    auto allowed = files;
    if (options.output) allowed.push_back(*options.output);
    WEIR_TRY(database.lock(allowed));
  }
  return Views{std::move(scratch), std::move(database), std::move(manifest), std::move(files)};
}

bool find_damaged_parts(const log::StoreDirectory& store, BadPlaces& bad) {
  const auto manifest = log::read_manifest(store);
  if (!manifest) return false;
  const auto before = bad.left_out().size();
  PartCheck check;
  check.look(store, manifest->parts(), {});
  for (auto& place : check.places(store)) bad.add(std::move(place));
  bad.leave_out(check.damaged());
  return bad.left_out().size() > before;
}

Result<void> create_views(Connection& connection) {
  for (const auto& file : views::kFiles) WEIR_TRY(connection.execute(std::string(file.text)));
  return {};
}

namespace {

Result<std::vector<RunName>> read_run_names(Session& session) {
  WEIR_TRY(auto answer, session.ask(R"(
    WITH children AS MATERIALIZED (
      SELECT DISTINCT target_run_id AS run_id FROM logs WHERE event_type = 'pipeline_child_spawned')
    SELECT run_id, tenant_id, logs.run_id IN (FROM children) AS is_child
    FROM logs GROUP BY run_id, tenant_id ORDER BY min(timestamp) DESC, run_id DESC, tenant_id)"));
  std::vector<RunName> names;
  while (true) {
    WEIR_TRY(const auto* row, answer.next());
    if (row == nullptr) return names;
    const auto id = RunId::parse(*row->at(0).string());
    const auto* tenant = row->at(1).string();
    if (id) {
      names.push_back({.key = {*id, tenant == nullptr ? std::string() : *tenant},
                       .is_child = *row->at(2).boolean()});
    }
  }
}

}  // namespace

Result<std::vector<RunName>> run_names(const log::StoreDirectory& store,
                                       const std::shared_ptr<BadPlaces>& bad,
                                       const std::optional<std::string>& tenant) {
  WEIR_TRY(auto session, Session::open(store, {.tenant = tenant}, bad));
  auto names = read_run_names(session);
  if (names) return names;
  WEIR_TRY(const bool again, session.recover(names.error()));
  return again ? read_run_names(session) : names;
}

std::vector<Recipe> cookbook() {
  std::vector<Recipe> recipes;
  for (const auto& file : recipes::kFiles) {
    Recipe recipe{.name = file.name, .sql = file.text};
    // "06-failure-rate"
    const auto* begin = recipe.name.data();
    const auto end = std::from_chars(begin, begin + recipe.name.size(), recipe.number).ptr;
    if (recipe.number > 0) {
      recipe.name.remove_prefix(static_cast<std::size_t>(end - begin) + 1);
    }
    recipe.question = file.text.substr(0, file.text.find('\n'));
    recipe.question.remove_prefix(
        std::min(recipe.question.find_first_not_of("- "), recipe.question.size()));
    recipes.push_back(recipe);
  }
  return recipes;
}

std::optional<Recipe> find_recipe(std::string_view name) {
  for (const auto& recipe : cookbook()) {
    const bool is_its_number = recipe.number > 0 && std::to_string(recipe.number) == name;
    if (is_its_number || recipe.name == name) return recipe;
  }
  return {};
}

std::vector<std::string> variables_of(const Recipe& recipe) {
  constexpr std::string_view kReads = "getvariable('";
  std::vector<std::string> names;
  for (auto at = recipe.sql.find(kReads); at != std::string_view::npos;
       at = recipe.sql.find(kReads, at)) {
    at += kReads.size();
    std::string name(recipe.sql.substr(at, recipe.sql.find('\'', at) - at));
    if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  }
  return names;
}

Result<void> set_variable(Connection& connection, std::string_view name, std::string_view value) {
  return connection.execute("SET VARIABLE " + sql_name(name) + " = " + sql_string(value));
}

}  // namespace weir::store
