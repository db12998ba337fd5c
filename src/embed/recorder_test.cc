#include "weir/recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <latch>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "embed/attach_sink.h"
#include "embed/recorded_store.h"
#include "record/fork_testing.h"

namespace weir::embed {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::attribute_of;
using testing_support::RecordedStore;
using testing_support::Recording;
using testing_support::text_of;

constexpr const char* kId = "019b8a2f-7c00-7000-8000-000000000001";

TEST(Open, SaysWhyThereIsNoStore) {
  const auto recorder = Recorder::open("/dev/null/store");
  ASSERT_FALSE(recorder);
  EXPECT_THAT(recorder.status().message(), HasSubstr("/dev/null/store"));
}

TEST(Open, RefusesOptionsOutOfRange) {
  const RecordedStore store;
  EXPECT_EQ(Recorder::open(store.folder, {.commit_interval = 0ms}).status().code(),
            StatusCode::kInvalidInput);
  EXPECT_EQ(Recorder::open(store.folder, {.commit_interval = 2min}).status().code(),
            StatusCode::kInvalidInput);
  EXPECT_EQ(Recorder::open(store.folder, {.ring_bytes = 10}).status().code(),
            StatusCode::kInvalidInput);
  EXPECT_FALSE(std::filesystem::exists(store.folder));
}

TEST(Begin, SaysWhoseRunItIsOnEveryEvent) {
  Recording it({.pipeline_id = "nightly",
                .pipeline_version = "7",
                .pipeline_type = "dag",
                .run_id = kId,
                .durability = Durability::kCommit,
                .fields = {{field::kParentRunId, "parent"}, {field::kSessionId, "s"}}});
  it.run.logger("l").info("m");

  // With kCommit it is there without a flush.
  ASSERT_EQ(it.store.events().size(), 1U);
  const auto event = it.store.events().front();
  EXPECT_EQ(it.run.id(), kId);
  EXPECT_EQ(text_of(event, "run_id"), kId);
  EXPECT_EQ(text_of(event, "pipeline_id"), "nightly");
  EXPECT_EQ(text_of(event, "pipeline_version"), "7");
  EXPECT_EQ(text_of(event, "pipeline_type"), "dag");
  EXPECT_EQ(text_of(event, "parent_run_id"), "parent");
  EXPECT_EQ(text_of(event, "session_id"), "s");
  EXPECT_EQ(text_of(event, "trace_id"), it.run.context().trace_id());
}

TEST(Begin, GoesOnWithTheTraceOfItsParent) {
  const auto parent = TraceContext::from_headers(
      {{"Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
       {"x-request-id", "r-1"}});
  Recording it({.pipeline_id = "p", .parent = parent});
  {
    const auto span = it.run.span("s");
  }
  it.run.emit(EventType::kLog, {{field::kMessage, "m"}});

  const auto span = it.event("span");
  EXPECT_EQ(text_of(span, "trace_id"), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(text_of(span, "parent_span_id"), "b7ad6b7169203331");
  EXPECT_EQ(text_of(span, "request_id"), "r-1");
  EXPECT_EQ(text_of(it.event("log"), "trace_id"), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(text_of(it.event("log"), "request_id"), "r-1");
}

TEST(Begin, RefusesWhatIsNoIdOrType) {
  const RecordedStore store;
  auto recorder = Recorder::open(store.folder);
  std::vector<std::pair<TextField, std::string>> many(17, {field::kTenantId, "t"});
  const struct {
    RunOptions options;
    const char* says;
  } cases[] = {
      {{.pipeline_id = ""}, "pipeline_id"},
      {{.pipeline_id = "two\nlines"}, "pipeline_id"},
      {{.pipeline_id = std::string(300, 'x')}, "pipeline_id"},
      {{.pipeline_id = "p", .pipeline_version = ""}, "pipeline_version"},
      {{.pipeline_id = "p", .pipeline_type = "graph"}, "not 'graph'"},
      {{.pipeline_id = "weir"}, "Weir says about itself"},
      {{.pipeline_id = "p", .run_id = "17"}, "no UUID: '17'"},
      {{.pipeline_id = "p", .fields = {{field::kTenantId, ""}}}, "'tenant_id'"},
      {{.pipeline_id = "p", .fields = {{field::kMessage, "m"}}}, "cannot carry"},
      {{.pipeline_id = "p", .fields = {{TextField{51}, "m"}}}, "cannot carry"},
      {{.pipeline_id = "p", .fields = {{field::kTraceId, "m"}}}, "cannot carry"},
      {{.pipeline_id = "p", .fields = many}, "at most 16 fields"},
  };
  for (const auto& [options, says] : cases) {
    SCOPED_TRACE(says);
    const auto run = recorder->begin(options);
    ASSERT_FALSE(run);
    EXPECT_THAT(run.status().message(), HasSubstr(says));
  }
}

TEST(TwoRecorders, RecordIntoOneStoreButNotTheSameRun) {
  const RecordedStore store;
  auto first = Recorder::open(store.folder);
  auto second = Recorder::open(store.folder);
  auto run = first->begin({.pipeline_id = "p", .run_id = kId});

  EXPECT_EQ(second->begin({.pipeline_id = "p", .run_id = kId}).status().code(),
            StatusCode::kConflict);
  auto other = second->begin({"q"});
  run->emit(EventType::kLog, {{field::kMessage, "first"}});
  other->emit(EventType::kLog, {{field::kMessage, "second"}});
  EXPECT_TRUE(run->end());
  EXPECT_TRUE(other->end());
  EXPECT_EQ(store.events().size(), 2U);
}

TEST(Stop, CommitsWhatWasSaidAndRefusesWhatIsSaidLater) {
  Recording it;
  it.run.emit(EventType::kLog, {{field::kMessage, "in time"}});
  EXPECT_TRUE(it.recorder.stop(Recorder::AtStop::kDrain, 60s));

  EXPECT_EQ(it.store.events().size(), 1U);
  EXPECT_FALSE(it.run.emit(EventType::kLog, {{field::kMessage, "late"}}));
  EXPECT_EQ(it.run.end().message(), "log: recording was stopped");
  EXPECT_EQ(it.recorder.begin({"p"}).status().code(), StatusCode::kCancelled);
  EXPECT_TRUE(it.recorder.stop(Recorder::AtStop::kDrain, std::chrono::milliseconds::max()));
}

TEST(Stop, ByDiscardingLosesNobodyInTheSenseOfOnLost) {
  bool told = false;
  Recording it({.pipeline_id = "p", .on_lost = [&told] { told = true; }});
  EXPECT_TRUE(it.recorder.stop(Recorder::AtStop::kDiscard, 60s));
  EXPECT_FALSE(it.run.is_lost());
  EXPECT_FALSE(told);
}

TEST(Statistics, CountCommitsThatTheDiskDidNotTake) {
  Recording it;
  EXPECT_TRUE(it.run.flush());
  EXPECT_EQ(it.recorder.statistics().write_errors, 0U);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit tiny{.rlim_cur = 1, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tiny), 0);
  it.run.logger("l").info("m");
  EXPECT_FALSE(it.run.flush());
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_GE(it.recorder.statistics().write_errors, 1U);
  EXPECT_TRUE(it.run.is_lost());
}

TEST(Drop, IsToldAndCountedAndWhatTheCallbackThrowsIsIgnored) {
  std::vector<EventType> dropped;
  Recording it({.pipeline_id = "p"}, {.ring_bytes = 4096, .on_drop = [&](EventType type) {
                                        dropped.push_back(type);
                                        throw std::runtime_error("x");
                                      }});
  const std::string large(8192, 'x');  // never fits, so that it is dropped whatever the writer does
  EXPECT_FALSE(it.run.try_emit(EventType::kLog, {{field::kMessage, large}}));
  EXPECT_TRUE(it.run.try_emit(EventType::kLog, {{field::kMessage, "small"}}));

  EXPECT_TRUE(it.run.flush());
  EXPECT_THAT(dropped, testing::ElementsAre(EventType::kLog));
  EXPECT_EQ(it.recorder.statistics().dropped, 1U);
  EXPECT_EQ(it.recorder.statistics().emitted, 1U);
  EXPECT_GE(it.recorder.statistics().commits, 1U);
  const auto figures = it.recorder.statistics();
  EXPECT_EQ(figures.drop_rate, 0.5);
  const auto now = std::chrono::system_clock::now();
  ASSERT_TRUE(figures.last_emit && figures.last_drop);
  for (const auto time : {*figures.last_emit, *figures.last_drop}) {
    EXPECT_LE(time, now + 1s);
    EXPECT_GE(time, now - 1min);
  }
}

TEST(Lost, RunsAreToldOnceAndEveryFlushSaysWhy) {
  std::atomic<int> told = 0;
  Recording it({.pipeline_id = "p", .on_lost = [&told] {
                  ++told;
                  throw std::runtime_error("x");
                }});
  std::filesystem::remove_all(it.store.folder / "log");  // the first commit makes a file there

  EXPECT_TRUE(it.run.emit(EventType::kLog, {{field::kMessage, "m"}}));
  EXPECT_FALSE(it.run.flush());
  // The callback runs on the recorder's thread, before whoever waits for a commit goes on.
  EXPECT_TRUE(it.run.is_lost());
  EXPECT_EQ(told, 1);
  EXPECT_FALSE(it.run.emit(EventType::kLog, {{field::kMessage, "m"}}));
  EXPECT_FALSE(it.run.end());
}

TEST(Lost, RunsOfTheParentAreInAForkedChildWhateverOtherThreadsDo) {
  Recording it;
  // Refusals are kept under the run's mutex.
  std::jthread other([&it](const std::stop_token& stop) {
    while (!stop.stop_requested()) it.run.emit(EventType::kNodeCompleted);
  });
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(record::testing_support::holds_in_child([&it] {
      const bool is_taken = it.run.emit(EventType::kLog, {{field::kMessage, "the child's"}}) ||
                            it.run.try_emit(EventType::kLog, {{field::kMessage, "the child's"}});
      return it.run.is_lost() && !is_taken && it.run.flush().code() == StatusCode::kConflict;
    }));
  }
  other.request_stop();
  other.join();
  EXPECT_FALSE(it.run.is_lost());
  EXPECT_TRUE(it.run.emit(EventType::kLog, {{field::kMessage, "the parent's"}}));
  EXPECT_EQ(it.run.flush().code(), StatusCode::kInvalidInput);  // the other thread's
  EXPECT_EQ(it.store.events("log").size(), 1U);
}

TEST(Loggers, HaveLevelsByNameAndFormatPlaces) {
  Recording it;
  EXPECT_TRUE(it.recorder.set_level("noisy", Level::kError));
  EXPECT_EQ(it.recorder.set_level("no name", Level::kError).code(), StatusCode::kInvalidInput);
  EXPECT_EQ(it.recorder.set_sampling("noisy", 7.0).code(), StatusCode::kInvalidInput);
  it.run.logger("noisy.part").warning("not recorded");
  it.run.logger("quiet").debug("not recorded");
  EXPECT_FALSE(it.run.logger("quiet").is_enabled(Level::kDebug));
  const auto log = it.run.logger("loader");
  log.info("{} rows of {}, {} {}", 3, std::string("f.csv"), true, Strings({"a"}));
  log.warning("{}", {{field::kNodeId, "n"}, {"shard", 7}});

  const auto lines = it.events("log");
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(text_of(lines[0], "message"), R"(3 rows of f.csv, true ["a"])");
  EXPECT_EQ(text_of(lines[0], "logger"), "loader");
  EXPECT_EQ(text_of(lines[1], "message"), "{}");
  EXPECT_EQ(text_of(lines[1], "level"), "WARNING");
  EXPECT_EQ(text_of(lines[1], "node_id"), "n");
  EXPECT_EQ(attribute_of(lines[1], "shard"), "7");
}

TEST(Loggers, CarryFieldsWhichTheLineItselfOverrules) {
  Recording it({.pipeline_id = "p", .fields = {{field::kTenantId, "run"}}});
  const auto log = it.run.logger("l").with(field::kTenantId, "logger")->with(field::kNodeId, "n");
  log->info("a");
  log->info("b", {{field::kNodeId, "m"}});
  EXPECT_EQ(it.run.logger("l").with(field::kMessage, "m").status().code(),
            StatusCode::kInvalidInput);

  const auto lines = it.events("log");
  EXPECT_EQ(text_of(lines[0], "tenant_id"), "logger");
  EXPECT_EQ(text_of(lines[0], "node_id"), "n");
  EXPECT_EQ(text_of(lines[1], "node_id"), "m");
}

TEST(Loggers, WriteALineAlsoWhenWhatItSaysIsWrong) {
  Recording it;
  it.run.logger("l").info("m", {{TextField{51}, "x"}});
  const auto line = it.event("log");
  EXPECT_EQ(text_of(line, "message"), "m");
  EXPECT_THAT(attribute_of(line, "weir.refused"), HasSubstr("'rows'"));
}

TEST(Spans, NestAndSayWhatHappenedInThem) {
  Recording it({.pipeline_id = "p", .component = "shop"});
  {
    Span outer = it.run.span("request", {{"user", "u"}, {field::kRows, 2}});
    Span inner = it.run.span("query");
    inner.set_attribute("table", "users");
    inner.add_event("slow", {{"ms", 12}});
    inner.record_error("Timeout", "too slow");
    inner.end();
    it.run.logger("l").info("in the inner span, which is current still");
    outer.set_ok();
  }
  const auto spans = it.events("span");
  ASSERT_EQ(spans.size(), 2U);
  const auto &inner = spans[0], &outer = spans[1];
  EXPECT_EQ(text_of(inner, "operation"), "query");
  EXPECT_EQ(text_of(inner, "component"), "shop");
  EXPECT_EQ(text_of(inner, "parent_span_id"), text_of(outer, "span_id"));
  EXPECT_EQ(text_of(inner, "error_type"), "Timeout");
  EXPECT_EQ(attribute_of(inner, "table"), "users");
  EXPECT_THAT(attribute_of(inner, "span_events"), HasSubstr(R"("attributes":{"ms":12})"));
  EXPECT_EQ(attribute_of(outer, "user"), "u");
  EXPECT_EQ(attribute_of(outer, "rows"), "2");
  EXPECT_EQ(text_of(it.event("log"), "span_id"), text_of(inner, "span_id"));
}

TEST(Spans, GoOnElsewhereByHeaders) {
  Recording it;
  Headers headers;
  {
    const auto base = TraceContext::start().with_baggage("plan", "gold");
    const ContextScope scope(*base);
    const Span span = it.run.span("client");
    headers = TraceContext::current().to_headers();
  }
  const auto received = TraceContext::from_headers(headers);
  EXPECT_EQ(received.baggage("plan"), "gold");
  EXPECT_EQ(received.baggage("none"), std::nullopt);
  {
    const Span span = it.run.span_in(received, "server");
  }

  const auto spans = it.events("span");
  EXPECT_EQ(text_of(spans[1], "trace_id"), text_of(spans[0], "trace_id"));
  EXPECT_EQ(text_of(spans[1], "parent_span_id"), text_of(spans[0], "span_id"));
}

TEST(Contexts, RefuseWhatCannotTravel) {
  const TraceContext none;
  EXPECT_EQ(none.trace_id(), "");
  EXPECT_EQ(none.span_id(), "");
  EXPECT_FALSE(none.with_baggage("no key", "v"));
  EXPECT_FALSE(none.with_id(field::kUserId, "two\nlines"));
  EXPECT_FALSE(none.with_id(field::kNodeId, "n"));
  EXPECT_TRUE(none.with_id(field::kUserId, "u"));
  {
    const ContextScope nothing(none);
  }
}

TEST(Begin, MasksWhatEveryEventOfTheRunSays) {
  const auto token = "ghp_" + std::string(36, 'a') + "4B";
  const auto around = *TraceContext::start().with_id(field::kSessionId, token);
  Recording it({.pipeline_id = token,
                .parent = around,
                .fields = {{field::kRequestId, token}, {field::kUserId, "ann"}}});
  it.run.logger("l").info("clean");
  it.run.logger("l").info("clean");
  const auto lines = it.events("log");
  ASSERT_EQ(lines.size(), 2U);
  for (const auto* name : {"pipeline_id", "request_id", "session_id"}) {
    EXPECT_EQ(text_of(lines[0], name), "[REDACTED:github_token]") << name;
  }
  EXPECT_EQ(text_of(lines[0], "user_id"), "ann");
  EXPECT_EQ(attribute_of(lines[0], "redacted"), R"({"github_token":3})");
  EXPECT_EQ(attribute_of(lines[1], "redacted"), "-");
}

TEST(Redaction, IsWhatTheProgramSays) {
  RecorderOptions options;
  options.redaction.disable = {"email"};
  options.redaction.keys = {{"customer", "customer_name"}};
  options.redaction.patterns = {{"employee", "EMP-", "0-9", 6, 6}};
  options.redaction.literals = {"open sesame"};
  Recording it({.pipeline_id = "p"}, options);
  it.run.logger("l").info("ann@example.com says open sesame to EMP-123456",
                          {{"customer_name", "Ann"}});
  const auto line = it.event("log");
  EXPECT_EQ(text_of(line, "message"),
            "ann@example.com says [REDACTED:secret_value] to [REDACTED:employee]");
  EXPECT_EQ(attribute_of(line, "customer_name"), "[REDACTED:customer]");

  options.redaction.pseudonym_key = "a key of the program's own";
  Recording joined({.pipeline_id = "p"}, options);
  joined.run.logger("l").info("EMP-123456 and EMP-123456");
  const auto message = text_of(joined.event("log"), "message");
  EXPECT_THAT(message, testing::StartsWith("[employee:"));
  EXPECT_EQ(message.substr(0, message.find(' ')), message.substr(message.rfind(' ') + 1));

  options.redaction.enable = {"nothing"};
  const RecordedStore store;
  const auto refused = Recorder::open(store.folder, options);
  EXPECT_EQ(refused.status().code(), StatusCode::kInvalidInput);
  EXPECT_THAT(refused.status().message(), HasSubstr("nothing"));
}

/// Throws or fails as its event says.
class MoodySink final : public Sink {
 public:
  explicit MoodySink(std::vector<std::string>& seen) : seen_(seen) {}
  Status emit(const Event& event) override {
    seen_.push_back(std::string(event.topic) + " " + std::string(event.type) + " " +
                    std::string(event.level) + " " + std::string(event.run_id) + " " +
                    std::to_string(event.run_seq) + " " + std::to_string(event.line.size()));
    if (event.run_seq == 2) return {StatusCode::kIo, "no room"};
    if (event.run_seq == 3) throw std::runtime_error("thrown");
    return {};
  }

 private:
  std::vector<std::string>& seen_;
};

Result<void> give(record::EventSink& sink, int seq) {
  const auto line =
      R"({"timestamp":"2026-01-05T03:00:00.000001Z","event_type":"log","level":"INFO",)"
      R"("pipeline_type":"dag","pipeline_id":"p","pipeline_version":"1","run_id":")" +
      std::string(kId) + R"(","run_seq":)" + std::to_string(seq) + R"(,"message":"m"})";
  event::Decoder decoder;
  const auto view = decoder.decode(line);
  EXPECT_TRUE(view);
  return sink.emit({.topic = "log", .event = **view, .line = line});
}

