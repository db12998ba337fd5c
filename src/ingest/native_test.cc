#include "ingest/native.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "base/json.h"
#include "ingest/taken_testing.h"

namespace weir::ingest {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr std::string_view kGivenRun = "019b8a2f-7c00-7000-8000-000000000001";

struct Taken {
  std::vector<std::string> lines;
  std::vector<EventKey> keys;
  std::vector<std::string> reasons;
  std::vector<std::size_t> indexes;
  std::uint64_t rejected = 0;
  bool is_error = false;
};

Taken take(std::string_view body, std::string_view tenant = "") {
  LineMaker maker(usual_redactor(), tenant, "req");
  const auto rejections = take_events(body, maker);
  const auto lines = *maker.take();
  Taken taken{.lines = checked_lines(lines)};
  for (const auto& place : lines.places) taken.keys.push_back(place.key);
  taken.is_error = !rejections;
  if (!rejections) return taken;
  taken.rejected = rejections->count;
  for (const auto& one : rejections->named) {
    taken.reasons.push_back(one.reason);
    taken.indexes.push_back(one.index);
  }
  return taken;
}

/// The key of an event that has none.
std::string key_in(std::string_view request, std::string_view body) {
  LineMaker maker(usual_redactor(), "", request);
  maker.name_by_content(body);
  EXPECT_TRUE(take_events(body, maker));
  const auto event = *json::parse(checked_lines(*maker.take()).at(0));
  return json::to_text(*event.object()->find("idempotency_key"));
}

/// An event with `rest` behind its head.
std::string event_of(const std::string& rest = "", const std::string& type = "custom.thing") {
  return R"({"timestamp":"2026-01-05T03:00:00Z","event_type":")" + type +
         R"(","pipeline_id":"p","run_id":")" + std::string(kGivenRun) + '"' + rest + "}";
}

std::string line_of(const std::string& rest, const std::string& type = "custom.thing") {
  const auto taken = take(event_of(rest, type));
  EXPECT_THAT(taken.reasons, IsEmpty());
  return taken.lines.empty() ? "" : taken.lines[0];
}

std::string reason_of(const std::string& rest, const std::string& type = "custom.thing") {
  const auto taken = take(event_of(rest, type));
  EXPECT_THAT(taken.lines, IsEmpty());
  return taken.reasons.empty() ? "" : taken.reasons[0];
}

TEST(NativeEvents, AreTakenWithWhatTheyNeedNotSay) {
  EXPECT_EQ(line_of(R"(,"event_id":"e")"),
            R"({"timestamp":"2026-01-05T03:00:00.000000Z","event_type":"custom.thing",)"
            R"("level":"INFO","pipeline_type":"external","pipeline_id":"p","pipeline_version":"",)"
            R"("run_id":"019b8a2f-7c00-7000-8000-000000000001","run_seq":1000000000000000,)"
            R"("event_id":"e"})");
  EXPECT_THAT(line_of(R"(,"error_type":"E","error_message":"m")", "pipeline_failed"),
              HasSubstr(R"("level":"ERROR")"));
  EXPECT_THAT(line_of(R"(,"level":"DEBUG")"), HasSubstr(R"("level":"DEBUG")"));
  EXPECT_THAT(line_of(R"(,"message":null,"level":null)"), Not(HasSubstr("message")));
}

