#include "engine/streams.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <algorithm>
#include <fstream>
#include <future>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <tuple>

#include "engine/engine_testing.h"
#include "event/decoder.h"
#include "project/run_state.h"
#include "tool/jitter_buffer.h"

// Nodes that run at the same time and share a stream.
namespace weir::engine {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// What a put or a get that failed throws, as tools made of functions do.
template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return *std::move(result);
}

json::Object count_of(int count) {
  json::Object output;
  output.set("count", count);
  return output;
}

class StreamsTest : public EngineTest {
 protected:
  StreamsTest() {
    // Writes the numbers from 0 to every reader.
    add("s", "count", [this](const tool::Call& call) {
      note(call);
      const auto count = static_cast<int>(*call.with.find("count")->integer());
      int written = 0;
      for (int i = 0; i < count; ++i) {
        for (const auto& writer : call.streams_out) {
          if (must(writer.put(std::to_string(i))) == tool::Put::kClosed) return count_of(written);
        }
        ++written;
      }
      return count_of(written);
    });
    // Sums what it reads, at most `limit` chunks, and passes it on.
    add("s", "sum", [this](const tool::Call& call) {
      note(call);
      const auto* limit = call.with.find("limit");
      std::int64_t sum = 0, chunks = 0;
      for (const auto& reader : call.streams_in) {
        while (limit == nullptr || chunks < *limit->integer()) {
          const auto chunk = must(reader.get());
          if (!chunk) break;
          ++chunks;
          sum += std::stoi(chunk->bytes);
          for (const auto& writer : call.streams_out) must(writer.put(chunk->bytes));
        }
      }
      json::Object output;
      output.set(std::string(call.node_id), sum);
      return output;
    });
    add("s", "fail_late", [this](const tool::Call& call) -> json::Object {
      note(call);
      while (must(call.stream_in()->get())) continue;
      throw std::invalid_argument("never");
    });
    add("s", "fail", [this](const tool::Call& call) -> json::Object {
      note(call);
      if (const auto* reader = call.stream_in()) must(reader->get());
      if (const auto* writer = call.stream_out()) must(writer->put("7"));
      throw std::invalid_argument("never");
    });
  }

  void note(const tool::Call& call) {
    const std::lock_guard lock(mutex_);
    ++calls_[std::string(call.node_id)];
  }

  static std::string node(const std::string& id, const std::string& tool,
                          const std::string& rest = "") {
    return R"({"id": ")" + id + R"(", "plugin_id": "s", "tool_id": ")" + tool + "\"" + rest + "}";
  }
  static std::string edge(const std::string& from, const std::string& to,
                          const std::string& stream = R"(, "stream": {"capacity": 4})") {
    return R"({"from_node": ")" + from + R"(", "to_node": ")" + to + "\"" + stream + "}";
  }
  static std::string pipeline(const std::vector<std::string>& nodes,
                              const std::vector<std::string>& edges,
                              const std::string& mode = "fail_fast") {
    const auto joined = [](const std::vector<std::string>& parts) {
      std::string all;
      for (const auto& part : parts) all += (all.empty() ? "" : ", ") + part;
      return all;
    };
    return R"({"id": "p", "on_failure": ")" + mode + R"(", "nodes": [)" + joined(nodes) +
           R"(], "edges": [)" + joined(edges) + "]}";
  }
  static std::string pair_of(const std::string& writer, const std::string& reader,
                             const std::string& mode = "fail_fast") {
    return pipeline({node("w", writer, R"(, "with": {"count": 1000})"), node("r", reader)},
                    {edge("w", "r")}, mode);
  }

  std::vector<std::string> lines() {
    std::vector<std::string> lines;
    const auto segments = store_.segments();
    EXPECT_TRUE(segments);
    for (const auto& segment : *segments) {
      std::ifstream file(segment);
      for (std::string line; std::getline(file, line);) {
        if (line.starts_with("{\"timestamp\"")) lines.push_back(line);
      }
    }
    return lines;
  }

  void expect_consistent() {
    project::RunState state;
    event::Decoder decoder;
    for (const auto& line : lines()) state.apply(**decoder.decode(line));
    EXPECT_FALSE(state.is_inconsistent())
        << (state.forbidden.empty() ? "" : state.forbidden[0].why);
  }

  std::size_t place_of(const std::string& type, const std::string& node_id) {
    const auto seen = events();
    const auto found = std::find_if(seen.begin(), seen.end(), [&](const Seen& event) {
      return event.type == type && event.node_id == node_id;
    });
    EXPECT_NE(found, seen.end()) << type << " of " << node_id;
    return static_cast<std::size_t>(found - seen.begin());
  }

  std::mutex mutex_;
  std::map<std::string, int> calls_;
};

