#include "weir/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "embed_engine/engine_testing.h"
#include "weir/interceptors.h"

// Programs run pipelines through the headers of include/weir/ alone.
namespace weir {
namespace {

using embed::testing_support::EngineInProgram;

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(EngineInProgram, RunsAPipelineOfItsFoldersById) {
  pipeline("p.yaml", R"(
id: p
params: {v: {type: integer, default: 1}}
nodes:
  - {id: a, plugin_id: x, tool_id: echo, with: {a: '${params.v}', key: '${secrets.KEY}'}}
)");
  auto engine = open({{"KEY", "hush-hush"}});
  RunRequestOptions options;
  options.params = R"({"v": 7})";
  options.run_id = engine.new_run_id();
  const auto run = engine.run_pipeline("p", R"({"day": 3})", options);
  ASSERT_TRUE(run) << run.status().message();
  EXPECT_EQ(run->run_id, options.run_id);
  EXPECT_TRUE(run->is_completed());
  EXPECT_EQ(run->result, R"({"day":3,"a":7,"key":"hush-hush"})");
  EXPECT_THAT(all_lines(), AllOf(HasSubstr("pipeline_fetched"), HasSubstr("pipeline_completed"),
                                 testing::Not(HasSubstr("hush-hush"))));
}

TEST_F(EngineInProgram, SaysWhatIsWrongAndRecordsThatItWasAsked) {
  pipeline("p.yaml", "id: p\nnodes: [{id: a, plugin_id: x, tool_id: ecko}]\n");
  auto engine = open();
  const auto run = engine.run_pipeline("p");
  ASSERT_TRUE(run);
  EXPECT_EQ(run->end, RunEnd::kRefused);
  EXPECT_THAT(run->error_message, HasSubstr("did you mean 'echo'?"));
  EXPECT_THAT(all_lines(), HasSubstr(run->run_id));
  EXPECT_EQ(engine.run_pipeline("q").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(engine.run_pipeline("p", "[]").status().code(), StatusCode::kInvalidInput);
  RunRequestOptions options;
  options.run_id = "none";
  EXPECT_EQ(engine.run_pipeline("p", "{}", options).status().code(), StatusCode::kInvalidInput);
  const auto secret = engine.run_definition(
      R"({"id": "s", "nodes": [{"id": "a", "plugin_id": "x", "tool_id": "echo",
          "with": {"a": "${secrets.NONE}"}}]})");
  ASSERT_TRUE(secret);
  EXPECT_THAT(secret->error_message, HasSubstr("secret 'NONE'"));
}

TEST_F(EngineInProgram, HoldsEdgesToTheTypesOfItsTools) {
  auto engine = open();
  const auto nothing = [](ToolCall&) -> ToolResult { return ToolOutput{}; };
  ToolName tables{"x", "tables"};
  tables.output_types = {"table"};
  ToolName text{"x", "text"};
  text.input_types = {"text"};
  ASSERT_TRUE(engine.add_tool(tables, nothing));
  ASSERT_TRUE(engine.add_tool(text, nothing));
  const auto run = engine.run_definition(R"(
id: p
nodes:
  - {id: a, plugin_id: x, tool_id: tables}
  - {id: b, plugin_id: x, tool_id: text, needs: [a]}
)");
  ASSERT_TRUE(run);
  EXPECT_EQ(run->end, RunEnd::kRefused);
  EXPECT_THAT(run->error_message, AllOf(HasSubstr("table"), HasSubstr("text")));
}

