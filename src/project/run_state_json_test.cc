#include "project/run_state_json.h"

#include <gtest/gtest.h>

namespace weir::project {
namespace {

std::string read_error(std::string_view text) {
  const auto read = run_state_from_json(*json::parse(text));
  return read ? "" : read.error().message;
}

TEST(RunStateJson, SaysOnlyWhatIsKnown) {
  RunState run;
  run.pipeline_id = "p";
  run.nodes.push_back({.node_id = "a", .cache_hit = false});
  EXPECT_EQ(json::to_text(to_json(run)),
            R"({"version":1,"pipeline_id":"p","nodes":[{"node_id":"a","cache_hit":false}]})");
}

TEST(RunStateJson, HasAHashOfItsCanonicalForm) {
  RunState run;
  run.pipeline_id = "p";
  run.duration_ms = 2.0;
  // printf '{"duration_ms":2,"pipeline_id":"p","version":1}' | sha256sum
  EXPECT_EQ(hash_of(run)->text(),
            "e5baf2f7dc8d20972939ba5157cea696a35ad126648b237f7a8d954a7cbd1464");
  run.node_count = (std::int64_t{1} << 53) + 1;
  EXPECT_FALSE(hash_of(run));
}

TEST(RunStateJson, ReadsItsCanonicalForm) {
  RunState run;
  run.duration_ms = 2.0;
  EXPECT_EQ(run_state_from_json(*json::parse(R"({"duration_ms":2,"version":1})")), run);
}

TEST(RunStateJson, RefusesWhatIsNoSnapshot) {
  const std::string what = "snapshot: ";
  EXPECT_EQ(read_error("[]"), what + "it is not an object");
  EXPECT_EQ(read_error("{}"), what + "version 1 is expected");
  EXPECT_EQ(read_error(R"({"version":2})"), what + "version 1 is expected");
  EXPECT_EQ(read_error(R"({"version":1,"colour":"red"})"), what + "it has an unknown member");
  EXPECT_EQ(read_error(R"({"version":1,"nodes":[{"node_id":"a"},{"state":"ended"}]})"),
            what + "nodes[1].state: it is not what belongs here");
  EXPECT_EQ(read_error(R"({"version":1,"nodes":[{"a":1}]})"),
            what + "nodes[0]: it has an unknown member");
  EXPECT_EQ(read_error(R"({"version":1,"run_id":"7"})"),
            what + "run_id: it is not what belongs here");
  EXPECT_EQ(read_error(R"({"version":1,"events":1.5})"),
            what + "events: it is not what belongs here");
}

TEST(RunStateJson, RefusesListsThatCannotBeTrue) {
  const std::string what = "snapshot: what it lists cannot be true";
  EXPECT_EQ(read_error(R"({"version":1,"nodes":[{"node_id":"a"},{"node_id":"a"}]})"), what);
  EXPECT_EQ(read_error(R"({"version":1,"nodes":[{"node_id":"a","state":"running"}]})"), what);
  EXPECT_EQ(read_error(R"({"version":1,"nodes":[{"node_id":"a","retry":"asked"}]})"), what);
}

}  // namespace
}  // namespace weir::project
