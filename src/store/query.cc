#include "store/query.h"

#include <charconv>

#include "sql_cookbook.h"
#include "sql_views.h"

namespace weir::store {

Result<Database> open_views(const log::StoreDirectory& store, std::shared_ptr<BadPlaces> bad) {
  WEIR_TRY(auto database, Database::open_in_memory());
  WEIR_TRY(auto connection, database.connect());
  WEIR_TRY(connection.execute("SET GLOBAL parquet_metadata_cache = true"));  // parts never change
  WEIR_TRY(EventTable::add(connection, store, std::move(bad)));
  WEIR_TRY(create_views(connection));
  return database;
}

Result<void> create_views(Connection& connection) {
  for (const auto& file : views::kFiles) WEIR_TRY(connection.execute(std::string(file.text)));
  return {};
}

Result<std::vector<RunName>> run_names(const log::StoreDirectory& store) {
  WEIR_TRY(const auto database, open_views(store, std::make_shared<BadPlaces>()));
  WEIR_TRY(auto connection, database.connect());
  WEIR_TRY(auto rows, connection.query(R"(
    WITH children AS MATERIALIZED (
      SELECT DISTINCT target_run_id AS run_id FROM logs WHERE event_type = 'pipeline_child_spawned')
    SELECT logs.run_id, logs.run_id IN (FROM children) AS is_child
    FROM logs GROUP BY logs.run_id ORDER BY min(timestamp) DESC, logs.run_id DESC)"));
  std::vector<RunName> names;
  while (const auto* row = rows.next()) {
    const auto id = RunId::parse(*row->at(0).string());
    if (id) names.push_back({.id = *id, .is_child = *row->at(1).boolean()});
  }
  return names;
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

Result<void> set_variable(Connection& connection, std::string_view name, std::string_view value) {
  return connection.execute("SET VARIABLE " + sql_name(name) + " = " + sql_string(value));
}

}  // namespace weir::store
