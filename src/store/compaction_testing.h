#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "log/log_writer.h"
#include "log/manifest.h"
#include "log/sealing.h"
#include "store/compaction.h"
#include "store/event_table.h"
#include "store/query.h"
#include "store/rows_testing.h"
#include "store/verify.h"

/// For tests of what compaction keeps: a store, and who writes to it, compacts it and asks it.
namespace weir::store {

inline constexpr std::uint64_t kMaxFile = std::uint64_t{1} << 24;
inline const CompactionOptions kRemoveAtOnce{.keep = {}};

inline std::string line_of(const RunId& run, int seq, const std::string& rest = "",
                           const std::string& time = "2026-11-28T23:59:59.000001Z") {
  return R"({"timestamp":")" + time +
         R"(","event_type":"log","level":"INFO","pipeline_type":"dag","pipeline_id":"p",)"
         R"("pipeline_version":"1","run_id":")" +
         run.text() + R"(","run_seq":)" + std::to_string(seq) + rest +
         (rest.find("message") == std::string::npos ? R"(,"message":"m"})" : "}");
}

class CompactionTest : public testing::Test {
 protected:
  /// A process that writes these lines, a commit each, and ends.
  void write(const std::vector<std::string>& lines, std::uint64_t segment_bytes = kMaxFile) {
    log::LogWriter writer(store_, system_clock(), {.segment_bytes = segment_bytes});
    for (const auto& line : lines) {
      auto text = line + "\n";
      ASSERT_TRUE(writer.commit(text, 1));
    }
    writer.close();
    ASSERT_TRUE(log::seal_finished(store_));
  }

  CompactionReport compact(const CompactionOptions& options = {}) {
    auto done = store::compact(store_, options);
    EXPECT_TRUE(done) << done.error().message;
    return done ? *std::move(done) : CompactionReport();
  }

  /// All rows as JSON text, or the error.
  std::string query(const std::string& sql) {
    bad_ = std::make_shared<BadPlaces>();
    const auto views = open_views(store_, bad_);
    if (!views) return views.error().message;
    auto connection = views->database.connect();
    return rows_text(*connection, sql);
  }
  std::string sql_events() { return query("SELECT * FROM events ORDER BY run_id, run_seq"); }

  std::vector<std::string> texts() {
    std::vector<std::string> texts;
    const auto read = read_all(store_, [&](const event::EventView& event) -> Result<void> {
      texts.push_back(std::string(event.text(event::Field::kMessage)));
      return {};
    });
    EXPECT_TRUE(read && read->bad.empty());
    return texts;
  }

  std::vector<std::string> problems() { return verify(store_)->problems; }

  std::vector<log::Part> parts() { return log::read_manifest(store_)->parts(); }
  std::filesystem::path part(std::size_t index) { return store_.parts() / parts()[index].file; }

  const log::StoreDirectory store_ =
      *log::StoreDirectory::create(testing::TempDir() + "store-" + std::to_string(random_bits()));
  const RunId first_ = RunId::make(system_clock().now());
  const RunId second_ = RunId::make(system_clock().now() + std::chrono::seconds(1));
  const RunId third_ = RunId::make(system_clock().now() + std::chrono::seconds(2));
  std::shared_ptr<BadPlaces> bad_;
};

}  // namespace weir::store
