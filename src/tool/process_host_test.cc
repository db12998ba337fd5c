#include <gmock/gmock.h>

#include "tool/plugin_testing.h"

namespace weir::tool {
namespace {

using testing::StartsWith;

/// A plugin that is started for each call, trusted: that needs nothing of the kernel.
class ProcessHost : public PluginTest {
 protected:
  std::unique_ptr<PluginHost> host(const std::string& script, const std::string& limits) {
    write_program("run.sh", "#!/bin/sh\n" + script + "\n");
    return make_host(plugin(
        "{id: p, version: '1', trust: trusted, command: [./run.sh], tools: {t: {}}, limits: {" +
            limits + "}}",
        config::Trust::kTrusted));
  }
};

TEST_F(ProcessHost, SaysWhatItUsedThatWouldNotEndAndWasKilled) {
  const auto output = call(*host("trap '' TERM; while :; do :; done", "time: 100ms"));
  EXPECT_THAT(said(output), StartsWith("TIMEOUT: it took longer than 100 ms"));
  EXPECT_GT(output.error().usage.cpu_ms.value_or(0), 0);
  EXPECT_GT(output.error().usage.memory_bytes.value_or(0), 0);
}

}  // namespace
}  // namespace weir::tool
