#include "plugins/plugins.h"

namespace weir::plugins {

void add_all(tool::Registry& registry, const artifact::ArtifactStore& artifacts) {
  registry.add(make_process_run(artifacts));
  registry.add(make_sql_query(artifacts));
  add_json_tools(registry);
  add_file_tools(registry);
  add_http_tools(registry);
}

}  // namespace weir::plugins