TEST(Sinks, GetTheEventAndMayFailOrThrow) {
  std::vector<std::string> seen;
  const auto sink = adapt_sink(std::make_unique<MoodySink>(seen));

  EXPECT_TRUE(give(*sink, 1));
  EXPECT_EQ(give(*sink, 2).error(), (Error{ErrorCode::kIo, "no room"}));
  EXPECT_EQ(give(*sink, 3).error().message, "the sink threw: thrown");
  EXPECT_TRUE(sink->flush());
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[0], "log log INFO " + std::string(kId) + " 1 214");
}

/// Does not come back from its first event until it is let go.
class HangingSink final : public Sink {
 public:
  explicit HangingSink(std::shared_ptr<std::latch> let_go) : let_go_(std::move(let_go)) {}
  Status emit(const Event&) override {
    let_go_->wait();
    return {};
  }

 private:
  std::shared_ptr<std::latch> let_go_;
};

class CountingSink final : public Sink {
 public:
  explicit CountingSink(std::shared_ptr<std::atomic<int>> count) : count_(std::move(count)) {}
  Status emit(const Event& event) override {
    ++*count_;
    return event.run_seq == 2 ? Status(StatusCode::kIo, "no room") : Status();
  }

 private:
  std::shared_ptr<std::atomic<int>> count_;
};

