#include "store/collection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "artifact/artifact_store.h"
#include "base/file.h"
#include "base/troubled_files.h"
#include "log/log_writer.h"
#include "log/manifest.h"
#include "log/run_lock.h"
#include "log/seal_chain.h"
#include "log/sealing.h"
#include "store/compaction.h"
#include "store/event_table.h"
#include "store/query.h"
#include "store/verify.h"

namespace weir::store {
namespace {

using event::Field;
using std::chrono::days;
using std::chrono::hours;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint64_t kMaxFileRead = std::uint64_t{1} << 24;

struct TestClock final : Clock {
  [[nodiscard]] Timestamp now() const override { return time; }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override {
    return time.time_since_epoch();
  }
  Timestamp time = *parse_rfc3339("2026-11-29T12:00:00Z");
};

/// A store whose events are all in parts.
class CollectionTest : public testing::Test {
 protected:
  /// An event of a run that has ended, or will not end.
  std::string line_of(const RunId& run, int seq, std::chrono::microseconds age,
                      const std::string& rest = "") {
    return R"({"timestamp":")" + to_string(clock_.time - age) +
           R"(","event_type":"log","level":"INFO","pipeline_type":"dag","pipeline_id":"p",)"
           R"("pipeline_version":"1","run_id":")" +
           run.text() + R"(","run_seq":)" + std::to_string(seq) + rest + R"(,"message":")" +
           names_[run] + std::to_string(seq) + "\"}";
  }
  std::string audit_of(const RunId& run, const std::string& operation, const RunId& target,
                       std::chrono::microseconds age, int seq = 1) {
    return R"({"timestamp":")" + to_string(clock_.time - age) +
           R"(","event_type":"audit","level":"INFO","pipeline_type":"external",)"
           R"("pipeline_id":"weir","pipeline_version":"1","run_id":")" +
           run.text() + R"(","run_seq":)" + std::to_string(seq) + R"(,"component":"audit",)" +
           R"("operation":")" + operation + R"(","target_run_id":")" + target.text() +
           R"(","actor_id":"me"})";
  }
  RunId run(const std::string& name, std::chrono::microseconds age) {
    const auto id = RunId::make(clock_.time - age);
    names_[id] = name;
    return id;
  }

  void write(const std::vector<std::string>& lines) {
    log::LogWriter writer(store_, clock_, {});
    std::string text;
    for (const auto& line : lines) text += line + "\n";
    ASSERT_TRUE(writer.commit(text, lines.size()));
    writer.close();
    ASSERT_TRUE(log::seal_finished(store_));
  }
  void compact() {
    const auto done = store::compact(store_, {.keep = {}, .clock = clock_});
    ASSERT_TRUE(done) << done.error().message;
  }
  void write_part(const std::vector<std::string>& lines) {
    write(lines);
    compact();
  }

  CollectionReport collect(CollectionOptions options) {
    auto done = store::collect(store_, options);
    EXPECT_TRUE(done) << done.error().message;
    return done ? *std::move(done) : CollectionReport();
  }
  CollectionReport collect(const RetentionRules& rules = {}) {
    return collect({.rules = rules, .keep = {}, .clock = clock_});
  }

  std::string query(const std::string& sql) {
    bad_ = std::make_shared<BadPlaces>();
    const auto views =
        open_views(store_, bad_, {.events = {.rollups = EventTableOptions::Rollups::kRead}});
    if (!views) return views.error().message;
    auto connection = views->database.connect();
    auto rows = connection->query(sql);
    if (!rows) return rows.error().message;
    std::string all;
    while (const auto* row = rows->next()) all += *row->front().string() + " ";
    return all;
  }
  /// What every way of reading says.
  std::string events() {
    const auto sql = query("SELECT message FROM events WHERE message IS NOT NULL ORDER BY 1");
    std::vector<std::string> read;
    EXPECT_TRUE(read_all(store_, [&](const event::EventView& event) -> Result<void> {
      if (event.has(Field::kMessage)) read.emplace_back(event.text(Field::kMessage));
      return {};
    }));
    std::ranges::sort(read);
    std::string text;
    for (const auto& one : read) text += one + " ";
    EXPECT_EQ(text, sql);
    read.clear();
    EXPECT_TRUE(read_newest_of_parts(store_, manifest(), {},
                                     [&](const event::EventView& event, std::string_view) {
                                       if (event.has(Field::kMessage)) {
                                         read.emplace_back(event.text(Field::kMessage));
                                       }
                                       return true;
                                     }));
    if (store_.segments()->empty()) {
      std::ranges::sort(read);
      std::string newest;
      for (const auto& one : read) newest += one + " ";
      EXPECT_EQ(newest, sql);
    }
    return sql;
  }

  std::vector<std::string> problems() { return verify(store_)->problems; }
  log::Manifest manifest() { return *log::read_manifest(store_); }
  std::vector<std::string> files() {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(store_.parts())) {
      if (entry.is_regular_file()) files.push_back(entry.path().filename());
    }
    std::ranges::sort(files);
    return files;
  }

  TestClock clock_;
  std::map<RunId, std::string> names_;
  const log::StoreDirectory store_ =
      *log::StoreDirectory::create(testing::TempDir() + "store-" + std::to_string(random_bits()));
  std::shared_ptr<BadPlaces> bad_;
};