TEST_F(EngineInProgram, RecordsHowToolsFail) {
  auto engine = open();
  ASSERT_TRUE(engine.add_tool({"x", "fail"}, [](ToolCall&) -> ToolResult {
    return ToolFailure{"NoShop", "there is no shop", false};
  }));
  ASSERT_TRUE(engine.add_tool(
      {"x", "throw"}, [](ToolCall&) -> ToolResult { throw std::runtime_error("it broke"); }));
  ASSERT_TRUE(engine.add_tool({"x", "number"}, [](ToolCall&) -> ToolResult { throw 7; }));
  ASSERT_TRUE(engine.add_tool({"x", "words"},
                              [](ToolCall&) -> ToolResult { return ToolOutput{"no JSON"}; }));
  for (const auto& [tool, type] : {std::pair("fail", "NoShop"),
                                   {"throw", "std::runtime_error"},
                                   {"number", "unknown"},
                                   {"words", "OutputNotJson"}}) {
    const auto run = engine.run_definition(R"({"id": "p", "nodes": [{"id": "a", "plugin_id": "x",
                                               "tool_id": ")" +
                                           std::string(tool) + "\"}]}");
    ASSERT_TRUE(run) << run.status().message();
    EXPECT_EQ(run->end, RunEnd::kFailed);
    EXPECT_EQ(run->failed_node_id, "a");
    EXPECT_EQ(run->error_type, type);
  }
  for (const auto& line : lines()) {
    EXPECT_EQ(line.contains("pipeline_node_failed"), line.contains(R"("cpu_ms":)")) << line;
  }
}

TEST_F(EngineInProgram, GivesAToolWhatItMaySay) {
  auto engine = open();
  ASSERT_TRUE(engine.add_tool({"x", "say"}, [](ToolCall& call) -> ToolResult {
    call.log(Level::kWarning, "mind the gap");
    EXPECT_TRUE(call.emit("page.read", R"({"page": 4})"));
    EXPECT_EQ(call.emit("page.read", "4").code(), StatusCode::kInvalidInput);
    EXPECT_FALSE(call.emit("pipeline_started"));
    EXPECT_FALSE(call.idempotency_key().empty());
    return ToolOutput{R"({"node": ")" + std::string(call.node_id()) + "\"}", 12};
  }));
  const auto run = engine.run_definition("id: p\nnodes: [{id: a, plugin_id: x, tool_id: say}]\n",
                                         R"({"in": 1})");
  ASSERT_TRUE(run);
  EXPECT_EQ(run->result, R"({"in":1,"node":"a"})");
  EXPECT_THAT(all_lines(), AllOf(HasSubstr("mind the gap"), HasSubstr(R"("page.read")"),
                                 HasSubstr(R"("rows":12)")));
}

class Changing final : public Interceptor {
 public:
  [[nodiscard]] std::string_view name() const override { return "changing"; }
  std::optional<ToolResult> before(const CallPlace& place, ToolCall& call) override {
    seen.push_back(std::string(place.pipeline_id) + "." + std::string(call.node_id()) + " " +
                   std::string(place.tool_id) + " " + std::to_string(place.attempt));
    if (call.node_id() == "known") return ToolOutput{R"({"known": true})"};
    return {};
  }
  void after(const CallPlace&, ToolCall&, ToolResult& result) override {
    if (auto* output = std::get_if<ToolOutput>(&result)) output->payload = R"({"changed": 1})";
  }
  std::vector<std::string> seen;
};

TEST_F(EngineInProgram, RecordsWhatAToolSaysOfItsTables) {
  auto engine = open();
  ASSERT_TRUE(engine.add_tool({"x", "sum"}, [](ToolCall&) -> ToolResult {
    return ToolOutput{.payload = "{}",
                      .rows = 1,
                      .lineage = R"({"rows_in":{"orders":4},)"
                                 R"("schema_out":[{"name":"total","type":"DOUBLE"}]})"};
  }));
  ASSERT_TRUE(engine.add_tool({"x", "guess"}, [](ToolCall&) -> ToolResult {
    return ToolOutput{.lineage = R"({"rows_in":4})"};
  }));
  // What stands around a tool and changes its output keeps what it says.
  ASSERT_TRUE(engine.add_interceptor(std::make_shared<Changing>()));
  const auto run = engine.run_definition(R"(
id: p
nodes:
  - {id: a, plugin_id: x, tool_id: sum}
  - {id: b, plugin_id: x, tool_id: guess, needs: [a]}
)");
  ASSERT_TRUE(run) << run.status().message();
  EXPECT_EQ(run->end, RunEnd::kCompleted);
  EXPECT_THAT(all_lines(), AllOf(HasSubstr(R"("rows":1,)"),
                                 HasSubstr(R"("attributes":{"rows_in":{"orders":4},)"
                                           R"("schema_out":[{"name":"total","type":"DOUBLE"}]})"),
                                 HasSubstr("passed over: 'rows_in' is no object of numbers")));
}

