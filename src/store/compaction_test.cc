#include "store/compaction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <span>

#include "base/file.h"
#include "record/recorder.h"
#include "store/compaction_testing.h"

namespace weir::store {
namespace {

using event::Field;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(CompactionTest, ChangesNoAnswer) {
  {
    record::Recorder recorder(store_);
    const auto run = *recorder.begin({.run_id = first_,
                                      .pipeline_type = "dag",
                                      .pipeline_id = "p",
                                      .pipeline_version = "1",
                                      .trace_id = TraceId::make()});
    const std::vector<std::string> none, keys = {"x", "y \"z\""};
    run->emit(event::Type::kPipelineStarted, {{Field::kEntryNodes, std::span(none)},
                                              {Field::kOutputNodes, std::span(keys)},
                                              {Field::kNodeCount, std::int64_t{2}}});
    run->emit(event::Type::kPipelineFailed, {{Field::kDurationMs, 8.25},
                                             {Field::kErrorType, std::string_view("E")},
                                             {Field::kErrorMessage, std::string_view("é\n")},
                                             {Field::kFailedNodeId, nullptr}});
  }
  write({line_of(second_, 1, R"(,"cache_hit":true,"attributes":{"a":[1,{"b":null}]})"),
         line_of(second_, 2, R"(,"tenant_id":"a/b","rows":-7)")});
  const auto before = sql_events();
  EXPECT_THAT(query("SELECT count(*) FROM events"), HasSubstr("4"));

  const auto done = compact();
  EXPECT_EQ(done.segments, 2U);
  EXPECT_EQ(done.events, 4U);
  EXPECT_THAT(done.left, IsEmpty());
  EXPECT_EQ(sql_events(), before);
  EXPECT_THAT(problems(), IsEmpty());
  EXPECT_THAT(*store_.segments(), SizeIs(2));  // for those who read them now

  EXPECT_EQ(compact(kRemoveAtOnce).removed_segments, 2U);
  EXPECT_THAT(*store_.segments(), IsEmpty());
  EXPECT_EQ(sql_events(), before);
  EXPECT_THAT(problems(), IsEmpty());
  EXPECT_EQ(compact().segments, 0U);
}

TEST_F(CompactionTest, SortsByRunAndPutsEachDateAndTenantIntoAPartOfItsOwn) {
  write({line_of(second_, 1, R"(,"message":"c")"), line_of(first_, 1, R"(,"message":"a")"),
         line_of(second_, 2, R"(,"message":"d")"),
         line_of(first_, 2, R"(,"message":"b")", "2026-11-29T00:00:00Z"),
         line_of(first_, 3, R"(,"tenant_id":"../x","message":"e")")});
  EXPECT_EQ(compact().parts, 3U);
  EXPECT_EQ(parts()[0].file, "date=2026-11-28/tenant=__HIVE_DEFAULT_PARTITION__/00000001.parquet");
  EXPECT_EQ(parts()[1].file, "date=2026-11-28/tenant=%2E.%2Fx/00000001.parquet");
  EXPECT_EQ(parts()[0].first_run, first_);
  EXPECT_EQ(parts()[0].last_run, second_);
  EXPECT_EQ(query("SELECT message FROM read_parquet(" + sql_string(part(0).string()) + ")"),
            R"([["a"],["c"],["d"]])");
  EXPECT_THAT(texts(), ElementsAre("a", "b", "e", "c", "d"));
}

TEST_F(CompactionTest, TakesSeveralBatchesWhenThereIsMoreThanMemoryShallHold) {
  std::vector<std::string> lines;
  for (int seq = 1; seq <= 20; ++seq) {
    lines.push_back(line_of(first_, seq, R"(,"message":")" + std::to_string(seq) + R"(")"));
  }
  write(lines, 1);
  const auto before = texts();
  EXPECT_EQ(compact({.batch_bytes = 4200}).parts, 4U);  // of five segments each
  EXPECT_EQ(texts(), before);
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(CompactionTest, HasNoMoreSegmentsInMemoryThanItShallOrTheLargestAlone) {
  std::vector<std::string> lines;
  for (int seq = 1; seq <= 12; ++seq) lines.push_back(line_of(first_, seq));
  write(lines, 1);  // a segment each, of some 300 bytes
  const auto largest = [&] {
    std::uint64_t bytes = 0;
    const auto paths = *store_.segments();
    for (const auto& path : paths) {
      bytes = std::max<std::uint64_t>(bytes, std::filesystem::file_size(path));
    }
    return bytes;
  };
  // Two are more than a third of it, and with the third that is read they would be too much.
  const auto two = 2 * largest() + 1;
  EXPECT_LE(compact({.batch_bytes = two}).most_bytes, two);

  write({line_of(second_, 1)});
  write({line_of(third_, 1, R"(,"message":")" + std::string(10'000, 'x') + '"')});
  write({line_of(second_, 2)});
  EXPECT_EQ(compact({.batch_bytes = 1000}).most_bytes, largest());
  EXPECT_EQ(query("SELECT count(*) FROM events"), "[[15]]");
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(CompactionTest, StopsABatchAtSoManyDatesAndTenants) {
  const auto tenant = [](char name) { return std::string(R"(,"tenant_id":")") + name + '"'; };
  for (int seq = 1; seq <= 4; ++seq) {  // three places each, one of them the same
    const auto at = static_cast<char>('a' + 2 * seq);
    write({line_of(first_, 3 * seq - 2), line_of(first_, 3 * seq - 1, tenant(at)),
           line_of(first_, 3 * seq, tenant(static_cast<char>(at + 1)))});
  }
  const auto before = sql_events();
  EXPECT_EQ(compact({.batch_places = 5}).parts, 10U);  // of two segments each
  EXPECT_THAT(log::read_manifest(store_)->batches(), SizeIs(2));
  EXPECT_EQ(sql_events(), before);
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(CompactionTest, TakesASegmentOfMoreDatesAndTenantsThanABatchShallHaveByItself) {
  std::vector<std::string> lines;
  for (int seq = 1; seq <= 40; ++seq) {  // each tenant again after all the others
    lines.push_back(line_of(first_, seq, R"(,"tenant_id":"t)" + std::to_string(seq % 20) + '"'));
  }
  write({line_of(second_, 1)});
  write(lines);
  const auto before = sql_events();
  EXPECT_EQ(compact({.batch_places = 5}).parts, 21U);
  EXPECT_THAT(log::read_manifest(store_)->batches(), SizeIs(2));
  EXPECT_EQ(sql_events(), before);
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(CompactionTest, LeavesWhatIsBeingWrittenAndWhatComesAfterItInARun) {
  log::LogWriter living(store_, system_clock());
  auto text = line_of(first_, 1, R"(,"message":"a")") + "\n";
  ASSERT_TRUE(living.commit(text, 1));
  write({line_of(first_, 2, R"(,"message":"b")")});
  write({line_of(second_, 1, R"(,"message":"c")")});
  const auto done = compact(kRemoveAtOnce);
  EXPECT_EQ(done.segments, 1U);
  ASSERT_THAT(done.left, SizeIs(1));
  EXPECT_EQ(done.left.front().reason, "an earlier segment of one of its runs stays");
  EXPECT_THAT(texts(), ElementsAre("c", "a", "b"));
  living.close();
  EXPECT_EQ(compact(kRemoveAtOnce).segments, 2U);
  EXPECT_THAT(texts(), ElementsAre("c", "a", "b"));
}

TEST_F(CompactionTest, LeavesADamagedSegmentAndSaysSo) {
  write({line_of(first_, 1), line_of(first_, 2)});
  write({line_of(second_, 1)});
  const auto path = store_.segments()->front();
  auto bytes = *read_file(path, kMaxFile);
  bytes[bytes.find("INFO")] = 'X';
  ASSERT_TRUE(write_file_durably(path, bytes));
  const auto done = compact(kRemoveAtOnce);
  EXPECT_EQ(done.segments, 1U);
  ASSERT_THAT(done.left, SizeIs(1));
  EXPECT_THAT(done.left.front().reason, HasSubstr("disagree"));
  EXPECT_TRUE(std::filesystem::exists(path));
  EXPECT_THAT(problems(), testing::Not(IsEmpty()));
}

TEST_F(CompactionTest, LeavesASegmentWithALineThatIsNoEventAndGoesOnWithTheOthers) {
  write({line_of(first_, 1)});
  auto no_event = line_of(second_, 1);
  no_event.replace(no_event.find("\"message\""), 9, "\"massage\"");
  write({no_event});
  write({line_of(second_, 2)});
  const auto third = RunId::make(system_clock().now());
  write({line_of(third, 1)});
  const auto done = compact(kRemoveAtOnce);
  EXPECT_EQ(done.segments, 2U);
  ASSERT_THAT(done.left, SizeIs(2));
  EXPECT_THAT(done.left[0].reason, HasSubstr("unknown field 'massage'"));
  EXPECT_EQ(done.left[1].reason, "an earlier segment of one of its runs stays");
  EXPECT_EQ(query("SELECT count(*) FROM events"), "[[3]]");
}

TEST_F(CompactionTest, TakesEveryLineForWhatItsEventSays) {
  // A key is said twice: the last one counts, and the line's beginning says something else.
  write({line_of(first_, 1, R"(,"run_seq":7)")});
  write({line_of(second_, 1, R"(,"timestamp":"2026-01-01T00:00:00Z")")});
  write({line_of(second_, 2, R"(,"component":"c","tenant_id":"late")")});
  const auto before = sql_events();
  const auto done = compact(kRemoveAtOnce);
  EXPECT_THAT(done.left, IsEmpty());
  EXPECT_EQ(sql_events(), before);
}

TEST_F(CompactionTest, LeavesOutForeignEventsWithAKeyThatWasThere) {
  const auto external = [&](int seq, const std::string& key) {
    auto line = line_of(first_, seq, R"(,"event_id":")" + key + R"(")");
    line.replace(line.find("dag"), 3, "external");
    return line;
  };
  write({external(1, "x"), external(2, "y"), external(3, "x")});
  EXPECT_EQ(compact().duplicates, 1U);
  EXPECT_EQ(query("SELECT run_seq FROM events ORDER BY 1"), "[[1],[2]]");
}

TEST_F(CompactionTest, KeepsSegmentsThatARegisteredCursorNeedsForADayAtTheMost) {
  write({line_of(first_, 1)}, 1);
  ASSERT_TRUE(log::write_cursor(store_, "shipper", {}));
  EXPECT_EQ(compact(kRemoveAtOnce).removed_segments, 0U);
  const auto writer = store_.segment_names()->front().writer;
  auto passed = kRemoveAtOnce;
  passed.keep_for_cursors = {};
  EXPECT_EQ(compact(passed).removed_segments, 1U);

  write({line_of(second_, 1)}, 1);
  auto little = kRemoveAtOnce;
  little.keep_bytes_for_cursors = 10;
  EXPECT_EQ(compact(little).removed_segments, 1U);
}

TEST_F(CompactionTest, RemovesSegmentsThatEveryRegisteredCursorHasPassed) {
  write({line_of(first_, 1)}, 1);
  const auto writer = store_.segment_names()->front().writer;
  ASSERT_TRUE(log::write_cursor(store_, "shipper", {{{writer, {.segment = 2, .offset = 0}}}}));
  EXPECT_EQ(compact(kRemoveAtOnce).removed_segments, 1U);
}

TEST_F(CompactionTest, GivesOneRunOfPartsAndSegmentsByItsId) {
  write({line_of(first_, 1), line_of(first_, 2)});
  compact(kRemoveAtOnce);
  write({line_of(first_, 3), line_of(second_, 1)});
  const auto of = [&](const RunId& run) {
    return query("SELECT run_seq FROM weir_events(run_id := '" + run.text() + "') ORDER BY 1");
  };
  EXPECT_EQ(of(first_), "[[1],[2],[3]]");
  EXPECT_EQ(of(second_), "[[1]]");
}

TEST_F(CompactionTest, TakesNothingFromQuestionsWithoutADatabase) {
  write({line_of(first_, 1, R"(,"message":"a")"), line_of(first_, 2, R"(,"message":"b")")});
  compact(kRemoveAtOnce);
  write({line_of(second_, 1, R"(,"message":"c")")});
  const auto entries = record::query_logs(all_events(store_), {.run_id = first_});
  ASSERT_TRUE(entries);
  EXPECT_THAT(entries->entries, SizeIs(2));
  EXPECT_EQ(entries->read.events, 3U);
  EXPECT_EQ(record::get_summary(all_events(store_))->total, 3U);
  EXPECT_EQ(record::get_summary(record::segments_of(store_))->total, 1U);
}

TEST_F(CompactionTest, IsDoneByOneAtATime) {
  write({line_of(first_, 1)});
  const auto other = *File::open_or_create(store_.compaction_lock());
  ASSERT_TRUE(*other.try_lock());
  const auto done = store::compact(store_);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kConflict);
}

TEST_F(CompactionTest, MergesSmallPartsAndChangesNoAnswer) {
  for (int seq = 1; seq <= 3; ++seq) {
    const auto text = R"(,"message":")" + std::to_string(seq) + R"(")";
    write({line_of(second_, seq, text), line_of(first_, seq, text)});
    if (seq == 2) write({line_of(third_, 1, R"(,"tenant_id":"x","message":"4")")});
    EXPECT_EQ(compact(kRemoveAtOnce).merged_parts, 0U);
  }
  const auto batches = log::read_manifest(store_)->batches();
  write({line_of(second_, 4, R"(,"message":"5")"), line_of(first_, 4, R"(,"message":"5")")});
  const auto before = sql_events();
  const auto done = compact(kRemoveAtOnce);
  EXPECT_EQ(done.merged_parts, 4U);
  EXPECT_EQ(done.merged_into, 1U);
  EXPECT_EQ(sql_events(), before);
  EXPECT_THAT(texts(), ElementsAre("1", "2", "3", "5", "1", "2", "3", "5", "4"));
  EXPECT_THAT(problems(), IsEmpty());
  const auto manifest = *log::read_manifest(store_);
  EXPECT_TRUE(std::ranges::equal(batches, std::span(manifest.batches()).first(3)));
  ASSERT_THAT(manifest.parts(), SizeIs(2));
  for (const auto& part : manifest.parts()) {
    EXPECT_EQ(part.batch, 1U);
    EXPECT_EQ(part.last_batch, 4U);
  }
  EXPECT_EQ(manifest.parts()[0].events, 8U);
  EXPECT_EQ(manifest.parts()[1].file, "date=2026-11-28/tenant=x/00000002.parquet")
      << "nothing to merge: the same file";
  EXPECT_EQ(query("SELECT run_seq FROM read_parquet(" + sql_string(part(0).string()) + ")"),
            "[[1],[2],[3],[4],[1],[2],[3],[4]]");
}

TEST_F(CompactionTest, LeavesOutForeignEventsWhoseKeyAnotherBatchHasWhenItMergesThem) {
  const auto external = [&](int seq, const std::string& rest) {
    auto line = line_of(first_, seq, rest);
    line.replace(line.find("dag"), 3, "external");
    return line;
  };
  auto three = kRemoveAtOnce;
  three.merge.fewest = 3;
  write({external(1, R"(,"event_id":"x")"), external(2, ""), line_of(second_, 1)});
  EXPECT_EQ(compact(three).duplicates, 0U);
  write({external(3, R"(,"event_id":"x")"), external(4, ""), line_of(second_, 2)});
  EXPECT_EQ(compact(three).duplicates, 0U);
  write({external(5, R"(,"idempotency_key":"x")"), external(6, ""), line_of(second_, 3)});
  const auto done = compact(three);
  EXPECT_EQ(done.merged_parts, 3U);
  EXPECT_EQ(done.duplicates, 2U);
  EXPECT_EQ(query("SELECT run_seq FROM events WHERE pipeline_type = 'external' ORDER BY 1"),
            "[[1],[2],[4],[6]]");
  EXPECT_EQ(query("SELECT count(*) FROM events"), "[[7]]");
}

TEST_F(CompactionTest, MergesAroundAPartThatIsDamaged) {
  auto two = kRemoveAtOnce;
  two.merge.fewest = 100;
  for (int seq = 1; seq <= 5; ++seq) {
    write({line_of(first_, seq, R"(,"message":")" + std::to_string(seq) + R"(")")});
    compact(two);
  }
  auto bytes = *read_file(part(2), kMaxFile);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  const auto damaged = part(2);
  ASSERT_TRUE(write_file_durably(damaged, bytes));
  two.merge.fewest = 2;
  const auto done = compact(two);
  EXPECT_EQ(done.merged_parts, 4U);
  EXPECT_EQ(done.merged_into, 2U);
  ASSERT_THAT(done.left_parts, SizeIs(1));
  EXPECT_THAT(done.left_parts[0].file, HasSubstr("00000003.parquet"));
  EXPECT_EQ(*read_file(damaged, kMaxFile), bytes);
  EXPECT_THAT(parts(), SizeIs(3));
  EXPECT_EQ(compact(two).merged_parts, 0U);
}

TEST_F(CompactionTest, MergesNothingWhoseSegmentsSomebodyMayReadStill) {
  CompactionOptions two{.merge = {.fewest = 2}};
  for (int seq = 1; seq <= 3; ++seq) {
    write({line_of(first_, seq)});
    EXPECT_EQ(compact(two).merged_parts, 0U);
  }
  two.keep = {};
  EXPECT_EQ(compact(two).merged_parts, 3U);
}

// ---- what may be wrong with parts and manifest
// ---------------------------------------------------

}  // namespace
}  // namespace weir::store