TEST_F(CollectionTest, GoesOnBesideASegmentInWhichNothingIsAnEvent) {
  const auto old = run("old", std::chrono::days(40)), damaged = run("damaged", {});
  write_part({line_of(old, 1, std::chrono::days(40))});
  write({line_of(damaged, 1, {}, R"(,"no_field":1)")});
  EXPECT_EQ(collect().runs.size(), 1U);
  EXPECT_EQ(events(), "");
}

TEST_F(CollectionTest, ForgetsSumsThatAreOlderThanMetricsAreKept) {
  const auto old = run("old", std::chrono::days(100)),
             recent = run("recent", std::chrono::days(60));
  write_part({line_of(old, 1, std::chrono::days(100)), line_of(recent, 1, std::chrono::days(60))});
  EXPECT_EQ(collect().runs.size(), 2U);
  EXPECT_EQ(query("SELECT sum(events)::VARCHAR FROM rollup_hours"), "1 ");
  RetentionRules rules;
  rules.tenants["somebody"].metrics = std::chrono::days(200);
  rules.metrics = std::chrono::days(1);
  collect(rules);
  EXPECT_EQ(query("SELECT sum(events)::VARCHAR FROM rollup_hours"), "1 ");
  rules.tenants.clear();
  collect(rules);
  EXPECT_EQ(query("SELECT count(*)::VARCHAR FROM rollup_hours"), "0 ");
}

TEST_F(CollectionTest, DeletesAPartOfWhichNothingIsLeftAndRewritesOneOfWhichSomethingIs) {
  const auto a = run("a", days(40)), b = run("b", days(40)), c = run("c", days(2));
  write_part({line_of(a, 1, days(40)), line_of(b, 1, days(40)), line_of(b, 2, days(39)),
              line_of(c, 1, days(39) + hours(1))});
  write_part({line_of(c, 2, days(2))});
  const auto before = manifest();
  const auto done = collect();
  EXPECT_THAT(done.runs, SizeIs(2));
  EXPECT_EQ(done.events, 3U);
  EXPECT_EQ(done.kept_runs, 1U);
  EXPECT_EQ(done.removed_parts, 1U);
  EXPECT_EQ(done.rewritten_parts, 1U);
  EXPECT_EQ(events(), "c1 c2 ");
  EXPECT_THAT(problems(), IsEmpty());
  EXPECT_EQ(manifest().batches(), before.batches());
  const auto after = manifest();
  for (const auto& part : after.parts()) EXPECT_THAT(part.dead, IsEmpty());
  EXPECT_THAT(files(), SizeIs(2));
}

TEST_F(CollectionTest, ShowsNoRunThatIsDeletedInAPartThatIsStillThere) {
  const auto a = run("a", days(40)), b = run("b", days(1));
  write_part({line_of(a, 1, days(2)), line_of(b, 1, days(2))});
  auto parts = manifest().parts();
  ASSERT_THAT(parts, SizeIs(1));
  parts[0].dead = {a};
  ASSERT_TRUE(log::write_manifest(store_, manifest().with_parts(parts, clock_.time)));
  EXPECT_EQ(events(), "b1 ");
  EXPECT_EQ(query("SELECT message FROM weir_events(run_id := '" + a.text() + "')"), "");
  std::uint64_t read = 0;
  const auto count = [&](const event::EventView&) -> Result<void> {
    ++read;
    return {};
  };
  ASSERT_TRUE(read_run(store_, a, count));
  ASSERT_TRUE(read_mentions(store_, a, count));
  EXPECT_EQ(read, 0U);
  // What comes later of it is there.
  write({line_of(a, 2, days(0))});
  EXPECT_EQ(events(), "a2 b1 ");
  compact();
  EXPECT_EQ(events(), "a2 b1 ");
  EXPECT_EQ(collect().rewritten_parts, 1U) << "what somebody who was stopped has left";
  EXPECT_EQ(events(), "a2 b1 ");
}