TEST_F(EngineInProgram, LetsInterceptorsStandAroundItsTools) {
  auto engine = open();
  const auto changing = std::make_shared<Changing>();
  ASSERT_TRUE(engine.add_interceptor(changing));
  const auto run = engine.run_definition(R"(
id: p
nodes:
  - {id: a, plugin_id: x, tool_id: echo}
  - {id: known, plugin_id: x, tool_id: echo, needs: [a]}
output_nodes: [a, known]
)");
  ASSERT_TRUE(run) << run.status().message();
  EXPECT_EQ(run->result, R"({"changed":1,"known":true})");
  EXPECT_THAT(changing->seen, ElementsAre("p.a echo 1", "p.known echo 1"));
}

TEST_F(EngineInProgram, SaysWhoMayAskWhat) {
  EngineOptions roles;
  roles.role_of = [](std::string_view actor) {
    return actor == "ada" ? Role::kAdmin : Role::kOperator;
  };
  auto opened = Engine::open(folder_ / "store", roles);
  ASSERT_TRUE(opened) << opened.status().message();
  auto& engine = *opened;
  SignalKind kind;
  kind.name = "rebalance";
  kind.role = Role::kEngineer;
  int done = 0;
  kind.act = [&](const SignalView&) { ++done; };
  ASSERT_TRUE(engine.add_signal(kind));
  ASSERT_TRUE(engine.add_tool({"x", "ask"}, [&](ToolCall& call) -> ToolResult {
    for (const auto* actor : {"ben", "ada"}) {
      Signal signal;
      signal.type = "rebalance";
      signal.actor_id = actor;
      EXPECT_TRUE(engine.signal(call.run_id(), signal));
    }
    return ToolOutput{};
  }));
  ASSERT_TRUE(engine.run_definition("id: p\nnodes: [{id: a, plugin_id: x, tool_id: ask}]\n"));
  EXPECT_EQ(done, 1);
  EXPECT_THAT(all_lines(), HasSubstr("AUTHZ_DENIED"));
}

