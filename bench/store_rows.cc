#include "bench/store_rows.h"

#include <sys/resource.h>

#include <cstdlib>
#include <future>
#include <string>

#include "bench/beside.h"
#include "bench/rows.h"
#include "bench/traffic.h"
#include "log/manifest.h"
#include "record/recorder.h"
#include "store/compaction.h"
#include "store/event_table.h"
#include "store/histogram_functions.h"
#include "store/part_reader.h"
#include "store/part_writer.h"
#include "store/query.h"

namespace weir::bench {
namespace {

double peak_mebibytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

std::vector<std::filesystem::path> parts_of(const log::StoreDirectory& store) {
  std::vector<std::filesystem::path> parts;
  const auto manifest = log::read_manifest(store);
  for (const auto& part : manifest->parts()) parts.push_back(store.parts() / part.file);
  return parts;
}

/// DuckDB alone: the same events, of Parquet files rather than of lines, sorted into one such file.
void measure_plain_sorting(const log::StoreDirectory& store, double events) {
  const auto cache = store.root() / "cache";
  const auto sorted = cache / "sorted.parquet";
  const auto database = store::Database::open_in_memory(
      {.threads = 2, .spill_folder = cache / "sorting", .spill_bytes = {}});
  auto connection = *database->connect();
  const auto start = SteadyClock::now();
  const auto done =
      connection.execute("COPY (SELECT * FROM " + store::raw_parts_sql(parts_of(store)) +
                         " ORDER BY run_id, run_seq) TO " + store::sql_string(sorted.string()) +
                         " " + std::string(store::kPartFormat));
  const auto seconds = seconds_since(start);
  std::error_code ignored;
  const auto bytes = static_cast<double>(std::filesystem::file_size(sorted, ignored));
  std::filesystem::remove(sorted, ignored);
  if (!done) {
    std::printf("      %s\n", done.error().message.c_str());
    return;
  }
  print_note("  DuckDB, from the same files to a sorted one", events / seconds / 1e6, "M events/s");
  print_note("    bytes an event", bytes / events, "");
}

void measure_compaction(const log::StoreDirectory& store) {
  const auto start = SteadyClock::now();
  const auto done = store::compact(store);
  const auto seconds = seconds_since(start);
  if (!done) {
    std::printf("      %s\n", done.error().message.c_str());
    return;
  }
  const auto events = static_cast<double>(done->events);
  print_row("compaction to sorted Parquet", events / seconds / 1e6, "M events/s", 0.4, true);
  print_row("  bytes an event in parts", static_cast<double>(done->part_bytes) / events, "bytes",
            32, false);
  print_note("  bytes an event in segments", static_cast<double>(done->segment_bytes) / events, "");
  print_note("  events", events / 1e6, "M");
  print_note("  parts", static_cast<double>(done->parts), "");
  // Once nobody reads the segments any more, small parts become large ones.
  const auto merging = SteadyClock::now();
  const auto merged = store::compact(store, {.keep = {}});
  if (!merged) {
    std::printf("      %s\n", merged.error().message.c_str());
    return;
  }
  print_note("  merging them afterwards", events / seconds_since(merging) / 1e6, "M events/s");
  print_note("  parts then", static_cast<double>(merged->merged_into), "");
  print_note("  memory, at most", peak_mebibytes(), "MiB");
  measure_plain_sorting(store, events);
}

/// A run by its id, as Weir finds it, and as DuckDB does alone in the same files.
void measure_lookup(const log::StoreDirectory& store, store::Connection& ours,
                    const std::vector<RunId>& runs) {
  const auto database = store::Database::open_in_memory();
  auto plain = *database->connect();
  if (!plain.execute("SET GLOBAL parquet_metadata_cache = true")) return;
  const auto files = store::raw_parts_sql(parts_of(store));
  const auto lookup = [&](store::Connection& connection, const auto& rows_of) {
    std::size_t next = 0;
    return median_of(15, [&] {
      next += runs.size() / 16;
      return milliseconds_of(connection,
                             "SELECT * FROM " + rows_of(runs[next].text()) + " ORDER BY run_seq");
    });
  };
  print_row(
      "one run out of 10 M events",
      lookup(ours, [](const std::string& run) { return "weir_events(run_id := '" + run + "')"; }),
      "ms", 20, false);
  print_note(
      "  DuckDB over the same files",
      lookup(plain,
             [&](const std::string& run) { return files + " WHERE run_id = '" + run + "'"; }),
      "ms");
}

/// The recipes over the events as Weir gives them, and over the same Parquet files alone.
void measure_cookbook(const log::StoreDirectory& store, store::Connection& ours) {
  const auto parts = parts_of(store);
  auto database = store::Database::open_in_memory();
  auto plain = *database->connect();
  if (!plain.execute(
          "SET GLOBAL parquet_metadata_cache = true; CREATE MACRO weir_events() AS TABLE "
          "SELECT * FROM " +
          store::parts_sql(parts) +
          "; CREATE MACRO weir_unrolled() AS TABLE FROM weir_events(); CREATE MACRO "
          "weir_rolled_minutes() AS TABLE SELECT NULL::TIMESTAMP AS time, NULL::VARCHAR AS node_id "
          "WHERE false; CREATE MACRO "
          "weir_rolled_hours() AS TABLE SELECT NULL::TIMESTAMP AS time, NULL::VARCHAR AS node_id "
          "WHERE false") ||
      !store::add_histogram_functions(plain) || !store::create_views(plain)) {
    return;
  }
  for (const auto& recipe : store::cookbook()) {
    const auto sql = std::string(recipe.sql);
    const auto once = [&](store::Connection& connection) {
      return median_of(3, [&] { return milliseconds_of(connection, sql); }) / 1e3;
    };
    const auto what = "cookbook: " + std::string(recipe.name);
    if (is_dashboard(recipe)) {
      print_row((what + ", of rollups").c_str(), once(ours) * 1e3, "ms", kDashboardMs, false);
      continue;
    }
    print_row(what.c_str(), once(ours), "s", 1, false);
    print_note("  DuckDB over the same files", once(plain), "s");
  }
}

}  // namespace

std::uint64_t wanted_events() {
  const char* text = std::getenv("WEIR_BENCH_EVENTS");
  return text == nullptr ? 10'000'000 : std::strtoull(text, nullptr, 10);
}

std::vector<RunId> fill(const log::StoreDirectory& store, std::uint64_t count) {
  record::Recorder recorder(store);
  Traffic traffic;
  for (std::uint64_t events = 0; events < count;) events += traffic.run(recorder);
  return traffic.runs();
}

bool is_dashboard(const store::Recipe& recipe) {
  return recipe.sql.find("FROM rollup_") != std::string_view::npos;
}

double milliseconds_of(store::Connection& connection, const std::string& sql) {
  const auto start = SteadyClock::now();
  auto rows = connection.query(sql);
  if (!rows) {
    std::printf("      %s\n", rows.error().message.c_str());
    return 1e9;
  }
  while (rows->next() != nullptr) {
  }
  return seconds_since(start) * 1e3;
}

void measure_store() {
  measure_recording_beside_others();
  const ScratchStore scratch;
  const auto runs = fill(scratch.store, wanted_events());
  print_note("runs in the store", static_cast<double>(runs.size()), "");
  measure_compaction(scratch.store);

  const auto bad = std::make_shared<store::BadPlaces>();
  const auto start = SteadyClock::now();
  const auto views = store::open_views(
      scratch.store, bad, {.events = {.rollups = store::EventTableOptions::Rollups::kRead}});
  auto connection = *views->database.connect();
  print_note("opening the views", seconds_since(start) * 1e3, "ms");
  measure_lookup(scratch.store, connection, runs);
  measure_cookbook(scratch.store, connection);
  print_row("memory of all of it, at most", peak_mebibytes(), "MiB", 1024, false);
}

}  // namespace weir::bench