TEST_F(CollectionTest, SaysWhatItWouldDoAndDoesNothing) {
  const auto a = run("a", days(40));
  write_part({line_of(a, 1, days(40))});
  const auto before = manifest();
  EXPECT_THAT(collect({.dry_run = true, .clock = clock_}).runs, SizeIs(1));
  EXPECT_EQ(manifest(), before);
  EXPECT_EQ(events(), "a1 ");
}

TEST_F(CollectionTest, SparesWhatIsOwnedOrNotWhollyInParts) {
  const auto owned = run("owned", days(40)), late = run("late", days(40));
  write_part({line_of(owned, 1, days(40)), line_of(late, 1, days(40))});
  write({line_of(late, 2, days(35))});
  const auto lock = *log::RunLock::take(store_, owned);
  const auto done = collect();
  EXPECT_THAT(done.runs, IsEmpty());
  ASSERT_THAT(done.spared, SizeIs(2));
  EXPECT_EQ(events(), "late1 late2 owned1 ");
}

TEST_F(CollectionTest, JudgesForeignRunsByWhenTheyArrived) {
  const auto a = run("a", days(1)), b = run("b", days(1));
  const auto foreign = [&](const RunId& run, std::chrono::microseconds arrived) {
    const auto number = (clock_.time - arrived).time_since_epoch().count();
    auto line = line_of(run, 1, days(40));
    line.replace(line.find("dag"), 3, "external");
    line.replace(line.find("run_seq\":1") + 9, 1, std::to_string(number));
    return line;
  };
  write_part({foreign(a, days(31)), foreign(b, days(2))});
  EXPECT_THAT(collect().runs, SizeIs(1));
  EXPECT_EQ(events(), "b1 ");
}

TEST_F(CollectionTest, KeepsAHeldRunAndTheHoldItself) {
  const auto a = run("a", days(400)), b = run("b", days(400));
  const auto audit = run("audit", days(400)), later = run("later", days(399));
  write_part({line_of(a, 1, days(400)), line_of(b, 1, days(400)),
              audit_of(audit, "hold", a, days(400)), audit_of(audit, "hold", b, days(400), 2),
              audit_of(later, "release", b, days(399))});
  EXPECT_THAT(collect().runs, SizeIs(2));
  EXPECT_EQ(events(), "a1 ");
  EXPECT_EQ(collect().kept_runs, 2U);
  EXPECT_EQ(query("SELECT operation FROM events WHERE event_type = 'audit' AND operation = 'hold' "
                  "AND target_run_id = '" +
                  a.text() + "'"),
            "hold ");
}

TEST_F(CollectionTest, KeepsAReviewWhileARunThatHasWrittenTheContentStays) {
  const auto old = run("old", days(100)), held = run("held", days(100)),
             young = run("young", days(1));
  const auto reviews = run("reviews", days(100)), others = run("others", days(99)),
             hold = run("hold", days(100));
  const auto kept = [](char hash) {
    return R"(,"artifact_path":"a","artifact_sha256":")" + std::string(64, hash) + '"';
  };
  const auto written = [&](const RunId& by, std::chrono::microseconds age, char hash) {
    auto line = line_of(by, 1, age, kept(hash) + R"(,"written_bytes":1)");
    return line.replace(line.find("\"log\""), 5, "\"artifact_written\"");
  };
  const auto reviewed = [&](const RunId& in, const RunId& target, char hash, int seq = 1) {
    auto line = audit_of(in, "", target, days(99), seq);
    line.insert(line.size() - 1, kept(hash) + R"(,"outcome":"approved")");
    line.replace(line.find(R"("operation":"",)"), 15, "");
    return line.replace(line.find("\"audit\""), 7, "\"artifact_reviewed\"");
  };
  // Of what a held run has written, and of what the deleted one and a young one have.
  write_part({written(old, days(100), 'b'), written(held, days(100), 'a'),
              audit_of(hold, "hold", held, days(100)), reviewed(reviews, held, 'a'),
              reviewed(others, old, 'b')});
  write_part({written(young, days(1), 'b')});
  const auto judged = [&] {
    return query(
        "SELECT substr(artifact_sha256, 1, 1) || review FROM artifacts WHERE review IS NOT NULL "
        "ORDER BY 1");
  };
  const auto done = collect();
  EXPECT_THAT(done.runs, SizeIs(1));
  EXPECT_THAT(done.spared, SizeIs(4));
  EXPECT_EQ(judged(), "aapproved bapproved ");

  clock_.time += days(30);  // nobody has the second content any more
  EXPECT_THAT(collect().runs, SizeIs(2));
  EXPECT_EQ(judged(), "aapproved ");
  EXPECT_EQ(query("SELECT artifact_sha256 FROM events WHERE event_type = 'artifact_reviewed'"),
            std::string(64, 'a') + " ");
}