TEST(NativeEvents, SayNothingOfRunsThatAreOurs) {
  const std::string ours = "019b8a2f-7c00-7000-8000-000000000009";
  LineMaker maker(usual_redactor(), "", "req");
  maker.refuse_runs([&](const RunId& run) { return run.text() == ours; });
  const auto target = R"(,"target_run_id":")" + ours + '"';
  for (const std::string rest :
       {R"(,"artifact_path":"a","outcome":"approved","actor_id":"boss")", R"(,"message":"m")"}) {
    const auto refused = take_events(event_of(target + rest), maker);
    ASSERT_EQ(refused->count, 1U) << rest;
    EXPECT_THAT(refused->named[0].reason, AllOf(HasSubstr("target_run_id"), HasSubstr(ours)));
  }
  EXPECT_EQ(take_events(event_of(R"(,"parent_run_id":")" + ours + '"'), maker)->count, 0U);
  EXPECT_THAT(reason_of(R"(,"operation":"key.create","outcome":"done","actor_id":"root")", "audit"),
              HasSubstr("audit"));
}

TEST(NativeEvents, AreLinesOrAList) {
  const auto one = event_of(), other = event_of(R"(,"message":"[],{\"")");
  for (const auto& body :
       {one + "\n" + other, one + "\r\n\r\n \n" + other + "\r\n", "[" + one + "," + other + "]",
        "\n [\n" + one + "\n,\t" + other + " ] \n"}) {
    const auto taken = take(body);
    EXPECT_THAT(taken.lines, SizeIs(2)) << body;
    EXPECT_THAT(taken.reasons, IsEmpty()) << body;
  }
  EXPECT_THAT(take("[]").reasons, IsEmpty());
  EXPECT_FALSE(take("[ \n]").is_error);
  EXPECT_TRUE(take("").is_error);
  EXPECT_TRUE(take(" \r\n \n").is_error);
}

// A key that came with another request, or with other events, does not lose these.
TEST(NativeEvents, WithoutKeysAreKnownByTheirRequestAndWhatItSays) {
  const auto body = event_of(), other = event_of(R"(,"message":"other")");
  EXPECT_EQ(key_in("/a\nkey", body), key_in("/a\nkey", body));
  EXPECT_NE(key_in("/a\nkey", body), key_in("/a\nkey", other));
  EXPECT_NE(key_in("/a\nkey", body), key_in("/b\nkey", body));
  EXPECT_NE(key_in("/a\nkey", body), key_in("/a\n", body));
}

TEST(NativeEvents, AreNoMoreThanOneCommitHolds) {
  std::string body;
  const auto event = event_of(R"(,"message":")" + std::string(1 << 20, 'x') + '"') + "\n";
  for (int i = 0; i < 65; ++i) body += event;
  LineMaker maker(usual_redactor(), "", "req");
  const auto taken = take_events(body, maker);
  ASSERT_TRUE(taken);
  EXPECT_LT(taken->records, 65U) << "it was read to its end";
  EXPECT_FALSE(maker.take());
}

TEST(NativeEvents, ThatAreRejectedAreAllFound) {
  std::string body = event_of() + "\n";
  for (int i = 0; i < 150; ++i) body += "wrong\n";
  body += event_of() + "\nwrong\n";
  LineMaker maker(usual_redactor(), "", "req");
  const auto taken = take_events(body, maker);
  ASSERT_TRUE(taken);
  EXPECT_THAT(taken->named, SizeIs(Rejections::kMaxNamed));
  EXPECT_THAT(taken->places, ElementsAre(Rejections::Range{1, 150}, Rejections::Range{152, 152}));
}

TEST(NativeEvents, CostThemselvesAloneWhenTheyCannotBeTaken) {
  const auto taken = take("\n" + event_of() + "\nno JSON\n\n" + event_of(R"(,"rows":"7")") + "\n" +
                          event_of(R"(,"rows":7)"));
  EXPECT_THAT(taken.lines, SizeIs(2));
  EXPECT_THAT(taken.indexes, ElementsAre(2, 4));
  EXPECT_THAT(taken.reasons, ElementsAre(HasSubstr("line 3: it is no JSON object"),
                                         "line 5: field 'rows' is not a whole number"));
  const auto listed = take("[" + event_of() + ",{\"a\" 1},[1],," + event_of() + "]");
  EXPECT_THAT(listed.lines, SizeIs(2));
  EXPECT_THAT(listed.indexes, ElementsAre(1, 2, 3));
  EXPECT_THAT(listed.reasons[1], HasSubstr("event 3: "));
}

TEST(NativeEvents, OfAListThatIsBrokenAreTakenUpToThere) {
  for (const std::string rest : {"", ",", ",{\"timestamp\":\"2026"}) {
    const auto taken = take("[" + event_of() + "," + event_of() + rest);
    EXPECT_THAT(taken.lines, SizeIs(rest.empty() ? 1 : 2)) << rest;
    EXPECT_THAT(taken.reasons, ElementsAre(HasSubstr("the list has no end")));
  }
  const auto taken = take("[" + event_of() + "] " + event_of());
  EXPECT_THAT(taken.lines, SizeIs(1));
  EXPECT_THAT(taken.reasons, ElementsAre(HasSubstr("more text after the list")));
}

// Ids are looked at sixteen digits at a time: a wrong one is found wherever it stands.
TEST(NativeEvents, HaveNoDigitInAnIdThatIsNone) {
  const std::string trace = "0123456789abcdef0123456789abcdef", span = "fedcba9876543210";
  const auto with = [](std::string id, std::size_t at, char c) {
    id[at] = c;
    return id;
  };
  for (const char wrong : {'/', ':', '`', 'g', '@', 'G', ' ', '\x7f'}) {
    for (std::size_t at = 0; at < trace.size(); ++at) {
      EXPECT_THAT(reason_of(R"(,"trace_id":")" + with(trace, at, wrong) + '"'),
                  HasSubstr("must be 32 hex digits"));
    }
    for (std::size_t at = 0; at < span.size(); ++at) {
      EXPECT_THAT(reason_of(R"(,"span_id":")" + with(span, at, wrong) + '"'),
                  HasSubstr("must be 16 hex digits"));
    }
  }
  for (std::size_t at = 0; at < span.size(); ++at) {
    const auto one = with(std::string(span.size(), '0'), at, '1');
    EXPECT_THAT(line_of(R"(,"span_id":")" + one + '"'), HasSubstr(one));
    EXPECT_THAT(line_of(R"(,"span_id":")" + with(span, at, 'A') + '"'),
                HasSubstr(with(span, at, 'a')));
  }
  EXPECT_THAT(reason_of(R"(,"span_id":"0000000000000000")"), HasSubstr("not all of them 0"));
}

TEST(NativeEvents, KeepAMemberWithoutAName) {
  const auto event = event_of();
  const auto taken = take(R"({"":"2020-01-01T00:00:00Z",)" + event.substr(1));
  EXPECT_THAT(taken.reasons, IsEmpty());
  ASSERT_THAT(taken.lines, SizeIs(1));
  EXPECT_THAT(taken.lines[0], HasSubstr(R"("attributes":{"":"2020-01-01T00:00:00Z")"));
}

TEST(NativeEvents, AreRefusedByName) {
  EXPECT_THAT(take(R"({"event_type":"log"})").reasons[0], HasSubstr("'timestamp' is missing"));
  EXPECT_THAT(take(R"({"timestamp":"2026-01-05T03:00:00"})").reasons[0],
              HasSubstr("must be RFC 3339 with an offset"));
  EXPECT_THAT(take(R"({"timestamp":"2026-01-05T03:00:00Z"})").reasons[0],
              HasSubstr("'event_type' is missing"));
  EXPECT_THAT(reason_of("", "No Such"), HasSubstr("'event_type' is 'No Such': it must be"));
  EXPECT_THAT(reason_of(R"(,"level":"warn")"), HasSubstr("it must be DEBUG, INFO, WARNING"));
  EXPECT_THAT(reason_of(R"(,"pipeline_type":"tree")"),
              HasSubstr("must be dag, linear or external"));
  EXPECT_THAT(reason_of(R"(,"output_keys":[1])"), HasSubstr("is not a list of strings"));
  EXPECT_THAT(reason_of(R"(,"rows":1e3)"), HasSubstr("'rows' is not a whole number"));
  EXPECT_THAT(reason_of(R"(,"attributes":[])"), HasSubstr("'attributes' is not an object"));
  EXPECT_THAT(reason_of(R"(,"rows":1,"rows":1)"), HasSubstr("'rows' is there twice"));
  EXPECT_THAT(reason_of(R"(,"x":1,"\u0078":1)"), HasSubstr("'x' is there twice"));
  EXPECT_THAT(reason_of("", "log"), HasSubstr("'message' of log is missing"));
  EXPECT_THAT(reason_of(R"(,"trace_id":"abc")"), HasSubstr("must be 32 hex digits"));
  EXPECT_THAT(reason_of(R"(,"event_id":")" + std::string(1025, 'x') + '"'),
              HasSubstr("more than 1024 bytes"));
  const std::string head = R"({"timestamp":"2026-01-05T03:00:00Z","event_type":"log")";
  EXPECT_THAT(take(head + "}").reasons[0], HasSubstr("'pipeline_id' is missing or empty"));
  EXPECT_THAT(take(head + R"(,"pipeline_id":"weir","run_id":"r"})").reasons[0],
              HasSubstr("what Weir says about itself"));
  EXPECT_THAT(take(head + R"(,"pipeline_id":"p","run_id":""})").reasons[0],
              HasSubstr("'run_id' is missing or empty"));
  EXPECT_THAT(
      take(head + R"(,"pipeline_id":"p","run_id":")" + std::string(257, 'r') + "\"}").reasons[0],
      HasSubstr("more than 256 bytes"));
}

TEST(NativeEvents, MayBeOfAnyOffset) {
  const auto taken = take(
      R"({"timestamp":"2026-01-05T03:00:00.1234567+02:30","event_type":"a","pipeline_id":"p","run_id":"r"})");
  EXPECT_THAT(taken.lines[0], HasSubstr(R"("timestamp":"2026-01-05T00:30:00.123456Z")"));
}

TEST(NativeEvents, NameTheirRunsAsTheyLike) {
  const auto head = R"({"timestamp":"2026-01-05T03:00:00Z","event_type":"a","pipeline_id":"p",)";
  const auto id = foreign_run_id("native", "nightly 7").text();
  const auto named = take(head + std::string(R"("run_id":"nightly 7"})")).lines[0];
  EXPECT_THAT(named, AllOf(HasSubstr(R"("run_id":")" + id + '"'),
                           HasSubstr(R"("source_run_id":"nightly 7")")));
  const auto child = line_of(R"(,"parent_run_id":"nightly 7")");
  EXPECT_THAT(child, AllOf(HasSubstr(R"("parent_run_id":")" + id + '"'),
                           HasSubstr(R"("attributes":{"parent_run_id":"nightly 7"})")));
  EXPECT_THAT(line_of(R"(,"parent_run_id":"019B8A2F-7C00-7000-8000-00000000000A")"),
              HasSubstr(R"("parent_run_id":"019b8a2f-7c00-7000-8000-00000000000a")"));
  const auto two = take(head + std::string(R"("run_id":"r","source_run_id":"s"})")).lines[0];
  EXPECT_THAT(two, AllOf(HasSubstr(R"("source_run_id":"r")"),
                         HasSubstr(R"("attributes":{"source_run_id":"s"})")));
}

TEST(NativeEvents, KeepTheNumbersOfTheirProducer) {
  EXPECT_THAT(line_of(R"(,"run_seq":7)"), HasSubstr(R"("source_seq":7)"));
  EXPECT_THAT(line_of(R"(,"run_seq":7,"source_seq":7)"), Not(HasSubstr("attributes")));
  EXPECT_THAT(line_of(R"(,"run_seq":7,"source_seq":8)"),
              AllOf(HasSubstr(R"("source_seq":8)"), HasSubstr(R"("attributes":{"run_seq":7})")));
}

TEST(NativeEvents, AreOfObservedRuns) {
  EXPECT_THAT(line_of(R"(,"pipeline_type":"dag")"),
              AllOf(HasSubstr(R"("pipeline_type":"external")"),
                    HasSubstr(R"("attributes":{"pipeline_type":"dag"})")));
  // What its graph is need not be known.
  EXPECT_THAT(line_of("", "pipeline_started"), Not(HasSubstr("node_count")));
  EXPECT_THAT(line_of(R"(,"node_id":"a")", "pipeline_node_completed"),
              HasSubstr(R"("node_id":"a")"));
  EXPECT_THAT(reason_of("", "pipeline_node_completed"), HasSubstr("'node_id' of"));
  EXPECT_THAT(line_of(R"(,"reason":"r")", "pipeline_canceled"), HasSubstr("pipeline_cancelled"));
  EXPECT_THAT(
      line_of(R"(,"failed_node_id":null,"error_type":"E","error_message":"m")", "pipeline_failed"),
      HasSubstr(R"("failed_node_id":null)"));
}

TEST(NativeEvents, LoseNothingThatHasNoFieldOfItsOwn) {
  EXPECT_THAT(
      line_of(
          R"(,"colour":"r\"ed","deep":{"a": [1.50, null]},"none":null,"big":123456789012345678901)"),
      HasSubstr(R"("attributes":{"colour":"r\"ed","deep":{"a":[1.50,null]},"none":null,)"
                R"("big":123456789012345678901})"));
  EXPECT_THAT(line_of(R"(,"b":1,"a":2,"attributes":{"a":3,"event.a":4})"),
              HasSubstr(R"("attributes":{"b":1,"event.event.a":2,"a":3,"event.a":4})"));
  EXPECT_THAT(
      take("[" + event_of(",\"attributes\":{\n\"a b\":\t[1,\r\n \"c\\\" d\"]}") + "]").lines[0],
      HasSubstr(R"("attributes":{"a b":[1,"c\" d"]})"));
}