TEST_F(EngineInProgram, IsAskedByItsOwnProgram) {
  auto engine = open();
  std::string told;
  SignalKind kind;
  kind.name = "tell";
  kind.needs = {"word"};
  kind.act = [&](const SignalView& signal) { told = signal.payload; };
  ASSERT_TRUE(engine.add_signal(kind));
  kind.name = "pause";
  EXPECT_EQ(engine.add_signal(kind).code(), StatusCode::kInvalidInput);
  ASSERT_TRUE(engine.add_tool({"x", "ask"}, [&](ToolCall& call) -> ToolResult {
    Signal tell;
    tell.type = "tell";
    tell.payload = R"({"word": "hello"})";
    EXPECT_TRUE(engine.signal(call.run_id(), tell));
    Signal cancel;
    cancel.type = "cancel";
    EXPECT_TRUE(engine.signal(call.run_id(), cancel));
    while (!call.is_cancelled()) std::this_thread::yield();
    return ToolFailure{"Stopped", "it was asked to stop"};
  }));
  RunRequestOptions options;
  options.tenant_id = "acme";
  const auto run =
      engine.run_definition("id: p\nnodes: [{id: a, plugin_id: x, tool_id: ask}]\n", "{}", options);
  ASSERT_TRUE(run);
  EXPECT_EQ(run->end, RunEnd::kCancelled);
  for (const auto& line : lines()) {
    if (!line.contains(R"("event_type":"signal_)")) continue;
    EXPECT_THAT(line, HasSubstr(R"("tenant_id":"acme")"));
  }
  EXPECT_EQ(told, R"({"word":"hello"})");
  Signal late;
  late.type = "pause";
  EXPECT_EQ(engine.signal(run->run_id, late).code(), StatusCode::kNotFound);
}

TEST_F(EngineInProgram, HasInterceptorsOfWeir) {
  auto engine = open();
  const auto once = std::make_shared<IdempotencyInterceptor>();
  const auto tracing = std::make_shared<TracingInterceptor>();
  const auto metrics = std::make_shared<MetricsInterceptor>();
  for (const auto& one : std::initializer_list<std::shared_ptr<Interceptor>>{
           once, tracing, metrics, std::make_shared<LoggingInterceptor>()}) {
    ASSERT_TRUE(engine.add_interceptor(one));
  }
  int calls = 0;
  ASSERT_TRUE(engine.add_tool({"x", "count"}, [&](ToolCall&) -> ToolResult {
    if (++calls == 1) return ToolFailure{"Busy", "not yet", true};
    return ToolOutput{R"({"calls": )" + std::to_string(calls) + "}"};
  }));
  RunRequestOptions options;
  options.idempotency_key = "order 7";
  for (int i = 0; i < 2; ++i) {
    const auto run = engine.run_definition(R"(
id: p
nodes: [{id: a, plugin_id: x, tool_id: count, retry: {max_attempts: 2, delay: 1ms}}]
)",
                                           "{}", options);
    ASSERT_TRUE(run) << run.status().message();
    EXPECT_EQ(run->result, R"({"calls":2})") << run->error_message;
  }
  EXPECT_EQ(once->size(), 1U);
  const auto spans = tracing->spans();
  ASSERT_EQ(spans.size(), 2U);
  EXPECT_EQ(spans[0].name, "stage.a");
  EXPECT_EQ(spans[0].status, "failed");
  EXPECT_EQ(spans[0].error_type, "Busy");
  EXPECT_EQ(spans[1].attempt, 2);
  EXPECT_THAT(all_lines(), AllOf(HasSubstr(spans[1].trace_id), HasSubstr(spans[1].span_id),
                                 HasSubstr(R"("logger":"stage_interceptor")")));
  const auto stages = metrics->stages();
  ASSERT_TRUE(stages.contains("a"));
  EXPECT_EQ(stages.at("a").started, 2U);
  EXPECT_EQ(stages.at("a").ended.at("completed"), 1U);
  EXPECT_EQ(stages.at("a").errors.at("Busy"), 1U);
}

TEST_F(EngineInProgram, KnowsItsCircuitsAndErrors) {
  auto engine = open();
  ASSERT_TRUE(engine.add_tool({"x", "ask"}, [](ToolCall&) -> ToolResult {
    return ToolFailure{"NoAnswer", "nobody answers", true};
  }));
  // Circuits are the process's, and so of all rounds of this test.
  const auto provider = "in-program-" + std::to_string(random_bits());
  EXPECT_EQ(circuit_status("ask", provider).state, CircuitState::kClosed);
  const auto asks = R"(
id: p
nodes:
  - id: a
    plugin_id: x
    tool_id: ask
    circuit_breaker: {operation: ask, provider: )" +
                    provider + R"(, failures: 1, open_for: 1h}
)";
  const auto first = engine.run_definition(asks);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->error_type, "NoAnswer");
  EXPECT_EQ(first->error_code, "");
  const auto second = engine.run_definition(asks);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->error_code, "CIRCUIT_OPEN");
  const auto status = circuit_status("ask", provider);
  EXPECT_EQ(status.state, CircuitState::kOpen);
  EXPECT_EQ(status.failed, 1U);
  EXPECT_EQ(status.refused, 1U);
  EXPECT_THAT(status.reason, HasSubstr("nobody answers"));

  const auto summary = summarize({"TIMEOUT", std::string(1000, 'x')});
  EXPECT_EQ(summary.code, "TIMEOUT");
  EXPECT_TRUE(summary.is_retryable);
  EXPECT_LE(summary.message.size(), 500U);
  EXPECT_THAT(to_string(summary), HasSubstr("TIMEOUT: xx"));
}