TEST_F(CollectionTest, KeepsAReviewOfWhatIsInASegmentStill) {
  const auto young = run("young", days(1)), reviews = run("reviews", days(100));
  const auto hash = R"(,"artifact_path":"a","artifact_sha256":")" + std::string(64, 'a') + '"';
  auto review = audit_of(reviews, "x", run("gone", days(100)), days(99));
  review.replace(review.find("\"audit\""), 7, "\"artifact_reviewed\"");
  review.replace(review.find(R"(,"operation":"x")"), 16, "");
  review.insert(review.size() - 1, hash + R"(,"outcome":"approved")");
  write_part({review});
  auto written = line_of(young, 1, days(1), hash + R"(,"written_bytes":1)");
  write({written.replace(written.find("\"log\""), 5, "\"artifact_written\"")});
  EXPECT_THAT(collect().runs, IsEmpty());
  EXPECT_EQ(query("SELECT review FROM artifacts"), "approved ");
}

TEST_F(CollectionTest, TellsAuditsAndMetricsFromOperations) {
  const auto audit = run("audit", days(60)), metrics = run("metrics", days(60)),
             other = run("other", days(60));
  auto metric = audit_of(metrics, "", other, days(60));
  metric = line_of(metrics, 1, days(60), R"(,"attributes":{"name":"n","value":1})");
  metric.replace(metric.find("\"log\""), 5, "\"metric\"");
  metric.replace(metric.find("dag"), 3, "external");
  write_part({audit_of(audit, "login", other, days(60)), metric, line_of(other, 1, days(60))});
  const auto done = collect();
  ASSERT_THAT(done.runs, SizeIs(1));
  EXPECT_EQ(done.runs[0].run, other);
  clock_.time += days(30);
  EXPECT_THAT(collect().runs, SizeIs(2));
}

TEST_F(CollectionTest, LeavesADamagedPartAndTheRunsInItAndGoesOn) {
  const auto a = run("a", days(50)), b = run("b", days(40));
  write_part({line_of(a, 1, days(50), R"(,"tenant_id":"x")")});
  write_part({line_of(b, 1, days(40), R"(,"tenant_id":"y")")});
  const auto damaged = store_.parts() / manifest().parts()[0].file;
  auto bytes = *read_file(damaged, kMaxFileRead);
  bytes[bytes.size() / 3] = static_cast<char>(bytes[bytes.size() / 3] ^ 1);
  ASSERT_TRUE(write_file_durably(damaged, bytes));
  const auto done = collect();
  ASSERT_THAT(done.left, SizeIs(1));
  EXPECT_THAT(done.left[0].file, HasSubstr("tenant=x"));
  EXPECT_EQ(done.removed_parts, 1U);
  EXPECT_EQ(*read_file(damaged, kMaxFileRead), bytes);
}

TEST_F(CollectionTest, KeepsTheFilesOfRetiredPartsForThoseWhoReadThem) {
  const auto a = run("a", days(40));
  write_part({line_of(a, 1, days(40))});
  const auto file = store_.parts() / manifest().parts()[0].file;
  collect({.clock = clock_});
  EXPECT_EQ(events(), "");
  EXPECT_TRUE(std::filesystem::exists(file));
  ASSERT_THAT(manifest().retired(), SizeIs(1));
  EXPECT_THAT(problems(), IsEmpty());
  clock_.time += kKeepForReaders;
  ASSERT_TRUE(store::compact(store_, {.clock = clock_}));
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST_F(CollectionTest, RemovesArtifactsThatOnlyDeletedRunsHaveNamed) {
  const artifact::ArtifactStore artifacts(store_.artifacts());
  const auto mine = *artifacts.put("mine"), shared = *artifacts.put("shared"),
             inner = *artifacts.put("inner"), young = *artifacts.put("young");
  const auto outer = *artifacts.put(R"({"artifact":")" + inner.text() + "\"}");
  for (const auto& hash : {mine, shared, inner, outer}) {
    std::filesystem::last_write_time(
        artifacts.path_of(hash),
        std::filesystem::file_time_type::clock::now() - std::chrono::days(3));
  }
  clock_.time = system_clock().now();
  const auto a = run("a", days(40)), b = run("b", days(1));
  const auto named = [](const Sha256& hash) {
    return R"(,"output_sha256":")" + hash.text() + "\"";
  };
  write_part({line_of(a, 1, days(40), named(mine)), line_of(a, 2, days(40), named(shared)),
              line_of(a, 3, days(40), named(inner)), line_of(a, 4, days(40), named(young)),
              line_of(b, 1, days(1), R"(,"attributes":{"x":")" + shared.text() + "\"}"),
              line_of(b, 2, days(1), named(outer))});
  const auto done = collect();
  EXPECT_EQ(done.artifacts, 1U);
  EXPECT_FALSE(std::filesystem::exists(artifacts.path_of(mine)));
  for (const auto& hash : {shared, inner, outer, young}) {
    EXPECT_TRUE(std::filesystem::exists(artifacts.path_of(hash)));
  }
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(CollectionTest, LeavesATombstoneInTheChainThatNamesBothHashes) {
  const auto a = run("a", days(40)), b = run("b", days(1));
  write_part({line_of(a, 1, days(2)), line_of(b, 1, days(2) - hours(1))});
  const auto old = manifest().parts()[0].sha256;
  collect({.operations = days(2)});
  const auto chain = *log::SealChain::read(store_);
  EXPECT_THAT(chain.manifest()->removed, ElementsAre(old));
  EXPECT_THAT(chain.manifest()->added, ElementsAre(manifest().parts()[0].sha256));
  EXPECT_THAT(problems(), IsEmpty());
  EXPECT_EQ(events(), "b1 ");
}