TEST(NativeEvents, AreOfTheTenantOfTheKey) {
  const auto mine = event_of(R"(,"tenant_id":"acme")");
  EXPECT_THAT(take(mine, "acme").lines, ElementsAre(HasSubstr(R"("tenant_id":"acme")")));
  EXPECT_THAT(take(event_of(), "acme").lines, ElementsAre(HasSubstr(R"("tenant_id":"acme")")));
  for (const auto* tenant : {"globex", ""}) {
    EXPECT_THAT(take(mine, tenant).reasons, ElementsAre(HasSubstr("the key's tenant wins")));
  }
}

TEST(NativeEvents, AreKnownByTheirKeys) {
  const auto taken = take(event_of(R"(,"event_id":"a")") + "\n" +
                          event_of(R"(,"idempotency_key":"a","event_id":"")") + "\n" +
                          event_of(R"(,"idempotency_key":"b","event_id":"a")") + "\n" + event_of());
  ASSERT_THAT(taken.keys, SizeIs(4));
  EXPECT_EQ(taken.keys[0], taken.keys[1]);
  EXPECT_EQ(taken.keys[0], taken.keys[2]);
  EXPECT_NE(taken.keys[0], taken.keys[3]);
  EXPECT_THAT(taken.lines[3], HasSubstr(R"("idempotency_key":"req.3")"));
}