TEST_F(EngineInProgram, StreamsFromToolToTool) {
  auto engine = open();
  ASSERT_TRUE(engine.add_tool({"x", "speak"}, [](ToolCall& call) -> ToolResult {
    EXPECT_FALSE(call.stream_in());
    EXPECT_EQ(call.streams_out().size(), 1U);
    auto out = call.stream_out("hear");
    if (!out) return ToolFailure{"NoStream", "nobody hears"};
    EXPECT_EQ(out->node_id(), "hear");
    EXPECT_EQ(out->write(std::string(StreamWriter::kMaxChunkBytes + 1, ' ')).status().code(),
              StatusCode::kInvalidInput);
    for (int i = 0; i < 5; ++i) {
      const auto written = out->write(std::string(3200, 's'));  // 100 ms
      EXPECT_TRUE(written) << written.status().message();
    }
    return ToolOutput{};
  }));
  ASSERT_TRUE(engine.add_tool({"x", "hear"}, [](ToolCall& call) -> ToolResult {
    auto in = call.stream_in();
    JitterOptions options;
    options.max = std::chrono::milliseconds(300);
    auto buffer = JitterBuffer::make(call, options);
    if (!in || !buffer) return ToolFailure{"NoStream", buffer.status().message()};
    std::int64_t frames = 0;
    while (true) {
      const auto chunk = in->read();
      EXPECT_TRUE(chunk) << chunk.status().message();
      if (!chunk || !*chunk) break;
      EXPECT_EQ((**chunk).frame_index, frames++);
      EXPECT_TRUE(buffer->add((**chunk).bytes));
    }
    EXPECT_EQ(buffer->add("odd").code(), StatusCode::kInvalidInput);
    EXPECT_TRUE(buffer->is_ready());
    const auto heard = buffer->read(std::chrono::seconds(1));
    EXPECT_TRUE(buffer->statistics().is_underrun);
    EXPECT_TRUE(buffer->add(heard));
    EXPECT_EQ(buffer->read(std::chrono::milliseconds(10)).size(), 320U);
    return ToolOutput{R"({"frames": )" + std::to_string(frames) + "}"};
  }));
  const auto run = engine.run_definition(R"(
id: p
nodes:
  - {id: speak, plugin_id: x, tool_id: speak}
  - {id: hear, plugin_id: x, tool_id: hear}
edges: [{from_node: speak, to_node: hear, stream: {capacity: 2}}]
output_nodes: [hear]
)");
  ASSERT_TRUE(run) << run.status().message();
  EXPECT_EQ(run->result, R"({"frames":5})") << run->error_message;
  EXPECT_THAT(all_lines(),
              AllOf(HasSubstr("stream_queue_closed"), HasSubstr("stream_buffer_overflow"),
                    HasSubstr("stream_buffer_underrun"), HasSubstr("stream_buffer_recovered")));
}

TEST_F(EngineInProgram, RefusesAJitterBufferThatHoldsNothing) {
  auto engine = open();
  ASSERT_TRUE(engine.add_tool({"x", "hear"}, [](ToolCall& call) -> ToolResult {
    JitterOptions options;
    options.channels = 0;
    EXPECT_EQ(JitterBuffer::make(call, options).status().code(), StatusCode::kInvalidInput);
    options.channels = 1;
    options.max = options.target / 2;
    EXPECT_EQ(JitterBuffer::make(call, options).status().code(), StatusCode::kInvalidInput);
    return ToolOutput{};
  }));
  const auto run = engine.run_definition("id: p\nnodes: [{id: a, plugin_id: x, tool_id: hear}]\n");
  ASSERT_TRUE(run);
  EXPECT_TRUE(run->is_completed());
}

class Noted final : public RunLogger, public ProviderCallLogger {
 public:
  void log_run_started(const RunStarted& run) override {
    notes.push_back("started " + std::string(run.pipeline_id));
  }
  void log_run_completed(const RunEnded& run) override { notes.push_back(std::string(run.status)); }
  void log_run_failed(const RunEnded& run) override {
    notes.push_back("failed " + std::string(run.failed_node_id) + " " +
                    std::string(run.error_type));
  }
  void log_call_start(const ProviderCallStarted& call) override {
    notes.push_back(std::string(call.operation) + " of " + std::string(call.provider) + " " +
                    std::string(call.context));
  }
  void log_call_end(const ProviderCallEnded& call) override {
    notes.push_back(call.success ? std::string(call.metrics) : std::string(call.error_type));
  }
  std::vector<std::string> notes;
};

