#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "base/id.h"
#include "tool/plugin.h"
#include "tool/tool.h"

namespace weir::tool {

/// A plugin in a folder of its own, which everybody may read, and calls of its tool `t`.
class PluginTest : public testing::Test {
 protected:
  PluginTest() : folder_(testing::TempDir() + "plugin-" + std::to_string(random_bits())) {
    std::filesystem::create_directories(folder_);
    std::filesystem::permissions(folder_, std::filesystem::perms(0755));
  }
  ~PluginTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  /// A script in the plugin's folder, for `command: [./NAME]`.
  void write_program(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    std::filesystem::permissions(folder_ / name, std::filesystem::perms(0755));
  }

  /// A shared object in the plugin's folder, of a program in C.
  void build_library(const std::string& name, const std::string& text) const {
    const auto source = folder_ / (name + ".c");
    std::ofstream(source) << text;
    const auto compile = "cc -shared -fPIC -I " WEIR_SOURCE_DIR "/include -o " +
                         (folder_ / name).string() + " " + source.string();
    ASSERT_EQ(std::system(compile.c_str()), 0);
  }

  [[nodiscard]] Plugin plugin(const std::string& manifest, config::Trust agreed) const {
    auto [read, problems] = config::parse_plugin_manifest(manifest);
    for (const auto& problem : problems) ADD_FAILURE() << to_string(problem, "manifest");
    auto policy = policy_of(read, agreed, folder_);
    return {.manifest = std::move(read),
            .folder = folder_,
            .policy = std::move(policy),
            .weir = WEIR_PROGRAM};
  }

  /// An untrusted plugin whose command is a shell's, with these limits.
  [[nodiscard]] Plugin shell(const std::string& script, const std::string& limits = "") {
    write_program("run.sh", "#!/bin/sh\n" + script + "\n");
    return plugin(
        "{id: p, version: '1', command: [./run.sh], tools: {t: {}}, limits: {" + limits + "}}",
        config::Trust::kUntrusted);
  }

  std::expected<Output, Failure> call(PluginHost& host, const json::Object& payload = {},
                                      std::stop_token stop = {}) {
    const json::Object with;
    return host.call(
        "t", {.run_id = "r",
              .node_id = "n",
              .payload = payload,
              .with = with,
              .folder = folder_,
              .stop = std::move(stop),
              .log = [this](const LogLine& line) { log_.append(line.message).append("\n"); },
              .kept = {},
              .environment = [] { return Environment{{"WEIR_RUN_ID", "r"}}; },
              .idempotency_key = "key"});
  }

  /// How the call ended in words: the output, or "TYPE: message".
  static std::string said(const std::expected<Output, Failure>& output) {
    if (output) return json::to_text(output->payload);
    return output.error().type + ": " + output.error().message;
  }

  const std::filesystem::path folder_;
  std::string log_;
};

/// What `work` says when a user runs it who is not root.
inline std::string as_nobody(const std::function<std::string()>& work) {
  constexpr uid_t kNobody = 65534;
  int ends[2];
  if (::pipe(ends) != 0) return "no pipe";
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    const bool is_nobody =
        ::setresgid(kNobody, kNobody, kNobody) == 0 && ::setresuid(kNobody, kNobody, kNobody) == 0;
    const auto text = is_nobody ? work() : "cannot become nobody";
    const auto written = ::write(ends[1], text.data(), text.size());
    ::_exit(written == static_cast<ssize_t>(text.size()) ? 0 : 1);
  }
  ::close(ends[1]);
  std::string said;
  char buffer[4096];
  for (ssize_t got = 0; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
    said.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  return said;
}

}  // namespace weir::tool