TEST_F(StreamsTest, CarryChunksBetweenTwoNodesThatRunAtTheSameTimeWhateverTheJobs) {
  for (const int jobs : {1, 2, 8}) {
    const auto report = run(pair_of("count", "sum"), {}, jobs);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted) << report->failure.message;
    EXPECT_EQ(json::to_text(report->result), R"({"r":499500})");
    EXPECT_EQ(json::to_text(*report->outputs[0]), R"({"count":1000})");
  }
}

/// Until its end the system gives no thread: none has room for such a stack.
class NoMoreThreads {
 public:
  NoMoreThreads() {
    EXPECT_EQ(pthread_getattr_default_np(&before_), 0);
    pthread_attr_t huge;
    EXPECT_EQ(pthread_attr_init(&huge), 0);
    EXPECT_EQ(pthread_attr_setstacksize(&huge, std::size_t{1} << 47), 0);
    EXPECT_EQ(pthread_setattr_default_np(&huge), 0);
    pthread_attr_destroy(&huge);
  }
  ~NoMoreThreads() {
    EXPECT_EQ(pthread_setattr_default_np(&before_), 0);
    pthread_attr_destroy(&before_);
  }
  NoMoreThreads(const NoMoreThreads&) = delete;
  NoMoreThreads& operator=(const NoMoreThreads&) = delete;

 private:
  pthread_attr_t before_{};
};

TEST_F(StreamsTest, FailWithoutAThread) {
  std::optional<NoMoreThreads> no_threads;
  add("s", "crowd", [&](const tool::Call&) {
    no_threads.emplace();
    return json::Object();
  });
  const auto report =
      run(pipeline({node("first", "crowd"), node("w", "count", R"(, "with": {"count": 1000})"),
                    node("r", "sum")},
                   {edge("first", "w", ""), edge("w", "r")}),
          {}, 1);
  no_threads.reset();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kFailed);
  EXPECT_EQ(report->failure.type, "NoThread");
  EXPECT_EQ(calls_["w"] + calls_["r"], 1) << "the first of them has the worker's";
  expect_consistent();
}

TEST_F(StreamsTest, RecordTheEndOfAStreamWithItsTotals) {
  ASSERT_TRUE(run(pair_of("count", "sum"), {}, 1));
  const auto closed = only("stream_queue_closed");
  EXPECT_EQ(closed.node_id, "w");
  EXPECT_EQ(closed.members.at("plugin_id"), "s");
  EXPECT_EQ(closed.members.at("reason"), "end_of_stream");
  EXPECT_THAT(closed.members.at("attributes"),
              HasSubstr(R"({"to_node":"r","total_items":1000,"dropped_items":0,)"));
  EXPECT_LT(place_of("stream_queue_closed", "w"), place_of("pipeline_node_completed", "r"));
  EXPECT_LT(place_of("pipeline_node_completed", "r"), place_of("pipeline_node_completed", "w"))
      << "who writes has completed when its readers have ended";
  expect_consistent();
}

