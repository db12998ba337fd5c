#include "weir/sinks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <mutex>
#include <thread>

#include "embed/recorded_store.h"
#include "record/fork_testing.h"

namespace weir::embed {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::RecordedStore;
using testing_support::Recording;

/// Keeps the topics of what it gets. From any thread.
class TopicSink final : public Sink {
 public:
  Status emit(const Event& event) override {
    const std::lock_guard lock(mutex_);
    topics_.emplace_back(event.topic);
    if (event.topic == refused_) return {StatusCode::kIo, "no room"};
    return {};
  }
  [[nodiscard]] std::vector<std::string> topics() const {
    const std::lock_guard lock(mutex_);
    return topics_;
  }
  void refuse(std::string topic) { refused_ = std::move(topic); }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> topics_;
  std::string refused_;
};

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

/// Of a recorder that has ended.
void record_run(const RecordedStore& store, const std::shared_ptr<Sink>& sink) {
  auto recorder = Recorder::open(store.folder);
  ASSERT_TRUE(recorder) << recorder.status().message();
  ASSERT_TRUE(recorder->add_sink(sink));
  auto run = recorder->begin({.pipeline_id = "p"});
  ASSERT_TRUE(run) << run.status().message();
  run->pipeline_started({{"a"}, {"a"}, 1});
  auto node = run->start_node({"a"});
  run->logger("l").warning("careful", {{field::kRows, 7}, {"shard", 3}});
  node.completed();
  run->pipeline_completed({"a"});
}

TEST(BuiltInSinks, PrintEventsForPeople) {
  const RecordedStore store;
  std::string printed;
  record_run(store,
             console_sink({.min_level = Level::kWarning, .print = [&](std::string_view text) {
                             printed += text;
                             return Status();
                           }}));
  EXPECT_THAT(printed, HasSubstr(" - l - WARNING - careful rows=7 shard=3\n"));
  EXPECT_EQ(std::ranges::count(printed, '\n'), 1);
}

TEST(BuiltInSinks, WriteEventsDocumentsOrChosenFieldsAsLines) {
  const RecordedStore store;
  const auto events = store.folder / "out" / "events.jsonl";
  const auto documents = store.folder / "out" / "documents.jsonl";
  const auto chosen = store.folder / "out" / "chosen.jsonl";
  const auto all = std::make_shared<CompositeSink>();
  const EventFilter of_logs{.include = {"log"}};
  for (const auto& options : {JsonLinesOptions{.path = events},
                              JsonLinesOptions{.path = documents, .format = LineFormat::kDocument},
                              JsonLinesOptions{.path = chosen, .fields = {"message", "shard"}}}) {
    auto sink = json_lines_sink(options);
    ASSERT_TRUE(sink) << sink.status().message();
    ASSERT_TRUE(all->add(options.path.string(), *sink, of_logs));
  }
  record_run(store, all);
  ASSERT_EQ(lines_of(events).size(), 1U);
  EXPECT_THAT(lines_of(events)[0], HasSubstr(R"("event_type":"log")"));
  ASSERT_EQ(lines_of(documents).size(), 1U);
  EXPECT_THAT(lines_of(documents)[0], HasSubstr(R"("planId":"p")"));
  EXPECT_THAT(lines_of(documents)[0], HasSubstr(R"("metrics":{"rows":7,"shard":3})"));
  EXPECT_THAT(lines_of(chosen), ElementsAre(R"({"message":"careful","shard":3})"));
}

TEST(BuiltInSinks, WriteAFileThatNobodyElseWrites) {
  const RecordedStore store;
  const auto first = json_lines_sink({.path = store.folder / "a.jsonl"});
  ASSERT_TRUE(first);
  EXPECT_EQ(json_lines_sink({.path = store.folder / "a.jsonl"}).status().code(),
            StatusCode::kConflict);
  EXPECT_EQ(json_lines_sink({}).status().code(), StatusCode::kInvalidInput);
  EXPECT_EQ(json_lines_sink({.path = store.folder / "b.jsonl",
                             .format = LineFormat::kDocument,
                             .fields = {"message"}})
                .status()
                .code(),
            StatusCode::kInvalidInput);
}

TEST(BuiltInSinks, GiveEachSinkWhatItWantsWhateverAnotherDoes) {
  const RecordedStore store;
  const auto nodes = std::make_shared<TopicSink>();
  const auto rest = std::make_shared<TopicSink>();
  nodes->refuse("stage.a.started");
  const auto all = std::make_shared<CompositeSink>();
  ASSERT_TRUE(all->add("nodes", nodes, {.include = {"stage.#"}}));
  ASSERT_TRUE(all->add("rest", rest, {.exclude = {"stage.#"}}));
  EXPECT_EQ(all->add("rest", rest).code(), StatusCode::kConflict);
  EXPECT_EQ(all->add("other", rest, {.include = {"a..b"}}).code(), StatusCode::kInvalidInput);
  EXPECT_EQ(all->add("none", nullptr).code(), StatusCode::kInvalidInput);
  record_run(store, all);
  EXPECT_THAT(nodes->topics(), ElementsAre("stage.a.started", "stage.a.completed"));
  EXPECT_THAT(rest->topics(), ElementsAre("pipeline.started", "log", "pipeline.completed"));
  const auto figures = all->statistics();
  ASSERT_EQ(figures.size(), 2U);
  EXPECT_EQ(figures[0].name, "nodes");
  EXPECT_EQ(figures[0].emitted, 1U);
  EXPECT_EQ(figures[0].failed, 1U);
  EXPECT_THAT(figures[0].last_error, HasSubstr("no room"));
  EXPECT_EQ(figures[1].emitted, 3U);
}

TEST(BuiltInSinks, TellFunctionsWhatEventsSay) {
  const RecordedStore store;
  std::vector<std::string> seen;
  record_run(store, callback_sink([&](const Event& event) -> Status {
               if (event.type != "log") throw std::runtime_error("not for me");
               seen.push_back(std::string(event.text(field::kMessage)) + " " +
                              std::to_string(event.integer(field::kRows).value_or(-1)) + " " +
                              std::to_string(event.number(field::kDurationMs).has_value()) + " " +
                              std::to_string(event.boolean(field::kCacheHit).has_value()));
               return {};
             }));
  EXPECT_THAT(seen, ElementsAre("careful 7 0 0"));
}

TEST(BuiltInSinks, BufferAndDropTheNewestWhenFull) {
  const RecordedStore store;
  const auto below = std::make_shared<TopicSink>();
  std::vector<std::string> dropped;
  const auto buffered = std::make_shared<BufferedSink>(
      below, BufferedOptions{.max_events = 2, .on_drop = [&](const Event& event) {
                               dropped.emplace_back(event.topic);
                             }});
  // A program's own event: its line is what counts.
  Recording it;
  it.run.logger("l").info("one");
  ASSERT_TRUE(it.run.flush());
  const auto line = json::to_text(json::Value(it.event("log")));
  const Event event{.line = line};
  EXPECT_TRUE(buffered->try_emit(event));
  EXPECT_TRUE(buffered->try_emit(event));
  EXPECT_FALSE(buffered->try_emit(event));
  EXPECT_EQ(buffered->emit(event).code(), StatusCode::kExhausted);
  EXPECT_EQ(buffered->emit({.line = "{}"}).code(), StatusCode::kInvalidInput);
  EXPECT_THAT(dropped, ElementsAre("log"));
  EXPECT_EQ(buffered->statistics().queued, 2U);

  ASSERT_TRUE(buffered->start());
  ASSERT_TRUE(buffered->flush());
  EXPECT_THAT(below->topics(), ElementsAre("log", "log"));
  EXPECT_TRUE(buffered->emit(event));
  ASSERT_TRUE(buffered->stop(BufferedSink::AtStop::kDrain, milliseconds(5000)));
  EXPECT_EQ(below->topics().size(), 3U);
  EXPECT_EQ(buffered->emit(event).code(), StatusCode::kCancelled);
  const auto figures = buffered->statistics();
  EXPECT_EQ(figures.emitted, 3U);
  EXPECT_GE(figures.dropped, 1U);
  EXPECT_GT(figures.drop_rate, 0);
  EXPECT_TRUE(figures.last_emit.has_value());
}

class ThreadsProcessSink : public testing::Test {
 protected:
  ~ThreadsProcessSink() override { set_event_sink(nullptr).ignore(); }
  void say(Recording& it, const std::string& topic) {
    it.run.emit(topic);
    ASSERT_TRUE(it.run.flush());
  }
  const std::shared_ptr<TopicSink> a_ = std::make_shared<TopicSink>(),
                                   b_ = std::make_shared<TopicSink>();
};

TEST_F(ThreadsProcessSink, GetsWhatRecordersCommitFromThenOn) {
  EXPECT_NE(get_event_sink(), nullptr);
  {
    Recording it;
    say(it, "custom.before");
    ASSERT_TRUE(set_event_sink(a_));
    EXPECT_EQ(get_event_sink(), a_);
    say(it, "custom.one");
    say(it, "custom.two");
    ASSERT_TRUE(set_event_sink(b_));
    EXPECT_THAT(a_->topics(), ElementsAre("custom.one", "custom.two"));
    say(it, "custom.three");
    ASSERT_TRUE(set_event_sink(nullptr));
    EXPECT_THAT(b_->topics(), ElementsAre("custom.three"));
    say(it, "custom.four");
  }
  EXPECT_EQ(a_->topics().size(), 2U);
  EXPECT_THAT(b_->topics(), ElementsAre("custom.three"));
  EXPECT_TRUE(get_event_sink()->emit({.line = "no event"}).code() == StatusCode::kInvalidInput);
}

TEST_F(ThreadsProcessSink, GetsAllOfARecorderThatIsOpenedLater) {
  ASSERT_TRUE(set_event_sink(a_));
  {
    Recording one, two;
    say(one, "custom.one");
    say(two, "custom.two");
  }  // their ends wait for the sink
  EXPECT_THAT(a_->topics(), testing::UnorderedElementsAre("custom.one", "custom.two"));
}

/// Not for the thread sanitizer, which knows no threads that begin in a forked child.
class ForkedProcessSink : public ThreadsProcessSink {};

TEST_F(ForkedProcessSink, IsSetAgainByAForkedChild) {
  Recording it;
  ASSERT_TRUE(set_event_sink(a_));
  say(it, "custom.parents");
  EXPECT_TRUE(record::testing_support::holds_in_child([&] {
    const auto own = std::make_shared<TopicSink>();
    if (!set_event_sink(own)) return false;
    auto run = it.recorder.begin({.pipeline_id = "p"});
    if (!run) return false;
    run->emit("custom.childs");
    return run->flush().is_ok() && set_event_sink(nullptr).is_ok() &&
           own->topics() == std::vector<std::string>{"custom.childs"};
  }));
  ASSERT_TRUE(set_event_sink(nullptr));
  EXPECT_THAT(a_->topics(), ElementsAre("custom.parents"));
}

TEST_F(ThreadsProcessSink, MayBeChangedWhileOthersRecord) {
  Recording it;
  std::thread setter([&] {
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(set_event_sink(i % 2 == 0 ? a_ : b_));
  });
  for (int i = 0; i < 200; ++i) it.run.emit("custom.event");
  setter.join();
  ASSERT_TRUE(it.run.flush());
  ASSERT_TRUE(set_event_sink(nullptr));
  EXPECT_LE(a_->topics().size() + b_->topics().size(), 200U);
}

}  // namespace
}  // namespace weir::embed
