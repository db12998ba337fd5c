#include "store/query.h"

#include "sql_cookbook.h"
#include "sql_views.h"

namespace weir::store {

Result<Database> open_views(const log::StoreDirectory& store, std::shared_ptr<BadPlaces> bad) {
  WEIR_TRY(auto database, Database::open_in_memory());
  WEIR_TRY(auto connection, database.connect());
  WEIR_TRY(EventTable::add(connection, store, std::move(bad)));
  for (const auto& file : views::kFiles) WEIR_TRY(connection.execute(std::string(file.text)));
  return database;
}

std::vector<Recipe> cookbook() {
  std::vector<Recipe> recipes;
  for (const auto& file : recipes::kFiles) {
    auto question = file.text.substr(0, file.text.find('\n'));
    question.remove_prefix(std::min(question.find_first_not_of("- "), question.size()));
    recipes.push_back({file.name, question, file.text});
  }
  return recipes;
}

}  // namespace weir::store