TEST_F(EngineInProgram, TellsTheLoggersOfItsProgram) {
  auto engine = open();
  const auto noted = std::make_shared<Noted>();
  engine.set_run_logger(noted);
  engine.set_provider_call_logger(noted);
  ASSERT_TRUE(engine.add_tool({"x", "ask"}, [](ToolCall& call) -> ToolResult {
    ProviderCall::What what;
    what.operation = "chat";
    what.provider = "acme";
    what.context = R"({"turn":1})";
    ProviderUsage usage;
    usage.input_tokens = 12;
    ProviderCall good(call, what);
    EXPECT_EQ(good.id().size(), 36U);
    good.completed(usage);
    ProviderCall bad(call, what);
    bad.failed({"RateLimited", "too often", true});
    return ToolFailure{"NoAnswer", "nobody answers", false};
  }));
  const auto run = engine.run_definition("id: p\nnodes: [{id: a, plugin_id: x, tool_id: ask}]\n");
  ASSERT_TRUE(run);
  EXPECT_THAT(
      noted->notes,
      ElementsAre("started p", R"(chat of acme {"turn":1})", HasSubstr(R"("input_tokens":12)"),
                  R"(chat of acme {"turn":1})", "RateLimited", "failed a NoAnswer"));
  EXPECT_THAT(all_lines(),
              AllOf(HasSubstr("provider_call_completed"), HasSubstr("provider_call_failed")));
}

TEST_F(EngineInProgram, RunsPipelinesInsidePipelines) {
  pipeline("inner.yaml",
           "id: inner\nnodes: [{id: i, plugin_id: x, tool_id: echo, with: {i: 5}}]\n");
  pipeline("outer.yaml", "id: outer\nnodes: [{id: o, pipeline: inner}]\n");
  auto engine = open();
  std::vector<ChildRun> children;
  RunRequestOptions options;
  options.run_id = engine.new_run_id();
  ASSERT_TRUE(engine.add_tool({"x", "echo"}, [&](ToolCall& call) -> ToolResult {
    children = engine.descendants_of(options.run_id);
    EXPECT_EQ(engine.children_of(options.run_id).size(), 1U);
    EXPECT_EQ(engine.parent_of(call.run_id()), options.run_id);
    EXPECT_EQ(engine.root_of(call.run_id()), options.run_id);
    return ToolOutput{std::string(call.settings())};
  }));
  const auto run = engine.run_pipeline("outer", "{}", options);
  ASSERT_TRUE(run) << run.status().message();
  EXPECT_TRUE(run->is_completed()) << run->error_message;
  EXPECT_EQ(run->result, R"({"i":5})");
  ASSERT_EQ(children.size(), 1U);
  EXPECT_EQ(children[0].node_id, "o");
  EXPECT_EQ(children[0].pipeline_id, "inner");
  EXPECT_TRUE(engine.children_of(run->run_id).empty());
  EXPECT_TRUE(engine.children_of("mine").empty());
  EXPECT_THAT(engine.child_run_metrics(run->run_id), HasSubstr(R"("registration_count":1)"));
  engine.reset_child_run_metrics();
  EXPECT_THAT(engine.child_run_metrics(run->run_id), HasSubstr(R"("registration_count":0)"));
}

TEST_F(EngineInProgram, RunsSeveralAtOnce) {
  auto engine = open();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&engine, i] {
      const auto number = std::to_string(i);
      const auto run = engine.run_definition(
          "id: p\nnodes: [{id: a, plugin_id: x, tool_id: echo, with: {n: " + number + "}}]\n");
      ASSERT_TRUE(run);
      EXPECT_EQ(run->result, R"({"n":)" + number + "}");
    });
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace weir