TEST_F(StreamsTest, RecordWhatIsDroppedWithItsFrame) {
  // The reader stops reading until the writer has returned.
  std::promise<void> written;
  add("s", "burst", [&](const tool::Call& call) {
    for (int i = 0; i < 6; ++i) must(call.stream_out("r")->put(std::to_string(i)));
    written.set_value();
    return json::Object();
  });
  add("s", "late", [&](const tool::Call& call) {
    written.get_future().wait();
    std::string all;
    while (const auto chunk = must(call.stream_in("w")->get())) {
      all += std::to_string(chunk->frame_index) + ":" + chunk->bytes + " ";
    }
    json::Object output;
    output.set("all", all);
    return output;
  });
  const auto report =
      run(pipeline({node("w", "burst"), node("r", "late")},
                   {edge("w", "r", R"(, "stream": {"capacity": 4, "on_full": "drop_oldest"})")}));
  ASSERT_TRUE(report);
  EXPECT_EQ(json::to_text(report->result), R"({"all":"2:2 3:3 4:4 5:5 "})");
  std::vector<std::string> frames;
  for (const auto& event : events()) {
    if (event.type != "stream_chunk_dropped") continue;
    EXPECT_EQ(event.node_id, "w");
    EXPECT_EQ(event.members.at("reason"), "overflow");
    frames.push_back(event.members.at("frame_index"));
  }
  EXPECT_THAT(frames, ElementsAre("0", "1"));
  EXPECT_THAT(types(), Contains("stream_throttle_started"));
  EXPECT_THAT(types(), Contains("stream_throttle_ended"));
}

TEST_F(StreamsTest, JoinMoreThanTwoNodes) {
  //  w ──► m ──► r
  //  └───────────┘
  const auto text = pipeline({node("w", "count", R"(, "with": {"count": 3})"), node("m", "sum"),
                              node("r", "sum"), node("after", "sum", R"(, "needs": ["w", "r"])")},
                             {edge("w", "m"), edge("m", "r"), edge("w", "r")});
  for (const int jobs : {1, 3}) {
    const auto report = run(text, {}, jobs);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted) << report->failure.message;
    EXPECT_EQ(json::to_text(*report->outputs[1]), R"({"m":3})");
    EXPECT_EQ(json::to_text(*report->outputs[2]), R"({"r":6})");
  }
}

TEST_F(StreamsTest, BeginWhenAllThatTheirNodesNeedHasEnded) {
  const auto report =
      run(pipeline({node("w", "count", R"(, "with": {"count": 3})"),
                    node("r", "sum", R"(, "needs": ["before"])"), node("before", "sum")},
                   {edge("w", "r")}),
          {}, 1);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted);
  EXPECT_LT(place_of("pipeline_node_completed", "before"), place_of("pipeline_node_started", "w"));
}

TEST_F(StreamsTest, TellTheWriterThatItsReaderNeedsNoMore) {
  const auto report = run(pipeline({node("w", "count", R"(, "with": {"count": 1000000})"),
                                    node("r", "sum", R"(, "with": {"limit": 10})")},
                                   {edge("w", "r")}),
                          {}, 1);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted) << report->failure.message;
  EXPECT_EQ(json::to_text(report->result), R"({"r":45})");
  EXPECT_EQ(only("stream_queue_closed").members.at("reason"), "reader_ended");
}

TEST_F(StreamsTest, BlameTheNodeThatFailedAndCancelTheOther) {
  for (const auto& [text, failed, other] : {std::tuple(pair_of("fail", "sum"), "w", "r"),
                                            std::tuple(pair_of("count", "fail"), "r", "w")}) {
    const auto report = run(text, {}, 1);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->outcome, pipeline::RunOutcome::kFailed);
    EXPECT_EQ(report->failed_node_id, failed);
    EXPECT_EQ(report->failure.message, "never");
  }
  const auto all = types();
  EXPECT_EQ(std::count(all.begin(), all.end(), "pipeline_node_failed"), 2);
  EXPECT_EQ(std::count(all.begin(), all.end(), "pipeline_node_cancelled"), 2);
}

TEST_F(StreamsTest, GiveTheOtherEndAnErrorWhenTheRunGoesOn) {
  const auto report = run(pair_of("fail", "sum", "continue"), {}, 1);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->failed_node_id, "w");
  const auto seen = events();
  const auto failed = std::find_if(seen.begin(), seen.end(), [](const Seen& event) {
    return event.type == "pipeline_node_failed" && event.node_id == "r";
  });
  ASSERT_NE(failed, seen.end());
  EXPECT_EQ(failed->members.at("error_message"),
            "node 'w', at the other end of the stream, has failed");
  EXPECT_EQ(only("stream_queue_closed").members.at("reason"), "failed");
  expect_consistent();
}

