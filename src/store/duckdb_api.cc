#include "store/duckdb_api.h"

#include <dlfcn.h>

#include <string>

namespace weir::store {
namespace {

struct Loaded {
  DuckdbApi api;
  std::string error;
};

Loaded load() {
  Loaded loaded;
  // The program's RUNPATH has $ORIGIN in it. Never closed: its threads and ours may run to the end.
  void* library = ::dlopen("libduckdb.so", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    loaded.error = std::string("libduckdb.so cannot be loaded: ") + ::dlerror() +
                   "; it belongs beside the weir program";
    return loaded;
  }
#define WEIR_DUCKDB_LOAD(name)                                                            \
  loaded.api.name = reinterpret_cast<decltype(loaded.api.name)>(::dlsym(library, #name)); \
  if (loaded.api.name == nullptr) loaded.error = "libduckdb.so is too old: it has no " #name;
  WEIR_DUCKDB_FUNCTIONS(WEIR_DUCKDB_LOAD)
#undef WEIR_DUCKDB_LOAD
  return loaded;
}

const Loaded& loaded() {
  static const Loaded instance = load();
  return instance;
}

}  // namespace

Result<const DuckdbApi*> load_duckdb() {
  if (!loaded().error.empty()) return fail(ErrorCode::kUnavailable, loaded().error);
  return &loaded().api;
}

const DuckdbApi& duckdb() {
  WEIR_CHECK(loaded().error.empty());
  return loaded().api;
}

}  // namespace weir::store
