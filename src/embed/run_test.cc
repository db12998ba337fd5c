#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "embed/counted_allocations.h"
#include "embed/recorded_store.h"

namespace weir::embed {
namespace {

using testing::HasSubstr;
using testing_support::attribute_of;
using testing_support::RecordedStore;
using testing_support::Recording;
using testing_support::text_of;

TEST(Emit, WritesFieldsOfEveryKindAndAttributes) {
  Recording it;
  const std::vector<std::string> keys = {"rows", "path"};

  EXPECT_TRUE(
      it.run.emit(EventType::kNodeCompleted, {{field::kNodeId, "load"},
                                              {field::kPluginId, std::string("app")},
                                              {field::kToolId, "read"},
                                              {field::kStepIndex, 0U},
                                              {field::kDurationMs, 12.5},
                                              {field::kOutputKeys, keys},
                                              {field::kCacheHit, true},
                                              {field::kOutput, Json{"{\"rows\":\n 3}"}},
                                              {"shard", 7},
                                              {"big", std::numeric_limits<std::uint64_t>::max()},
                                              {"who", "me \"and\" you"},
                                              {"nothing", nullptr},
                                              {"parts", Json{"[1, 2]"}},
                                              {"names", Strings({"a", "b"})}}));

  const auto event = it.event("pipeline_node_completed");
  EXPECT_EQ(text_of(event, "level"), "INFO");
  EXPECT_EQ(text_of(event, "node_id"), "load");
  EXPECT_EQ(text_of(event, "step_index"), "0");
  EXPECT_EQ(text_of(event, "duration_ms"), "12.5");
  EXPECT_EQ(text_of(event, "output_keys"), R"(["rows","path"])");
  EXPECT_EQ(text_of(event, "cache_hit"), "true");
  EXPECT_EQ(text_of(event, "output"), R"({"rows":3})");
  EXPECT_EQ(attribute_of(event, "shard"), "7");
  EXPECT_EQ(attribute_of(event, "big"), "18446744073709551615");
  EXPECT_EQ(attribute_of(event, "who"), "me \"and\" you");
  EXPECT_EQ(attribute_of(event, "nothing"), "null");
  EXPECT_EQ(attribute_of(event, "parts"), "[1,2]");
  EXPECT_EQ(attribute_of(event, "names"), R"(["a","b"])");
}

/// Values for whatever a type must have.
std::vector<Field> required_fields(const event::TypeInfo& type) {
  std::vector<Field> fields;
  for (const auto required : type.required) {
    const auto index = static_cast<std::uint8_t>(required);
    switch (event::info(required).type) {
      case event::FieldType::kInteger:
        fields.emplace_back(IntegerField{index}, 1);
        break;
      case event::FieldType::kNumber:
        fields.emplace_back(NumberField{index}, 1.5);
        break;
      case event::FieldType::kStrings:
        fields.emplace_back(StringsField{index}, Strings());
        break;
      default:
        fields.emplace_back(TextField{index}, "x");
    }
  }
  return fields;
}

TEST(Emit, TakesEveryTypeOfTheCatalogueWithWhatItMustHaveAndWithoutAnyOfItNone) {
  Recording it;
  for (const auto& type : event::types()) {
    SCOPED_TRACE(type.name);
    const auto name = EventName(static_cast<EventType>(type.type));
    auto fields = required_fields(type);

    EXPECT_TRUE(it.run.emit(name, fields));
    EXPECT_TRUE(it.run.flush());
    if (fields.empty()) continue;
    fields.pop_back();
    EXPECT_FALSE(it.run.emit(name, fields));
    const auto status = it.run.flush();
    EXPECT_EQ(status.code(), StatusCode::kInvalidInput);
    EXPECT_THAT(status.message(), HasSubstr(event::info(type.required.back()).name));
  }
  EXPECT_EQ(it.store.events().size(), event::kTypeCount);
}

TEST(Emit, SaysTheLevelThatIsAskedFor) {
  Recording it;
  it.run.emit({EventType::kLog, Level::kFatal}, {{field::kMessage, "m"}});
  EXPECT_EQ(text_of(it.event("log"), "level"), "FATAL");
}

TEST(Emit, KnowsTypesOfTheCatalogueByName) {
  Recording it;
  EXPECT_TRUE(it.run.emit("alert_fired", {{field::kMessage, "m"}}));
  EXPECT_EQ(text_of(it.event("alert_fired"), "level"), "ERROR");
  EXPECT_FALSE(it.run.emit("alert_fired"));
  EXPECT_EQ(it.run.flush().code(), StatusCode::kInvalidInput);
}

TEST(Emit, RecordsACustomTypeUnderItsName) {
  Recording it;
  EXPECT_TRUE(it.run.emit({"deploy.started", Level::kWarning}, {{"version", "1.2"}}));
  const auto event = it.event("deploy.started");
  EXPECT_EQ(text_of(event, "level"), "WARNING");
  EXPECT_EQ(attribute_of(event, "version"), "1.2");
}

TEST(Emit, RefusesWhatIsMalformedAndTheNextFlushSaysSoOnce) {
  const struct {
    EventName name;
    std::vector<Field> fields;
    const char* says;
  } cases[] = {
      {EventType::kCacheHit, {}, "cache_hit: without 'node_id'"},
      {EventType::kLog,
       {{field::kMessage, "a"}, {field::kMessage, "b"}},
       "'message' is said twice"},
      {EventType::kLog, {{field::kMessage, "a"}, {field::kCpuMs, std::nan("")}}, "not a finite"},
      {EventType::kLog, {{field::kMessage, "a"}, {field::kRows, ~0ULL}}, "'rows': more than 64"},
      {EventType::kLog, {{field::kMessage, "a"}, {field::kParams, Json{"{"}}}, "'params': "},
      {EventType::kLog, {{field::kMessage, "a"}, {field::kParams, Json{"[]"}}}, "an object was"},
      {EventType::kLog, {{field::kMessage, "a"}, {"part", Json{"nul"}}}, "the attribute 'part'"},
      // What no constant says: somebody made the field up.
      {EventType::kLog,
       {{field::kMessage, "a"}, {TextField{51}, "x"}},
       "'rows' is of another type"},
      {EventType::kLog, {{field::kMessage, "a"}, {TextField{1}, "x"}}, "no field of index 1"},
      {EventType::kLog, {{field::kMessage, "a"}, {TextField{200}, "x"}}, "no field of index 200"},
      {static_cast<EventType>(250), {}, "no such type"},
      {{EventType::kLog, static_cast<Level>(9)}, {{field::kMessage, "a"}}, "no such level"},
      {"Not A Name", {}, "[a-z][a-z0-9_.]*"},
      {"", {}, "[a-z][a-z0-9_.]*"},
  };
  Recording it;
  for (const auto& [name, fields, says] : cases) {
    SCOPED_TRACE(says);
    EXPECT_FALSE(it.run.emit(name, fields));
    const auto status = it.run.flush();
    EXPECT_FALSE(status);
    EXPECT_THAT(status.message(), HasSubstr(says));
    EXPECT_TRUE(it.run.flush());
  }
  EXPECT_TRUE(it.store.events().empty());
  EXPECT_EQ(it.recorder.statistics().refused, std::size(cases));
  EXPECT_EQ(it.recorder.statistics().emitted, 0U);
}

TEST(Emit, RefusesAttributesWithoutALimit) {
  Recording it;
  const std::string large(std::size_t{2} << 20, 'x');
  EXPECT_FALSE(it.run.emit(EventType::kLog, {{field::kMessage, "m"}, {"large", large}}));
  EXPECT_EQ(it.run.flush().code(), StatusCode::kExhausted);
  EXPECT_TRUE(it.run.emit(EventType::kLog, {{field::kMessage, large}}));
  EXPECT_EQ(text_of(it.event("log"), "message").size(), large.size());
}

TEST(Emit, DoesNotAllocateForFieldsOfTheCatalogue) {
  Recording it({.pipeline_id = "p", .fields = {{field::kTenantId, "acme"}}});
  const auto span = it.run.span("s");
  const auto emit = [&] {
    it.run.emit(EventType::kProviderCallCompleted, {{field::kProvider, "p"},
                                                    {field::kOperation, "o"},
                                                    {field::kDurationMs, 1.5},
                                                    {field::kRows, 7},
                                                    {"shard", 7}});
  };
  emit();  // the thread's buffers are made
  const auto before = testing_support::allocations_of_this_thread();
  constexpr int kEvents = 100;
  for (int i = 0; i < kEvents; ++i) emit();
  EXPECT_EQ(testing_support::allocations_of_this_thread(), before);
  EXPECT_EQ(it.events("provider_call_completed").size(), kEvents + 1U);
}

TEST(Emit, PutsEventsIntoTheCurrentSpanAndGivesThemTheIdsOfContextThenRun) {
  Recording it({.pipeline_id = "p",
                .fields = {{field::kTenantId, "acme"},
                           {field::kUserId, "u-run"},
                           {field::kEnvironmentId, "test"}}});
  {
    const auto scope_context = TraceContext::start().with_id(field::kUserId, "u-request");
    const ContextScope scope(*scope_context);
    const auto span = it.run.span("request");
    it.run.emit(EventType::kNotification, {{field::kMessage, "m"}});

    const auto event = it.event("notification");
    EXPECT_EQ(text_of(event, "trace_id"), span.context().trace_id());
    EXPECT_EQ(text_of(event, "span_id"), span.context().span_id());
    EXPECT_EQ(text_of(event, "user_id"), "u-request");
    EXPECT_EQ(text_of(event, "tenant_id"), "acme");
    EXPECT_EQ(text_of(event, "environment_id"), "test");
  }
  it.run.emit(EventType::kAudit,
              {{field::kActorId, "a"}, {field::kOperation, "o"}, {field::kTenantId, "other"}});
  const auto outside = it.event("audit");
  EXPECT_EQ(text_of(outside, "trace_id"), it.run.context().trace_id());
  EXPECT_EQ(text_of(outside, "span_id"), "-");
  EXPECT_EQ(text_of(outside, "user_id"), "u-run");
  EXPECT_EQ(text_of(outside, "tenant_id"), "other");
}

TEST(RunEnd, NothingIsTakenAfterIt) {
  Recording it;
  const auto log = it.run.logger("late");
  auto node = it.run.start_node({"n"});
  EXPECT_TRUE(it.run.end());

  EXPECT_FALSE(it.run.emit(EventType::kLog, {{field::kMessage, "late"}}));
  EXPECT_FALSE(it.run.try_emit(EventType::kLog, {{field::kMessage, "late"}}));
  EXPECT_FALSE(node.completed());
  log.error("late");
  {
    const auto span = it.run.span("late");
  }

  const auto status = it.run.end();
  EXPECT_EQ(status.code(), StatusCode::kCancelled);
  EXPECT_EQ(status.message(), "log: the run has ended");
  EXPECT_EQ(it.store.events().size(), 1U);
  EXPECT_EQ(it.recorder.statistics().refused, 4U);
}

TEST(RunEnd, LoggersAndSpansMayOutliveRunAndRecorder) {
  RecordedStore store;
  auto log = std::optional<Logger>();
  {
    auto recorder = Recorder::open(store.folder);
    auto run = recorder->begin({"p"});
    log = run->logger("l");
    log->info("in time");
  }
  log->info("too late");
  log.reset();
  EXPECT_EQ(store.events("log").size(), 1U);
}

TEST(Pipeline, SaysWhatItsHelpersWereTold) {
  Recording it;
  it.run.pipeline_started({.entry_nodes = {"a"}, .output_nodes = {"b"}, .node_count = 2});
  it.run.start_node({.node_id = "a", .plugin_id = "sql", .tool_id = "query"})
      .completed({"rows"}, {{field::kRows, 3}});
  auto b = it.run.start_node({.node_id = "b", .step_index = 1, .predecessors = {"a"}});
  EXPECT_TRUE(b.failed("Timeout", "too slow"));
  EXPECT_FALSE(b.completed());
  auto again =
      it.run.start_node({.node_id = "b", .step_index = 1, .predecessors = {"a"}, .attempt = 2});
  again.completed();
  it.run.pipeline_completed({"b"});

  const auto started = it.event("pipeline_started");
  EXPECT_EQ(text_of(started, "entry_nodes"), R"(["a"])");
  const auto failed = it.event("pipeline_node_failed");
  EXPECT_EQ(text_of(failed, "attempt"), "1");
  EXPECT_EQ(text_of(failed, "error_type"), "Timeout");
  const auto completed = it.events("pipeline_node_completed");
  ASSERT_EQ(completed.size(), 2U);
  EXPECT_EQ(text_of(completed[0], "rows"), "3");
  EXPECT_EQ(text_of(completed[0], "plugin_id"), "sql");
  EXPECT_EQ(text_of(completed[1], "attempt"), "2");
  const auto end = it.event("pipeline_completed");
  EXPECT_EQ(text_of(end, "node_count"), "2");
  EXPECT_EQ(text_of(end, "success_count"), "2");
  EXPECT_EQ(text_of(end, "failed_count"), "0");
  EXPECT_EQ(text_of(end, "output_node_ids"), R"(["b"])");
}

TEST(Pipeline, ANodeThatNobodyEndsHasFailed) {
  Recording it;
  {
    const auto node = it.run.start_node({"forgotten"});
  }
  try {
    const auto node = it.run.start_node({"thrown"});
    throw std::runtime_error("x");
  } catch (const std::runtime_error&) {
    it.run.pipeline_failed("runtime_error", "x");
  }
  const auto failed = it.events("pipeline_node_failed");
  ASSERT_EQ(failed.size(), 2U);
  EXPECT_EQ(text_of(failed[0], "error_type"), "abandoned");
  EXPECT_EQ(text_of(failed[1], "error_type"), "exception");
  EXPECT_EQ(text_of(it.event("pipeline_failed"), "failed_node_id"), "forgotten");
}

TEST(Pipeline, FailsWithoutANodeThatFailed) {
  Recording it;
  it.run.pipeline_failed("Refused", "no input");
  EXPECT_EQ(text_of(it.event("pipeline_failed"), "failed_node_id"), "null");
}

TEST(ThreadsOfARun, NumberTheirEventsWithoutHoles) {
  Recording it;
  constexpr int kThreads = 3;
  constexpr int kEvents = 1000;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&it] {
      const auto log = it.run.logger("worker");
      for (int n = 0; n < kEvents; ++n) {
        if (n % 2 == 0) {
          it.run.emit(EventType::kLog, {{field::kMessage, "even"}, {"n", n}});
        } else {
          log.info("odd {}", n);
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_TRUE(it.run.end());

  const auto events = it.store.events();
  ASSERT_EQ(events.size(), std::size_t{kThreads} * kEvents);
  for (std::size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(text_of(events[i], "run_seq"), std::to_string(i + 1));
  }
}

}  // namespace
}  // namespace weir::embed
