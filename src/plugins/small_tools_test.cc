#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/id.h"
#include "plugins/json_pointer.h"
#include "plugins/plugins.h"

namespace weir::plugins {
namespace {

using testing::StartsWith;

class SmallTools : public testing::Test {
 protected:
  SmallTools() : folder_(testing::TempDir() + "tools-" + std::to_string(random_bits())) {
    std::filesystem::create_directories(folder_);
    add_json_tools(tools_);
    add_file_tools(tools_);
  }
  ~SmallTools() override { std::filesystem::remove_all(folder_); }

  std::string run(std::string_view plugin, std::string_view tool, const std::string& with,
                  const std::string& payload = "{}") {
    const auto given = json::parse(with);
    const auto input = json::parse(payload);
    const auto output = run_caught(*tools_.find(plugin, tool), {.run_id = "r",
                                                                .node_id = "n",
                                                                .payload = *input->object(),
                                                                .with = *given->object(),
                                                                .folder = folder_});
    return output ? json::to_text(output->payload)
                  : output.error().type + ": " + output.error().message;
  }

  const std::filesystem::path folder_;
  tool::Registry tools_;
};

// RFC 6901, section 5.
TEST(JsonPointer, FindsWhatTheStandardSays) {
  const auto document = json::parse(
      R"({"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8})");
  const std::pair<const char*, const char*> expected[] = {{"/foo", R"(["bar","baz"])"},
                                                          {"/foo/0", R"("bar")"},
                                                          {"/", "0"},
                                                          {"/a~1b", "1"},
                                                          {"/c%d", "2"},
                                                          {"/e^f", "3"},
                                                          {"/g|h", "4"},
                                                          {"/i\\j", "5"},
                                                          {"/k\"l", "6"},
                                                          {"/ ", "7"},
                                                          {"/m~0n", "8"}};
  for (const auto& [pointer, value] : expected) {
    EXPECT_EQ(json::to_text(*value_at(*document, pointer)), value) << pointer;
  }
  EXPECT_EQ(*value_at(*document, ""), *document);
  for (const auto* pointer : {"/foo/2", "/foo/-", "/foo/01", "/foo/0/x", "/bar"}) {
    EXPECT_EQ(value_at(*document, pointer).error().code, ErrorCode::kNotFound) << pointer;
  }
  for (const auto* pointer : {"foo", "/~", "/~2"}) {
    EXPECT_EQ(value_at(*document, pointer).error().code, ErrorCode::kInvalidInput) << pointer;
  }
}

// RFC 7396, appendix A.
TEST(MergePatch, DoesWhatTheStandardSays) {
  const char* cases[][3] = {
      {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
      {R"({"a":"b"})", R"({"a":null})", R"({})"},
      {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
      {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
      {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
      {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
      {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
      {R"({"a":"b"})", R"(["c"])", R"(["c"])"},
      {R"({"a":"foo"})", "null", "null"},
      {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
      {"[1,2]", R"({"a":"b","c":null})", R"({"a":"b"})"},
      {R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"}};
  for (const auto& [target, patch, result] : cases) {
    EXPECT_EQ(json::to_text(merge_patch(*json::parse(target), *json::parse(patch))), result);
  }
}

TEST_F(SmallTools, SelectSetAndMergeJson) {
  EXPECT_EQ(run("json", "select", R"({"pointer":"/a/1"})", R"({"a":[1,2]})"), R"({"value":2})");
  EXPECT_EQ(run("json", "select", R"({"pointer":"/a","as":"x"})", R"({"a":1})"), R"({"x":1})");
  EXPECT_EQ(run("json", "select", R"({"pointer":"/b"})", R"({"a":1})"),
            "NotThere: node 'n': 'b': an object has none");
  EXPECT_THAT(run("json", "select", R"({"pointer":"b"})"), StartsWith("InvalidPointer: node 'n'"));
  EXPECT_EQ(run("json", "set", R"({"pointer":"/a/b/c","value":[1]})", R"({"x":1})"),
            R"({"x":1,"a":{"b":{"c":[1]}}})");
  EXPECT_EQ(run("json", "set", R"({"pointer":"/a/-","value":3})", R"({"a":[1]})"),
            R"({"a":[1,3]})");
  EXPECT_THAT(run("json", "set", R"({"pointer":"/a/7","value":3})", R"({"a":[1]})"),
              StartsWith("NotThere: "));
  EXPECT_THAT(run("json", "set", R"({"pointer":"/a/b","value":3})", R"({"a":1})"),
              StartsWith("InvalidPointer: "));
  EXPECT_THAT(run("json", "set", R"({"pointer":"","value":3})"), StartsWith("InvalidPointer: "));
  EXPECT_EQ(run("json", "merge", R"({"patch":{"a":null,"b":2}})", R"({"a":1})"), R"({"b":2})");
}

TEST_F(SmallTools, SayWhatProcessorTimeTheyUsed) {
  for (const auto* plugin : {"json", "file"}) {
    for (const auto& tool : tools_.tool_ids(plugin)) {
      EXPECT_TRUE(tools_.find(plugin, tool)->spec().measures_cpu) << plugin << "." << tool;
    }
  }
}

TEST_F(SmallTools, ReadWriteListAndCopyFiles) {
  const auto path = (folder_ / "new/a.txt").string();
  EXPECT_EQ(run("file", "write", R"({"path":"new/a.txt","content":"text"})"),
            R"({"path":")" + path + R"(","size_bytes":4})");
  EXPECT_EQ(run("file", "read", R"({"path":"new/a.txt"})"), R"({"content":"text"})");
  EXPECT_THAT(run("file", "write", R"({"path":"new/b.json","content":{"k":1}})"), StartsWith("{"));
  EXPECT_EQ(run("file", "read", R"({"path":"new/b.json","as":"j"})"), R"({"j":"{\"k\":1}\n"})");
  EXPECT_THAT(run("file", "copy", R"({"from":"new/a.txt","to":"c"})"), StartsWith("{\"path\":"));
  EXPECT_EQ(
      run("file", "list", R"({"path":"."})"),
      R"({"files":[{"name":"c","type":"file","size_bytes":4},{"name":"new","type":"folder"}]})");
}

TEST_F(SmallTools, SayWhatIsWrongWithAFile) {
  EXPECT_THAT(run("file", "read", R"({"path":"none"})"), StartsWith("FileNotFound: node 'n': "));
  EXPECT_THAT(run("file", "list", R"({"path":"none"})"), StartsWith("FileNotFound: "));
  EXPECT_THAT(run("file", "copy", R"({"from":"none","to":"c"})"), StartsWith("FileNotFound: "));
  std::ofstream(folder_ / "bytes") << "\xff";
  EXPECT_THAT(run("file", "read", R"({"path":"bytes"})"), StartsWith("FileNotUtf8: "));
  std::ofstream(folder_ / "large") << std::string((4U << 20) + 1, 'x');
  EXPECT_THAT(run("file", "read", R"({"path":"large"})"), StartsWith("FileTooLarge: "));
  EXPECT_THAT(run("file", "write", R"({"path":"bytes/x","content":"a"})"),
              StartsWith("FileError: "));
}

}  // namespace
}  // namespace weir::plugins