TEST(Sinks, ThatHangAreLeftBehindAndKeepNothingFromOthers) {
  const RecordedStore store;
  const auto let_go = std::make_shared<std::latch>(1);
  const auto count = std::make_shared<std::atomic<int>>(0);
  std::mutex mutex;
  std::vector<std::string> problems;
  {
    auto recorder = Recorder::open(store.folder, {.sink_patience = std::chrono::milliseconds(500),
                                                  .on_sink_problem = [&](std::string_view problem) {
                                                    const std::lock_guard lock(mutex);
                                                    problems.emplace_back(problem);
                                                  }});
    ASSERT_TRUE(recorder) << recorder.status().message();
    ASSERT_TRUE(recorder->add_sink(std::make_unique<HangingSink>(let_go)));
    ASSERT_TRUE(recorder->add_sink(std::make_unique<CountingSink>(count)));
    auto run = recorder->begin({.pipeline_id = "p"});
    ASSERT_TRUE(run);
    for (int i = 0; i < 3; ++i) run->logger("l").info("an event");
  }
  EXPECT_EQ(*count, 3);
  EXPECT_THAT(problems,
              ElementsAre("sink 2: no room",
                          HasSubstr("'sink 1' has not taken everything within 500 ms: after 0"),
                          HasSubstr("'sink 1' is left behind after 0 events")));
  let_go->count_down();  // its thread and the sink end by themselves
}

TEST(Sinks, HaveAPatienceWithinLimits) {
  const RecordedStore store;
  for (const auto patience : {std::chrono::milliseconds(0), std::chrono::milliseconds(3'600'001)}) {
    EXPECT_EQ(Recorder::open(store.folder, {.sink_patience = patience}).status().code(),
              StatusCode::kInvalidInput);
  }
}

TEST(Sinks, ThatAreNoneAreRefused) {
  Recording it;
  EXPECT_EQ(it.recorder.add_sink(nullptr).code(), StatusCode::kInvalidInput);
}

}  // namespace
}  // namespace weir::embed
