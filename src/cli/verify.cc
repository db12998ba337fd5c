#include "store/verify.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"

namespace weir::cli {
namespace {

void print_text(const store::Verification& found) {
  std::printf("%s, %s, %s of %s, %s, %s\n", text::count(found.read.segments, "segment").c_str(),
              text::count(found.read.commits, "commit").c_str(),
              text::count(found.read.events, "event").c_str(),
              text::count(found.runs, "run").c_str(),
              text::count(found.artifacts, "artifact").c_str(),
              text::count(found.read.bytes, "byte").c_str());
  if (found.read.torn_bytes > 0) {
    std::printf(
        "%llu bytes follow the last commits: left by a crash or on their way, never acknowledged\n",
        static_cast<unsigned long long>(found.read.torn_bytes));
  }
  for (const auto& problem : found.problems) std::fprintf(stderr, "weir: %s\n", problem.c_str());
  std::printf("%s\n", found.problems.empty()
                          ? "ok: everything committed is as it was written"
                          : ("DAMAGED: " + text::count(found.problems.size(), "problem")).c_str());
}

void print_json(const store::Verification& found) {
  json::Object object;
  object.set("ok", found.problems.empty());
  object.set("segments", found.read.segments);
  object.set("commits", found.read.commits);
  object.set("events", found.read.events);
  object.set("runs", found.runs);
  object.set("artifacts", found.artifacts);
  object.set("bytes", found.read.bytes);
  object.set("torn_bytes", found.read.torn_bytes);
  json::Array problems;
  for (const auto& problem : found.problems) problems.emplace_back(problem);
  object.set("problems", std::move(problems));
  std::printf("%s\n", json::to_pretty_text(object).c_str());
}

int verify(bool as_json, const Invocation& invocation) {
  const auto store = invocation.open_store();
  if (!store) return complain(store.error());
  const auto found = store::verify(*store);
  if (!found) return complain(found.error());
  as_json ? print_json(*found) : print_text(*found);
  return found->problems.empty() ? kDone : kStoreFailed;
}

}  // namespace

void add_verify(CLI::App& app, Invocation& invocation) {
  auto as_json = std::make_shared<bool>(false);
  auto* command =
      app.add_subcommand("verify", "Check that everything in the store is as it was written");
  command->add_flag("--json", *as_json, "Print JSON");
  command->callback([&invocation, as_json] {
    invocation.action = [&invocation, as_json] { return verify(*as_json, invocation); };
  });
}

}  // namespace weir::cli
