#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <utility>

#include "log/log_writer.h"
#include "log/sealing.h"
#include "store/compaction.h"
#include "store/event_table.h"
#include "store/query.h"
#include "store/rows_testing.h"

namespace weir::store {

using Variables = std::map<std::string, std::string>;

/// "2026-01-01T10:00:00.120000Z" of a time of that day, "10:00", and so many milliseconds more.
inline std::string time_at(const std::string& clock, int ms) {
  const auto start = *parse_rfc3339("2026-01-01T" + clock + ":00Z");
  return to_string(start + std::chrono::milliseconds(ms));
}

/// For tests: runs with known times, and what the recipes make of them.
class CookbookTest : public testing::Test {
 protected:
  /// Adds an event of a run, so many milliseconds after its clock. `rest`: further members.
  void event(int run, const std::string& pipeline, const std::string& clock, int ms,
             const std::string& type, const std::string& rest = "",
             const std::string& pipeline_type = "dag") {
    lines_ += R"({"timestamp":")" + time_at(clock, ms) + R"(","event_type":")" + type +
              R"(","level":"INFO","pipeline_type":")" + pipeline_type + R"(","pipeline_id":")" +
              pipeline + R"(","pipeline_version":"1","run_id":")" + id(run) + R"(","run_seq":)" +
              std::to_string(++seq_[{tenant_, run}]) +
              (tenant_.empty() ? "" : R"(,"tenant_id":")" + tenant_ + '"') + rest + "}\n";
    ++events_;
  }
  void begin(int run, const std::string& pipeline, const std::string& clock) {
    event(run, pipeline, clock, 0, "pipeline_started",
          R"(,"entry_nodes":[],"output_nodes":[],"node_count":4)");
  }
  void complete(int run, const std::string& pipeline, const std::string& clock, int ms) {
    event(run, pipeline, clock, ms, "pipeline_completed",
          R"(,"duration_ms":)" + std::to_string(ms) + R"(,"node_count":4,"output_node_ids":[])");
  }
  struct Node {
    std::string id;
    std::string plugin;
    int step;
    std::string before;  ///< a list: `"a","b"`
    int from_ms;
    int to_ms;
  };
  static std::string named(const std::string& node, const std::string& plugin, int step) {
    return R"(,"node_id":")" + node + R"(","plugin_id":")" + plugin +
           R"(","tool_id":"t","step_index":)" + std::to_string(step);
  }
  void start_node(int run, const std::string& clock, const Node& node) {
    event(run, "etl", clock, node.from_ms, "pipeline_node_started",
          named(node.id, node.plugin, node.step) + R"(,"predecessor_node_ids":[)" + node.before +
              "]");
  }
  void end_node(int run, const std::string& clock, const Node& node) {
    event(run, "etl", clock, node.to_ms, "pipeline_node_completed",
          named(node.id, node.plugin, node.step) + R"(,"duration_ms":)" +
              std::to_string(node.to_ms - node.from_ms) + R"(,"output_keys":[])");
  }
  /// a, then b and c beside each other, then d.
  void diamond(int run, const std::string& clock, int b_ms, int c_ms) {
    const int end = 120 + std::max(b_ms, c_ms);
    const Node a{"a", "sql", 0, "", 10, 110}, b{"b", "process", 1, R"("a")", 120, 120 + b_ms},
        c{"c", "sql", 2, R"("a")", 120, 120 + c_ms},
        d{"d", "file", 3, R"("b","c")", end + 10, end + 60};
    begin(run, "etl", clock);
    for (const auto* node : {&a, &b, &c, &d}) start_node(run, clock, *node);
    for (const auto* node : {&a, &b, &c, &d}) end_node(run, clock, *node);
    complete(run, "etl", clock, end + 80);
  }

  void commit() {
    log::LogWriter writer(store_, system_clock(), {.segment_bytes = std::uint64_t{1} << 24});
    ASSERT_TRUE(writer.commit(lines_, std::exchange(events_, 0)));
    lines_.clear();
    writer.close();
    ASSERT_TRUE(log::seal_finished(store_));
  }

  void commit_and_compact() {
    if (events_ > 0) commit();
    EXPECT_TRUE(compact(store_, {.keep = {}}));
  }

  /// A recipe's rows as JSON text, or the error: of what is committed, and of what is not yet.
  std::string answer(const std::string& name, const Variables& variables = {},
                     const std::string& columns = "*") {
    return query("SELECT " + columns + " FROM (" + recipe(name) + ")", variables);
  }
  static std::string recipe(const std::string& name) {
    const auto found = find_recipe(name);
    if (!found) return "no such recipe";
    return std::string(found->sql.substr(0, found->sql.rfind(';')));
  }
  std::string query(const std::string& sql, const Variables& variables = {}) {
    if (events_ > 0) commit();
    const auto views = open_views(store_, std::make_shared<BadPlaces>(),
                                  {.events = {.rollups = EventTableOptions::Rollups::kRead}});
    auto connection = views->database.connect();
    for (const auto& [variable, value] : variables) {
      EXPECT_TRUE(set_variable(*connection, variable, value));
    }
    return rows_text(*connection, sql);
  }

  static std::string id(int run) {
    const auto digits = std::to_string(1000 + run);
    return "019b8a2f-7c00-7000-8000-00000000" + digits;
  }

  const log::StoreDirectory store_ =
      *log::StoreDirectory::create(testing::TempDir() + "store-" + std::to_string(random_bits()));
  std::string tenant_;  ///< whose events are added
  std::string lines_;
  std::uint32_t events_ = 0;
  std::map<std::pair<std::string, int>, int> seq_;
};

}  // namespace weir::store
