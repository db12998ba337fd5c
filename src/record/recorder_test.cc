#include "record/recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/troubled_files.h"
#include "event/decoder.h"
#include "log/segment.h"
#include "log/verify.h"
#include "record/recorded_events.h"

namespace weir::record {
namespace {

using event::Field;
using event::Type;
using testing_support::committed_lines;
using testing_support::emit_message;
using testing_support::fresh_store;
using testing_support::some_run;

TEST(Recorder, WritesAnEventWithAllItsFieldsInTheOrderOfTheCatalogue) {
  const auto store = fresh_store();
  const auto fields = some_run();
  {
    Recorder recorder(store);
    const auto run = *recorder.begin(fields);
    const std::vector<std::string> keys = {"a", "b\"c"};
    run->emit(Type::kNodeCompleted, {{Field::kAttributes, event::ObjectText{R"({"x":1})"}},
                                     {Field::kNodeId, std::string_view("n")},
                                     {Field::kPluginId, std::string_view("p")},
                                     {Field::kToolId, std::string_view("t\xff")},
                                     {Field::kStepIndex, std::int64_t{3}},
                                     {Field::kDurationMs, 1.25},
                                     {Field::kCacheHit, true},
                                     {Field::kOutputKeys, std::span(keys)}});
  }
  const auto lines = committed_lines(store);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_THAT(
      lines[0],
      testing::EndsWith(
          R"("level":"INFO","pipeline_type":"dag","pipeline_id":"p","pipeline_version":"1","run_id":")" +
          fields.run_id.text() + R"(","run_seq":1,"trace_id":")" + fields.trace_id.text() +
          R"(","node_id":"n","plugin_id":"p","tool_id":"t)"
          "\xEF\xBF\xBD"
          R"(","step_index":3,"duration_ms":1.25,"output_keys":["a","b\"c"],"cache_hit":true,"attributes":{"x":1}})"));
  event::Decoder decoder;
  EXPECT_TRUE(decoder.decode(lines[0]));
}

TEST(Recorder, MasksBeforeItWritesAndSaysHowOftenWhichRule) {
  const auto store = fresh_store();
  Recorder recorder(store);
  const auto run = *recorder.begin(some_run());
  run->emit(Type::kLog, {{Field::kNodeId, std::string_view("ann@example.org")},
                         {Field::kMessage, std::string_view("mail from ann@example.org to "
                                                            "bob@example.org, password=hunter22")},
                         {Field::kAttributes, event::ObjectText{R"({"api_key":"abc","n":1})"}}});
  ASSERT_TRUE(run->flush());
  const auto line = committed_lines(store).at(0);
  EXPECT_THAT(line, testing::HasSubstr(R"("node_id":"ann@example.org")"));  // an id is an id
  EXPECT_THAT(
      line,
      testing::EndsWith(
          R"("message":"mail from [REDACTED:email] to [REDACTED:email], password=[REDACTED:named_secret]",)"
          R"("attributes":{"redacted":{"named_secret":2,"email":2},"api_key":"[REDACTED:named_secret]","n":1}})"));
  EXPECT_EQ(recorder.statistics().redacted, 4U);
}

TEST(Recorder, MasksWhatARunSaysOnEveryLineAndCountsItOnce) {
  const auto store = fresh_store();
  const auto token = "ghp_" + std::string(36, 'a') + "4B";
  auto fields = some_run();
  fields.pipeline_id = "of " + token;
  fields.pipeline_version = token;
  fields.correlation.request_id = token;
  fields.correlation.user_id = "ann@example.org";  // an id is an id
  Recorder recorder(store);
  const auto run = *recorder.begin(fields);
  emit_message(*run, "password=hunter22");
  emit_message(*run, "clean");
  emit_message(*run, "password=hunter22");
  ASSERT_TRUE(run->flush());
  const auto lines = committed_lines(store);
  ASSERT_EQ(lines.size(), 3U);
  for (const auto& line : lines) {
    EXPECT_THAT(line, testing::Not(testing::HasSubstr("ghp_")));
    EXPECT_THAT(line, testing::HasSubstr(R"("pipeline_id":"of [REDACTED:github_token]")"));
    EXPECT_THAT(line, testing::HasSubstr(R"("request_id":"[REDACTED:github_token]")"));
    EXPECT_THAT(line, testing::HasSubstr(R"("user_id":"ann@example.org")"));
  }
  EXPECT_THAT(lines[0], testing::EndsWith(
                            R"(,"attributes":{"redacted":{"github_token":3,"named_secret":1}}})"));
  EXPECT_THAT(lines[1], testing::Not(testing::HasSubstr("attributes")));
  EXPECT_THAT(lines[2], testing::EndsWith(R"(,"attributes":{"redacted":{"named_secret":1}}})"));
  EXPECT_EQ(recorder.statistics().redacted, 5U);
}

TEST(Recorder, MasksByThePolicyItIsGiven) {
  const auto store = fresh_store();
  event::RedactionPolicy policy;
  policy.disable = {"email"};
  policy.keys = {{.name = "who", .key = "user_id"}};
  RunFields fields = some_run();
  RecorderOptions options;
  options.redactor = std::make_shared<const event::Redactor>(*event::Redactor::make(policy));
  Recorder recorder(store, options);
  const auto run = *recorder.begin(fields);
  run->emit(Type::kLog, {{Field::kMessage, std::string_view("from ann@example.org")},
                         {Field::kUserId, std::string_view("ann")}});
  ASSERT_TRUE(run->flush());
  const auto line = committed_lines(store).at(0);
  EXPECT_THAT(line, testing::HasSubstr(R"("user_id":"[REDACTED:who]")"));
  EXPECT_THAT(line, testing::HasSubstr("from ann@example.org"));
}

TEST(Recorder, SaysARunsCorrelationIdsOnEveryEventUnlessTheEventSaysItsOwn) {
  const auto store = fresh_store();
  auto fields = some_run();
  fields.correlation.tenant_id = "acme";
  fields.correlation.request_id = "r-1";
  fields.correlation.run_id = "parent";
  Recorder recorder(store);
  const auto run = *recorder.begin(fields);
  run->emit(Type::kLog, {{Field::kMessage, std::string_view("one")}});
  run->emit(Type::kLog, {{Field::kRequestId, std::string_view("r-2")},
                         {Field::kMessage, std::string_view("two")}});
  ASSERT_TRUE(run->flush());
  const auto lines = committed_lines(store);
  EXPECT_THAT(
      lines[0],
      testing::HasSubstr(
          R"("run_seq":1,"tenant_id":"acme","parent_run_id":"parent","request_id":"r-1","trace_id")"));
  EXPECT_THAT(lines[1], testing::HasSubstr(R"("request_id":"r-2")"));
  EXPECT_THAT(lines[1], testing::Not(testing::HasSubstr("r-1")));
}

TEST(Recorder, WritesTypesOfOnesOwnUnderTheirNames) {
  const auto store = fresh_store();
  Recorder recorder(store);
  const auto run = *recorder.begin(some_run());
  const event::FieldValue fields[] = {{Field::kEventType, std::string_view("orders.loaded")},
                                      {Field::kRows, std::int64_t{3}}};
  run->emit(Type::kCustom, event::Level::kWarning, fields);
  ASSERT_TRUE(run->flush());
  const auto line = committed_lines(store).at(0);
  EXPECT_THAT(line, testing::HasSubstr(R"("event_type":"orders.loaded","level":"WARNING","pipe)"));
  EXPECT_THAT(line, testing::EndsWith(R"(,"rows":3})"));
  event::Decoder decoder;
  EXPECT_TRUE(decoder.decode(line));
}

TEST(Recorder, KnowsWhichSegmentsAreItsOwn) {
  const auto store = fresh_store();
  Recorder recorder(store), other(store);
  const auto run = *recorder.begin(some_run());
  run->emit(Type::kLog, {{Field::kMessage, std::string_view("m")}});
  ASSERT_TRUE(run->flush());
  const auto names = *store.segment_names();
  ASSERT_EQ(names.size(), 1U);
  EXPECT_TRUE(recorder.own_writers()(names[0].writer));
  EXPECT_FALSE(other.own_writers()(names[0].writer));
}

TEST(Recorder, StampsEventsInTheOrderInWhichAThreadSaysThem) {
  const auto store = fresh_store();
  const auto before = system_clock().now();
  {
    Recorder recorder(store);
    const auto run = *recorder.begin(some_run());
    for (int i = 0; i < 50'000; ++i) {
      run->emit(Type::kLog, {{Field::kMessage, std::string_view("m")}});
    }
  }
  // What the clock of the ticks says may differ from the system's by its error.
  constexpr auto kError = std::chrono::milliseconds(1);
  auto last = before - kError;
  for (const auto& line : committed_lines(store)) {
    const auto time =
        *parse_rfc3339(line.substr(std::string_view(R"({"timestamp":")").size(), kRfc3339Size));
    ASSERT_LE(last, time);
    last = time;
  }
  EXPECT_LE(last, system_clock().now() + kError);
}

TEST(Recorder, HasEverythingOnDiskWhenFlushReturns) {
  const auto store = fresh_store();
  Recorder recorder(store);
  const auto run = *recorder.begin(some_run());
  for (std::size_t i = 1; i <= 20; ++i) {
    run->emit(Type::kLog, {{Field::kMessage, std::string_view("m")}});
    ASSERT_TRUE(run->flush());
    EXPECT_EQ(committed_lines(store).size(), i);
  }
}

TEST(Recorder, CommitsByItselfWithinAWhile) {
  const auto store = fresh_store();
  Recorder recorder(store);
  const auto run = *recorder.begin(some_run());
  run->emit(Type::kLog, {{Field::kMessage, std::string_view("m")}});
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (committed_lines(store).empty() && std::chrono::steady_clock::now() < give_up)
    std::this_thread::yield();
  EXPECT_EQ(committed_lines(store).size(), 1U);
}

TEST(Recorder, TakesEventsLargerThanTheRing) {
  const auto store = fresh_store();
  const std::string message(3 << 20, 'x');
  {
    Recorder recorder(store, {.ring_bytes = 4096});
    const auto run = *recorder.begin(some_run());
    for (int i = 0; i < 3; ++i)
      run->emit(Type::kLog, {{Field::kMessage, std::string_view(message)}});
  }
  const auto lines = committed_lines(store);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_THAT(lines[2], testing::HasSubstr(message));
}

TEST(Recorder, GivesARunToOneRecorderOnly) {
  const auto store = fresh_store();
  const auto fields = some_run();
  Recorder first(store), second(store);
  const auto run = first.begin(fields);
  ASSERT_TRUE(run);
  EXPECT_EQ(second.begin(fields).error().code, ErrorCode::kConflict);
}

TEST(Recorder, TellsThatTheLogCannotBeWritten) {
  const auto store = fresh_store();
  std::filesystem::remove_all(store.log());
  Recorder recorder(store);
  const auto run = *recorder.begin(some_run());
  run->emit(Type::kLog, {{Field::kMessage, std::string_view("m")}});
  EXPECT_EQ(run->flush().error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(run->flush());
  EXPECT_FALSE(recorder.begin(some_run()));
}

TEST(Recorder, OpensNoSegmentWithoutAnEvent) {
  const auto store = fresh_store();
  {
    Recorder recorder(store);
  }
  EXPECT_TRUE(store.segments()->empty());
}

// Small rings and commits, so that threads wait, batches are cut anywhere and numbers arrive out of
// order at the writer. Every run's events must come out in order, without holes.
TEST(ThreadsRecorder, KeepsEveryRunInOrderWhateverThreadsEmit) {
  constexpr int kThreads = 4, kRuns = 3, kEvents = 5000;
  const auto store = fresh_store();
  std::vector<std::string> run_ids;
  {
    Recorder recorder(store, {.commit_bytes = 10'000, .ring_bytes = 4096});
    std::vector<std::unique_ptr<record::Run>> runs;
    for (int i = 0; i < kRuns; ++i) {
      runs.push_back(*recorder.begin(some_run()));
      run_ids.push_back(runs.back()->id().text());
    }
    std::vector<std::jthread> threads;
    for (std::int64_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (std::int64_t i = 0; i < kEvents; ++i) {
          runs[static_cast<std::size_t>(i) % kRuns]->emit(Type::kLog,
                                                          {{Field::kStepIndex, t},
                                                           {Field::kMessage, std::string_view("m")},
                                                           {Field::kSourceSeq, i}});
        }
      });
    }
  }
  std::map<std::string, std::int64_t> last_seq;
  std::map<std::int64_t, std::vector<std::int64_t>> by_thread;
  event::Decoder decoder;
  for (const auto& text : committed_lines(store)) {
    const auto event = decoder.decode(text);
    ASSERT_TRUE(event);
    EXPECT_EQ((*event)->run_seq(), ++last_seq[std::string((*event)->text(Field::kRunId))]);
    by_thread[*(*event)->integer(Field::kStepIndex)].push_back(
        *(*event)->integer(Field::kSourceSeq));
  }
  std::int64_t total = 0;
  for (const auto& [id, seq] : last_seq) total += seq;
  EXPECT_EQ(total, std::int64_t{kThreads} * kEvents);
  for (auto& [thread, numbers] : by_thread) {
    std::sort(numbers.begin(), numbers.end());
    EXPECT_EQ(numbers.size(), std::size_t{kEvents});
    EXPECT_EQ(std::unique(numbers.begin(), numbers.end()), numbers.end())
        << "an event was written twice";
  }
}

TEST(ThreadsRecorder, CommitsWhatEndedThreadsEmitted) {
  const auto store = fresh_store();
  Recorder recorder(store);
  const auto run = *recorder.begin(some_run());
  for (int i = 0; i < 50; ++i) {
    std::jthread([&] { run->emit(Type::kLog, {{Field::kMessage, std::string_view("m")}}); });
  }
  ASSERT_TRUE(run->flush());
  EXPECT_EQ(committed_lines(store).size(), 50U);
}

TEST(Recorder, CutsAnEventWhoseLineWouldBeTooLongAndSaysWhatItCut) {
  const auto store = fresh_store();
  {
    Recorder recorder(store);
    const auto run = *recorder.begin(some_run());
    // Each of these characters is six in JSON.
    const std::string message(log::kMaxEventBytes / 2, '\x01');
    run->emit(Type::kLog, {{Field::kMessage, std::string_view(message)},
                           {Field::kNodeId, std::string_view("n")},
                           {Field::kAttributes, event::ObjectText{R"({"x":1})"}}});
    emit_message(*run, "after");
    ASSERT_TRUE(run->flush());
    EXPECT_EQ(recorder.statistics().cut, 1U);
  }
  const auto lines = committed_lines(store);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_LE(lines[0].size(), log::kMaxEventBytes);
  event::Decoder decoder;
  const auto event = decoder.decode(lines[0]);
  ASSERT_TRUE(event) << event.error().message;
  EXPECT_EQ((*event)->text(Field::kNodeId), "n");
  EXPECT_EQ((*event)->text(Field::kMessage).size(), kMaxCutValue);
  EXPECT_EQ((*event)->text(Field::kAttributes), R"({"cut_bytes":{"message":2097152},"x":1})");
}

TEST(Recorder, KeepsEveryCommitInItsLimit) {
  const auto store = fresh_store();
  {
    Recorder recorder(store, {.commit_interval = std::chrono::milliseconds(10'000),
                              .commit_bytes = std::size_t{1} << 40});
    const auto run = *recorder.begin(some_run());
    const std::string message(std::size_t{3} << 20, 'x');
    for (int i = 0; i < 30; ++i) emit_message(*run, message);
    ASSERT_TRUE(run->flush());
  }
  EXPECT_EQ(committed_lines(store).size(), 30U);
}

TEST(Recorder, CommitsBeforeEmitReturnsWhenThatIsWanted) {
  const auto store = fresh_store();
  Recorder recorder(store, {.commit_interval = std::chrono::milliseconds(100'000)});
  auto fields = some_run();
  fields.durability = Durability::kCommit;
  const auto run = *recorder.begin(fields);
  emit_message(*run, "one");
  EXPECT_EQ(committed_lines(store).size(), 1U);
}

TEST(Recorder, DropsTheNewestWhenAskedNotToWait) {
  TroubledFiles files;
  const auto store = fresh_store(files);
  std::vector<Type> told;
  {
    Recorder recorder(store,
                      {.ring_bytes = 4096, .on_drop = [&](Type type) { told.push_back(type); }});
    const auto run = *recorder.begin(some_run());
    files.stuck = true;
    emit_message(*run, "begin");
    std::int64_t taken = 1, refused = 0;
    const event::FieldValue fields[] = {{Field::kMessage, std::string_view("more")}};
    while (refused < 3) {
      const bool took = run->try_emit(Type::kLog, event::Level::kInfo, fields);
      (took ? taken : refused) += 1;
    }
    EXPECT_EQ(told, std::vector<Type>(3, Type::kLog));
    auto statistics = recorder.statistics();
    while (!statistics.last_emit) statistics = recorder.statistics();  // the writer says when
    EXPECT_EQ(statistics.emitted, static_cast<std::uint64_t>(taken));
    EXPECT_EQ(statistics.dropped, 3U);
    EXPECT_EQ(statistics.full, 3U);
    EXPECT_GT(statistics.drop_rate(), 0);
    EXPECT_LT(statistics.drop_rate(), 1);
    EXPECT_TRUE(statistics.last_drop);
    files.stuck = false;
    emit_message(*run, "end");
    ASSERT_TRUE(run->flush());
    // What was dropped has no number, so nothing is missing between.
    const auto lines = committed_lines(store);
    EXPECT_EQ(lines.size(), static_cast<std::size_t>(taken) + 1);
    EXPECT_THAT(lines.back(), testing::HasSubstr("\"run_seq\":" + std::to_string(taken + 1)));
  }
}

TEST(Recorder, TellsARunThatTheDiskIsFullAndGoesOnWhenThereIsRoom) {
  TroubledFiles files;
  const auto store = fresh_store(files);
  {
    Recorder recorder(store, {.retry_interval = std::chrono::milliseconds(5)});
    const auto run = *recorder.begin(some_run());
    emit_message(*run, "before");
    ASSERT_TRUE(run->flush());
    EXPECT_FALSE(run->lost().stop_requested());

    files.full = true;
    emit_message(*run, "lost");
    EXPECT_EQ(run->flush().error().code, ErrorCode::kExhausted);
    EXPECT_TRUE(run->lost().stop_requested());
    EXPECT_EQ(recorder.begin(some_run()).error().code, ErrorCode::kExhausted);

    files.full = false;
    auto next = recorder.begin(some_run());
    for (int i = 0; !next && i < 5000; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      next = recorder.begin(some_run());
    }
    ASSERT_TRUE(next);
    EXPECT_GE(recorder.statistics().write_errors, 1U);
    emit_message(**next, "after");
    ASSERT_TRUE((*next)->flush());
    emit_message(*run, "still lost");
    EXPECT_FALSE(run->flush());
  }
  const auto lines = committed_lines(store);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_THAT(lines[0], testing::HasSubstr("before"));
  EXPECT_THAT(lines[1],
              testing::AllOf(testing::HasSubstr("\"event_type\":\"alert_fired\""),
                             testing::HasSubstr("\"severity\":\"P1\""),
                             testing::HasSubstr("1 events of 1 runs are not in the log")));
  EXPECT_THAT(lines[2], testing::HasSubstr("after"));
  event::Decoder decoder;
  EXPECT_TRUE(decoder.decode(lines[1]));
  EXPECT_TRUE(log::verify_seals(store)->problems.empty());
}

TEST(Recorder, SealsWhatItHasWritten) {
  const auto store = fresh_store();
  {
    Recorder recorder(store, {.log = {.segment_bytes = 1}});
    const auto run = *recorder.begin(some_run());
    for (int i = 0; i < 3; ++i) {
      emit_message(*run, "an event");
      ASSERT_TRUE(run->flush());
    }
  }
  EXPECT_EQ(store.segment_names()->size(), 3U);
  EXPECT_EQ(log::verify_seals(store)->seals, 3U);
}

}  // namespace
}  // namespace weir::record
