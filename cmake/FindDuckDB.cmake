# Finds DuckDB: the system's if it is new enough, otherwise the one that ./dev setup installed.
#
#   DuckDB::Headers   target: an include folder with duckdb.h, the C API, and nothing else
#   DuckDB_LIBRARY    path of libduckdb.so, for loading it at run time; nothing links with it
#   DuckDB_VERSION

# duckdb.h names no version, so the library is asked. Loading it is the only thing that works for
# every way of installing DuckDB.
function(duckdb_version_of library result)
  set(${result} "" PARENT_SCOPE)
  set(source "${CMAKE_BINARY_DIR}/duckdb/version.cc")
  file(WRITE "${source}" "#include <cstdio>
extern \"C\" const char* duckdb_library_version();
int main() { std::puts(duckdb_library_version()); }\n")
  try_run(exit_code compiled "${CMAKE_BINARY_DIR}/duckdb" "${source}"
    LINK_LIBRARIES "${library}" RUN_OUTPUT_VARIABLE output)
  if(compiled AND exit_code EQUAL 0 AND output MATCHES "v([0-9]+\\.[0-9]+\\.[0-9]+)")
    set(${result} "${CMAKE_MATCH_1}" PARENT_SCOPE)
  endif()
endfunction()

find_path(DuckDB_SYSTEM_INCLUDE_DIR duckdb.h)
find_library(DuckDB_SYSTEM_LIBRARY duckdb)
mark_as_advanced(DuckDB_SYSTEM_INCLUDE_DIR DuckDB_SYSTEM_LIBRARY)
if(DuckDB_SYSTEM_INCLUDE_DIR AND DuckDB_SYSTEM_LIBRARY)
  # Asked anew when another library is found, not at every configuration.
  if(NOT DuckDB_SYSTEM_VERSION_OF STREQUAL DuckDB_SYSTEM_LIBRARY)
    duckdb_version_of("${DuckDB_SYSTEM_LIBRARY}" version)
    set(DuckDB_SYSTEM_VERSION "${version}" CACHE INTERNAL "")
    set(DuckDB_SYSTEM_VERSION_OF "${DuckDB_SYSTEM_LIBRARY}" CACHE INTERNAL "")
  endif()
endif()

set(deps "${CMAKE_CURRENT_LIST_DIR}/../deps/node_modules")
set(bindings "${deps}/@duckdb/node-bindings-linux-x64")
if(DuckDB_SYSTEM_VERSION VERSION_GREATER_EQUAL 1.4 AND DuckDB_SYSTEM_VERSION VERSION_LESS 2)
  set(DuckDB_VERSION "${DuckDB_SYSTEM_VERSION}")
  set(DuckDB_LIBRARY "${DuckDB_SYSTEM_LIBRARY}")
  set(header "${DuckDB_SYSTEM_INCLUDE_DIR}/duckdb.h")
elseif(EXISTS "${bindings}/package.json")
  file(READ "${bindings}/package.json" package)
  string(JSON package GET "${package}" version)
  string(REGEX MATCH "^[0-9.]+" DuckDB_VERSION "${package}")  # 1.4.4 of 1.4.4-r.1
  file(REAL_PATH "${bindings}/libduckdb.so" DuckDB_LIBRARY)
  set(header "${deps}/duckdb/src/duckdb/src/include/duckdb.h")
endif()

# Beside duckdb.h both sources have C++ headers of DuckDB, which Weir does not use.
set(DuckDB_INCLUDE_DIR "")
if(header AND EXISTS "${header}")
  set(DuckDB_INCLUDE_DIR "${CMAKE_BINARY_DIR}/duckdb/include")
  file(MAKE_DIRECTORY "${DuckDB_INCLUDE_DIR}")
  file(COPY_FILE "${header}" "${DuckDB_INCLUDE_DIR}/duckdb.h" ONLY_IF_DIFFERENT)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(DuckDB
  REQUIRED_VARS DuckDB_LIBRARY DuckDB_INCLUDE_DIR
  VERSION_VAR DuckDB_VERSION
  REASON_FAILURE_MESSAGE "Run ./dev setup: it installs DuckDB into deps/.")

if(DuckDB_FOUND AND NOT TARGET DuckDB::Headers)
  add_library(DuckDB::Headers INTERFACE IMPORTED)
  set_target_properties(DuckDB::Headers PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${DuckDB_INCLUDE_DIR}")
endif()
