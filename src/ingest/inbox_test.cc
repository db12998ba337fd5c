#include "ingest/inbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <set>

#include "base/troubled_files.h"
#include "event/decoder.h"
#include "record/recorded_events.h"

namespace weir::ingest {
namespace {

using event::Field;
using event::FieldValue;
using record::testing_support::committed_lines;
using record::testing_support::fresh_store;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

const Timestamp kTime{std::chrono::seconds(1'770'000'000)};
const RunId kRun = foreign_run_id("test", "run");

const event::Redactor& redactor() {
  static const auto made = *event::Redactor::make({});
  return made;
}

/// One `log` a text, each with its text as key; an empty key: none.
EventLines logs(const std::vector<std::string>& texts, bool keyed = true,
                std::string_view tenant = "acme") {
  LineMaker maker(redactor(), tenant, "0123");
  for (const auto& text : texts) {
    std::vector<FieldValue> fields{{Field::kMessage, std::string_view(text)}};
    if (keyed) fields.push_back({Field::kEventId, std::string_view(text)});
    EXPECT_TRUE(maker.add({.timestamp = kTime,
                           .type = event::Type::kLog,
                           .pipeline_id = "p",
                           .pipeline_version = "",
                           .run_id = kRun,
                           .key = keyed ? std::string_view(text) : std::string_view(),
                           .fields = fields}));
  }
  return *maker.take();
}

class SetClock final : public Clock {
 public:
  std::atomic<std::int64_t> us{1'770'000'000'000'000};
  [[nodiscard]] Timestamp now() const override { return Timestamp(std::chrono::microseconds(us)); }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override {
    return std::chrono::microseconds(us);
  }
};

std::vector<std::int64_t> numbers(const std::vector<std::string>& lines) {
  std::vector<std::int64_t> found;
  event::Decoder decoder;
  for (const auto& line : lines) found.push_back((*decoder.decode(line))->run_seq());
  return found;
}

TEST(Inbox, CommitsWhatItIsGivenWithNumbersOfItsClock) {
  const auto store = fresh_store();
  SetClock clock;
  Inbox inbox(store, {.clock = &clock});
  const auto receipt = inbox.commit(logs({"a", "b"}));
  ASSERT_TRUE(receipt) << receipt.error().message;
  EXPECT_EQ(receipt->stored, 2U);
  clock.us -= 1'000'000;  // it never goes back
  ASSERT_TRUE(inbox.commit(logs({"c"})));
  const auto lines = committed_lines(store);
  EXPECT_THAT(numbers(lines),
              ElementsAre(1'770'000'000'000'000, 1'770'000'000'000'001, 1'770'000'000'000'002));
  EXPECT_EQ(lines[0],
            R"({"timestamp":"2026-02-02T02:40:00.000000Z","event_type":"log","level":"INFO",)"
            R"("pipeline_type":"external","pipeline_id":"p","pipeline_version":"","run_id":")" +
                kRun.text() +
                R"(","run_seq":1770000000000000,"tenant_id":"acme","message":"a","event_id":"a"})");
}

TEST(Inbox, StoresAKeyOnceOfEachTenant) {
  const auto store = fresh_store();
  Inbox inbox(store);
  ASSERT_EQ(inbox.commit(logs({"a", "b", "a"}))->duplicates, 1U);
  const auto again = inbox.commit(logs({"b", "c"}));
  EXPECT_EQ(again->stored, 1U);
  EXPECT_EQ(again->duplicates, 1U);
  EXPECT_EQ(inbox.commit(logs({"a"}, true, "globex"))->stored, 1U);
  EXPECT_THAT(committed_lines(store), SizeIs(4));
  EXPECT_EQ(inbox.statistics().keys, 4U);
}

TEST(Inbox, KnowsARequestThatIsSentAgainByItsContent) {
  const auto store = fresh_store();
  Inbox inbox(store);
  ASSERT_TRUE(inbox.commit(logs({"same", "same"}, false)));
  EXPECT_EQ(inbox.commit(logs({"same", "same"}, false))->duplicates, 2U);
  EXPECT_THAT(committed_lines(store), ElementsAre(HasSubstr(R"("idempotency_key":"0123.0")"),
                                                  HasSubstr(R"("idempotency_key":"0123.1")")));
}

TEST(Inbox, MasksSecretsAndCutsWhatIsTooLong) {
  const auto store = fresh_store();
  Inbox inbox(store);
  ASSERT_TRUE(inbox.commit(logs({"password=hunter2hunter2", std::string(5 << 20, 'x')}, false)));
  const auto lines = committed_lines(store);
  EXPECT_THAT(lines[0], AllOf(Not(HasSubstr("hunter2")), HasSubstr(R"("redacted":{)")));
  EXPECT_THAT(lines[1],
              AllOf(HasSubstr(R"("cut_bytes":{"message":)"), SizeIs(testing::Lt(10'000))));
}

TEST(Inbox, WhatFailsIsNotTakenAndCanBeSentAgain) {
  TroubledFiles files;
  const auto store = fresh_store(files);
  Inbox inbox(store);
  ASSERT_TRUE(inbox.commit(logs({"a"})));
  files.full_at_write = true;
  const auto failed = inbox.commit(logs({"b", "c"}));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kExhausted);
  files.full_at_write = false;
  const auto again = inbox.commit(logs({"a", "b", "c"}));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->stored, 2U);
  EXPECT_EQ(again->duplicates, 1U);
  EXPECT_THAT(committed_lines(store), SizeIs(3));
  EXPECT_EQ(inbox.statistics().failed, 2U);
}

TEST(Inbox, RefusesMoreWhenTooMuchWaits) {
  TroubledFiles files;
  const auto store = fresh_store(files);
  Inbox inbox(store, {.max_waiting_bytes = 1000});
  files.stuck = true;
  std::promise<void> first, second;
  ASSERT_TRUE(inbox.submit(logs({"a"}), [&](const Result<Receipt>&) { first.set_value(); }));
  while (inbox.writer_name().empty()) std::this_thread::yield();
  // What waits may be of any size when nothing waited.
  ASSERT_TRUE(inbox.submit(logs({std::string(2000, 'b')}),
                           [&](const Result<Receipt>&) { second.set_value(); }));
  const auto refused = inbox.submit(logs({"c"}), [](const Result<Receipt>&) { FAIL(); });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kExhausted);
  files.stuck = false;
  second.get_future().wait();
  EXPECT_EQ(inbox.commit(logs({"c"}))->stored, 1U) << "it was not taken before";
}

TEST(Inbox, CommitsWhatWaitsWhenItIsClosed) {
  const auto store = fresh_store();
  std::atomic<int> done{0};
  {
    Inbox inbox(store);
    for (int i = 0; i < 50; ++i) {
      ASSERT_TRUE(inbox.submit(logs({std::to_string(i)}), [&](const Result<Receipt>& receipt) {
        if (receipt) ++done;
      }));
    }
    inbox.close();
    EXPECT_EQ(inbox.submit(logs({"late"}), {}).error().code, ErrorCode::kCancelled);
  }
  EXPECT_EQ(done, 50);
  EXPECT_THAT(committed_lines(store), SizeIs(50));
}

TEST(ThreadsOfAnInbox, MayAllSubmit) {
  const auto store = fresh_store();
  {
    Inbox inbox(store);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&inbox, t] {
        for (int i = 0; i < 50; ++i) {
          // Of each key two threads say it.
          const auto key = std::to_string(t / 2) + "-" + std::to_string(i);
          ASSERT_TRUE(inbox.commit(logs({key, key + "x"})));
        }
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(inbox.statistics().stored, 200U);
    EXPECT_EQ(inbox.statistics().duplicates, 200U);
  }
  auto found = numbers(committed_lines(store));
  EXPECT_THAT(found, SizeIs(200));
  EXPECT_TRUE(std::ranges::is_sorted(found));
  EXPECT_EQ(std::set(found.begin(), found.end()).size(), 200U);
}

}  // namespace
}  // namespace weir::ingest
