#include "tool/lineage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tool/plugin_testing.h"
#include "tool/protections.h"

namespace weir::tool {
namespace {

using testing::HasSubstr;

constexpr std::string_view kLineage =
    R"({"rows":2,"rows_in":{"orders":4},"schema_in":{"orders":[{"name":"id","type":"BIGINT"}]},)"
    R"("schema_out":[{"name":"total","type":"DOUBLE"}]})";
constexpr std::string_view kTaken =
    R"({"rows_in":{"orders":4},"schema_in":{"orders":[{"name":"id","type":"BIGINT"}]},)"
    R"("schema_out":[{"name":"total","type":"DOUBLE"}]})";

class Lineage : public PluginTest {
 protected:
  /// "" or the warning.
  std::string fault_of(const std::string& said) {
    log_.clear();
    Output output{.payload = {}, .usage = {}};
    const json::Object none;
    read_lineage(said,
                 {.run_id = "r",
                  .node_id = "n",
                  .payload = none,
                  .with = none,
                  .folder = folder_,
                  .log = [this](const LogLine& line) { log_.append(line.message); }},
                 output);
    EXPECT_TRUE(log_.empty() || (output.lineage.empty() && !output.usage.rows)) << said;
    return log_;
  }

  /// A trusted plugin, which needs nothing of the kernel, that prints this once it was called.
  std::unique_ptr<PluginHost> started(const std::string& kind, const std::string& printed) {
    write_program("run.sh", "#!/bin/sh\nread -r line\necho '" + printed + "'\n");
    return make_host(plugin("{id: p, version: '1', trust: trusted, kind: " + kind +
                                ", command: [./run.sh], tools: {t: {}}}",
                            config::Trust::kTrusted));
  }

  void expect_taken(PluginHost& host) {
    const auto output = call(host);
    ASSERT_TRUE(output) << said(output);
    EXPECT_EQ(said(output), R"({"answer":42})");
    EXPECT_EQ(json::to_text(output->lineage), kTaken) << log_;
    EXPECT_EQ(output->usage.rows, 2);
  }

  void expect_passed_over(PluginHost& host) {
    const auto output = call(host);
    ASSERT_TRUE(output) << said(output);
    EXPECT_EQ(said(output), R"({"answer":42})");
    EXPECT_TRUE(output->lineage.empty());
    EXPECT_THAT(log_, HasSubstr("what it said of its tables was passed over: 'rows' is no number"));
  }
};

TEST_F(Lineage, IsOfOneFormOrPassedOver) {
  EXPECT_EQ(fault_of(""), "");
  EXPECT_EQ(fault_of("{}"), "");
  EXPECT_EQ(fault_of(std::string(kLineage)), "");
  EXPECT_EQ(fault_of(R"({"schema_out":[],"rows_in":{}})"), "");
  for (const auto& [said, fault] :
       {std::pair(R"([1])", "it is a list, not a JSON object"),
        {"{", "passed over: "},
        {R"({"row":1})", "'row' is none of rows, rows_in, schema_in and schema_out"},
        {R"({"rows":-1})", "'rows' is no number of rows"},
        {R"({"rows":1.5})", "'rows' is no number of rows"},
        {R"({"rows_in":4})", "'rows_in' is no object"},
        {R"({"rows_in":{"a":"4"}})", "'rows_in' is no object"},
        {R"({"schema_out":{"a":"INT"}})", "'schema_out' is no list of {name, type}"},
        {R"({"schema_out":[{"name":"a"}]})", "'schema_out' is no list of {name, type}"},
        {R"({"schema_out":[{"name":"a","type":"INT","x":1}]})", "'schema_out' is no list"},
        {R"({"schema_in":[{"name":"a","type":"INT"}]})", "'schema_in' is no object of lists"}}) {
    EXPECT_THAT(fault_of(said), HasSubstr(fault)) << said;
  }
  EXPECT_THAT(fault_of(R"({"rows_in":{")" + std::string(kMaxLineageBytes, 'x') + "\":1}}"),
              HasSubstr("it has more than 65536 bytes"));
}

TEST_F(Lineage, IsAMemberOfWhatAProcessPrints) {
  const auto printing = [&](std::string_view lineage) {
    return started("process", R"({"answer": 42, "_lineage": )" + std::string(lineage) + "}");
  };
  expect_taken(*printing(kLineage));
  expect_passed_over(*printing(R"({"rows": "two"})"));
}

TEST_F(Lineage, IsAMemberOfTheResultOfAProcessThatStays) {
  const auto answering = [&](std::string_view lineage) {
    return started("warm",
                   R"({"jsonrpc":"2.0","id":1,"result":{"output":{"answer":42},"lineage":)" +
                       std::string(lineage) + "}}");
  };
  expect_taken(*answering(kLineage));
  expect_passed_over(*answering(R"({"rows": "two"})"));
}

constexpr const char* kLibrary = R"(
#include "weir/plugin.h"
static int call(void* state, const weir_plugin_call* call) {
  (void)state;
  call->set_output(call->host, "{\"answer\":42}", 13);
  if (call->size <= offsetof(weir_plugin_call, set_lineage)) return 1;
  call->set_lineage(call->host, LINEAGE, sizeof LINEAGE - 1);
  return 0;
}
static const weir_plugin plugin = {WEIR_PLUGIN_VERSION, 0, call, 0};
const weir_plugin* weir_plugin_entry(uint32_t version) { return version >= 1 ? &plugin : 0; }
)";

TEST_F(Lineage, IsSetByALibraryInAndOutsideThisProcess) {
  const auto define = [](std::string_view lineage) {
    return "#define LINEAGE " + json::to_text(json::Value(lineage)) + "\n" + kLibrary;
  };
  build_library("libgood.so", define(kLineage));
  build_library("libbad.so", define(R"({"rows": "two"})"));
  for (const auto trust : {config::Trust::kTrusted, config::Trust::kPartner}) {
    if (!check_protections(trust, protections())) continue;
    const auto host = [&](const std::string& library) {
      return make_host(
          plugin("{id: p, version: '1', trust: trusted, kind: shared_object, "
                 "library: " +
                     library + ", tools: {t: {}}}",
                 trust));
    };
    log_.clear();
    expect_taken(*host("libgood.so"));
    expect_passed_over(*host("libbad.so"));
  }
}

}  // namespace
}  // namespace weir::tool