TEST(NativeEvents, AskNothingOfOtherRuns) {
  const std::string signal = R"(,"signal_id":"s","signal_type":"cancel","target_run_id":")";
  EXPECT_THAT(reason_of(signal + R"(019b8a2f-7c00-7000-8000-000000000002")", "signal_requested"),
              HasSubstr("names another run"));
  EXPECT_THAT(line_of(signal + std::string(kGivenRun) + '"', "signal_requested"),
              HasSubstr(R"("signal_id":"s")"));
}

TEST(NativeEvents, MayBeNestedAsDeepAsTheLogReads) {
  const auto nested = [](const std::string& name, int depth) {
    const auto levels = static_cast<std::size_t>(depth);
    return ",\"" + name + "\":" + std::string(levels, '[') + "1" + std::string(levels, ']');
  };
  EXPECT_THAT(line_of(nested("x", 197)), HasSubstr("[[1]]"));
  EXPECT_THAT(reason_of(nested("x", 198)), HasSubstr("nested more than 197 deep"));
  EXPECT_THAT(reason_of(nested("x", 100'000)), HasSubstr("no JSON object"));
  std::string wide = event_of();
  wide.pop_back();
  for (int i = 0; i < 300; ++i) wide += ",\"m" + std::to_string(i) + "\":0";
  EXPECT_THAT(take(wide + "}").reasons[0], HasSubstr("at most 256 members"));
  EXPECT_THAT(reason_of(R"(,"message":")" + std::string(5 << 20, 'x') + '"'), HasSubstr("bytes"));
}

// What the tests of JSON readers hold, sent as a body: not one of them is an event.
TEST(NativeEvents, OfTextsThatAreNoneAreRefused) {
  const auto* root = std::getenv("WEIR_TEST_DATA");
  if (root == nullptr) GTEST_SKIP() << "WEIR_TEST_DATA is not set";
  const auto folder = std::filesystem::path(root) / "json_test_suite/test_parsing";
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto text = read_file(entry.path(), 10'000'000);
    ASSERT_TRUE(text) << text.error().message;
    const auto name = entry.path().filename().string();
    const bool is_json = name.starts_with("y_");
    const auto taken = take(*text);
    EXPECT_THAT(taken.lines, IsEmpty()) << name;
    // An empty list is a list of no events.
    EXPECT_TRUE(taken.is_error || taken.rejected > 0 || is_json) << name;
    // The same inside an event: what is no JSON is refused with it.
    const auto inside = take("[" + event_of(",\"x\":" + *text) + "]");
    EXPECT_TRUE(inside.rejected > 0 || !name.starts_with("n_")) << name;
    EXPECT_TRUE(inside.lines.size() == 1 || !is_json) << name;
    ++files;
  }
  EXPECT_GT(files, 100);
}

}  // namespace
}  // namespace weir::ingest