/// A disk on which nothing has room but where the reserve was.
struct FullButForTheReserve final : TroubledFiles {
  int unlink(const char* path) override {
    if (std::string_view(path).ends_with("/reserve")) full = false;
    return TroubledFiles::unlink(path);
  }
};

TEST_F(CollectionTest, GivesUpTheReserveOnAFullDiskAndRemovesFilesAtOnce) {
  const auto a = run("a", days(40)), b = run("b", days(40));
  write_part({line_of(a, 1, days(40))});
  const auto file = store_.parts() / manifest().parts()[0].file;
  const auto reserve = store_.root() / "reserve";
  ASSERT_TRUE(std::filesystem::exists(reserve));
  FullButForTheReserve files;
  files.full = true;
  const auto store = *log::StoreDirectory::open(store_.root(), files);
  const auto done = store::collect(store, {.clock = clock_});
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_THAT(done->runs, SizeIs(1));
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_TRUE(std::filesystem::exists(reserve)) << "made again";
  EXPECT_THAT(problems(), IsEmpty());

  write_part({line_of(b, 1, days(40))});
  std::filesystem::remove(reserve);
  files.full = true;
  EXPECT_EQ(store::collect(store, {.clock = clock_}).error().code, ErrorCode::kExhausted);
  EXPECT_EQ(events(), "b1 ");
}

TEST_F(CollectionTest, IsDueOnceADay) {
  EXPECT_TRUE(is_collection_due(store_, clock_));
  collect();
  EXPECT_FALSE(is_collection_due(store_, clock_));
  clock_.time += hours(24);
  EXPECT_TRUE(is_collection_due(store_, clock_));
}

TEST(Manifest, OfVersion1IsReadAndWrittenAsItWas) {
  const std::string part =
      R"({"file":"date=2026-11-28/tenant=a/00000001.parquet","date":"2026-11-28","tenant":"a",)"
      R"("batch":1,"events":1,"bytes":10,"sha256":")" +
      std::string(64, 'a') + R"(","first_run":"019b8a2f-7c00-7000-8000-000000000001",)" +
      R"("last_run":"019b8a2f-7c00-7000-8000-000000000001"})";
  auto text = R"({"manifest":{"version":1,"number":1,"batches":[{"number":1,)"
              R"("at":"2026-11-29T00:00:00.000000Z","segments":{}}],"parts":[)" +
              part + "]}";
  char check[32];
  std::snprintf(check, sizeof check, R"(,"crc32c":"%08x"})", crc32c(text));
  text += check;
  const auto manifest = log::Manifest::parse(text);
  ASSERT_TRUE(manifest) << manifest.error().message;
  EXPECT_EQ(manifest->text(), text);
  EXPECT_EQ(manifest->parts()[0].last_batch, 1U);
  const auto next = manifest->with_parts(manifest->parts(), Timestamp());
  EXPECT_THAT(next.text(), HasSubstr(R"("version":2,"number":2)"));
  EXPECT_EQ(*log::Manifest::parse(next.text()), next);
  const auto none = next.with_parts({}, Timestamp());
  EXPECT_EQ(none.retired()[0].file, manifest->parts()[0].file);
  EXPECT_EQ(*log::Manifest::parse(none.text()), none);
}

}  // namespace
}  // namespace weir::store