TEST_F(StreamsTest, WakeBothEndsWhenTheRunIsCancelled) {
  // Each waits for the other: the writer for room, the reader of another stream for a chunk.
  std::stop_source stop;
  add("s", "fill", [&](const tool::Call& call) -> json::Object {
    for (int i = 0; i < 4; ++i) must(call.stream_out()->put("x"));
    stop.request_stop();
    while (true) must(call.stream_out()->put("x"));
  });
  add("s", "idle", [&](const tool::Call& call) {
    must(call.stream_in("never")->get());
    return json::Object();
  });
  add("s", "never", [](const tool::Call& call) {
    while (!call.stop.stop_requested()) std::this_thread::yield();
    return json::Object();
  });
  const auto report = run(pipeline({node("w", "fill"), node("never", "never"), node("r", "idle")},
                                   {edge("w", "r"), edge("never", "r")}),
                          {}, 1, stop.get_token());
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCancelled);
  expect_consistent();
}

TEST_F(StreamsTest, EndANodeWhoseTimeIsOverWhileItWaits) {
  add("s", "stuck", [](const tool::Call& call) {
    while (!call.stop.stop_requested()) std::this_thread::yield();
    return json::Object();
  });
  const auto report = run(
      pipeline({node("w", "stuck"), node("r", "sum", R"(, "timeout": "10ms")")}, {edge("w", "r")}),
      {}, 1);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->failed_node_id, "r");
  EXPECT_EQ(report->failure.type, "TIMEOUT");
}

TEST_F(StreamsTest, SkipNodesThatWaitForOneThatFailed) {
  const auto report =
      run(pipeline({node("before", "fail"), node("w", "count", R"(, "with": {"count": 3})"),
                    node("r", "sum", R"(, "needs": ["before"])")},
                   {edge("w", "r")}, "continue"),
          {}, 1);
  ASSERT_TRUE(report);
  EXPECT_EQ(calls_["w"] + calls_["r"], 0);
  const auto all = types();
  EXPECT_EQ(std::count(all.begin(), all.end(), "pipeline_node_skipped"), 2);
  expect_consistent();
}

TEST_F(StreamsTest, RecordTheStreamsOfATool) {
  add("s", "play", [](const tool::Call& call) {
    tool::JitterBuffer buffer({}, call.stream_event);
    must<void>(buffer.add(std::string(32 * 3'000, 's')));
    static_cast<void>(buffer.read(std::chrono::milliseconds(2'500)));
    must<void>(buffer.add(std::string(32 * 100, 's')));
    static_cast<void>(buffer.read(std::chrono::milliseconds(100)));
    return json::Object();
  });
  ASSERT_TRUE(run(pipeline({node("n", "play")}, {})));
  EXPECT_THAT(types(),
              ElementsAre("pipeline_started", "pipeline_node_started", "stream_buffer_overflow",
                          "stream_buffer_underrun", "stream_buffer_recovered",
                          "pipeline_node_completed", "pipeline_completed"));
  const auto overflow = only("stream_buffer_overflow");
  EXPECT_EQ(overflow.node_id, "n");
  EXPECT_EQ(overflow.members.at("frame_index"), "0");
  EXPECT_FALSE(overflow.members.at("span_id").empty());
}

class ThreadsStreamsTest : public StreamsTest {};

TEST_F(ThreadsStreamsTest, GiveTheSameResultWhateverTheJobs) {
  // Many pairs at once, and their sum.
  std::vector<std::string> nodes, edges;
  std::string needs;
  for (int i = 0; i < 12; ++i) {
    const auto n = std::to_string(i);
    nodes.push_back(node("w" + n, "count", R"(, "with": {"count": 50})"));
    nodes.push_back(node("r" + n, "sum"));
    edges.push_back(edge("w" + n, "r" + n, R"(, "stream": {"capacity": 2})"));
    needs += (needs.empty() ? "\"r" : ", \"r") + n + "\"";
  }
  nodes.push_back(node("all", "sum", R"(, "needs": [)" + needs + "]"));
  std::set<std::string> results;
  for (const int jobs : {1, 2, 4, 16}) {
    const auto report = run(pipeline(nodes, edges), {}, jobs);
    ASSERT_TRUE(report);
    ASSERT_EQ(report->outcome, pipeline::RunOutcome::kCompleted) << report->failure.message;
    results.insert(json::to_text(report->result) + json::to_text(*report->outputs[1]));
  }
  EXPECT_THAT(results, ElementsAre(R"({"all":0}{"r0":1225})"));
}

/// A run that was lost after each of its events.
class LostStreamsTest : public StreamsTest, public testing::WithParamInterface<const char*> {
 protected:
  Result<RunReport> take_up(const std::string& json, std::span<const std::string> before,
                            project::RunState& state) {
    const auto store = log::StoreDirectory::create(
        testing::TempDir() + "taken-up-" + std::to_string(random_bits()), files_);
    EXPECT_TRUE(store);
    const auto file = pipeline::read_definition(*json::parse(json));
    event::Decoder decoder;
    RecordedRun run;
    for (const auto& line : before) {
      run.apply(**decoder.decode(line));
      state.apply(**decoder.decode(line));
    }
    auto report = [&]() -> Result<RunReport> {
      record::Recorder recorder(*store, {});
      WEIR_TRY(auto lock, log::RunLock::take(*store, run.run_id));
      OwnedRun owned{.lock = std::move(lock), .recorded = std::move(run)};
      return Engine(recorder, artifacts_, tools_)
          .run({.definition = file.definition,
                .definition_text = json,
                .folder = ".",
                .payload = {},
                .owned = &owned,
                .jobs = 1,
                .stop = {},
                .on_update = {}});
    }();
    const auto read = store::read_all(*store, [&](const event::EventView& event) -> Result<void> {
      state.apply(event);
      return {};
    });
    EXPECT_TRUE(read);
    return report;
  }
};

std::map<std::string, project::State> states_of(const project::RunState& run) {
  std::map<std::string, project::State> states;
  for (const auto& node : run.nodes) states[node.node_id] = node.state;
  return states;
}

TEST_P(LostStreamsTest, EndAsTheUncrashedRunWhereverItWasLost) {
  const std::string reader = GetParam();
  // The writer of `endless` has an end only because its reader has.
  const auto limit = reader == "endless" ? R"(, "with": {"limit": 10})" : "";
  const auto* const count = reader == "endless" ? "100000000" : "20";
  const auto text = pipeline(
      {node("before", "sum"),
       node("w", "count",
            R"(, "needs": ["before"], "with": {"count": )" + std::string(count) + "}"),
       node("r", reader.starts_with("fail") ? reader : "sum", limit),
       node("after", "sum", R"(, "needs": ["r"])"), node("beside", "sum", R"(, "needs": ["w"])")},
      {edge("w", "r")}, "continue");
  const auto whole = run(text, {}, 1);
  ASSERT_TRUE(whole);
  project::RunState expected;
  event::Decoder decoder;
  const auto all = lines();
  for (const auto& line : all) expected.apply(**decoder.decode(line));
  for (std::size_t lost_after = 1; lost_after < all.size(); ++lost_after) {
    SCOPED_TRACE("lost after event " + std::to_string(lost_after) + ": " + all[lost_after - 1]);
    project::RunState state;
    const auto report = take_up(text, std::span(all.data(), lost_after), state);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(report->outcome, whole->outcome);
    EXPECT_EQ(report->failed_node_id, whole->failed_node_id);
    EXPECT_EQ(json::to_text(report->result), json::to_text(whole->result));
    EXPECT_FALSE(state.is_inconsistent())
        << (state.forbidden.empty() ? "" : state.forbidden[0].why);
    EXPECT_EQ(states_of(state), states_of(expected));
    if (whole->outcome != pipeline::RunOutcome::kCompleted) continue;
    EXPECT_EQ(json::to_text(*report->outputs[2]), json::to_text(*whole->outputs[2]));
    if (reader == "endless") continue;  // how much is written depends on who is faster
    EXPECT_EQ(json::to_text(*report->outputs[1]), json::to_text(*whole->outputs[1]));
  }
}

INSTANTIATE_TEST_SUITE_P(Readers, LostStreamsTest,
                         testing::Values("sum", "endless", "fail", "fail_late"),
                         [](const auto& reader) { return std::string(reader.param); });

}  // namespace
}  // namespace weir::engine
