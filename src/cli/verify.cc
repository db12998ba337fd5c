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
  if (found.read.parts > 0) std::printf("%s, ", text::count(found.read.parts, "part").c_str());
  std::printf("%s, %s, %s of %s, %s, %s\n", text::count(found.read.segments, "segment").c_str(),
              text::count(found.read.commits, "commit").c_str(),
              text::count(found.read.events, "event").c_str(),
              text::count(found.runs, "run").c_str(),
              text::count(found.artifacts, "artifact").c_str(),
              text::count(found.read.bytes, "byte").c_str());
  if (found.seals.anchor) {
    std::printf("%s, anchor %s\n", text::count(found.seals.seals, "seal").c_str(),
                found.seals.anchor->text().c_str());
  }
  if (found.seals.dropped_bytes > 0) {
    std::printf("%s left by crashes and never acknowledged were dropped\n",
                text::count(found.seals.dropped_bytes, "byte").c_str());
  }
  if (found.read.torn_bytes > 0) {
    std::printf("%s after the last commits: left by a crash or on their way, never acknowledged\n",
                text::count(found.read.torn_bytes, "byte").c_str());
  }
  for (const auto& warning : found.seals.warnings) {
    std::fprintf(stderr, "weir: warning: %s\n", warning.c_str());
  }
  for (const auto& file : found.foreign) {
    std::fprintf(stderr, "weir: warning: %s: none of the store's: nobody reads it\n", file.c_str());
  }
  for (const auto& problem : found.problems) std::fprintf(stderr, "weir: %s\n", problem.c_str());
  std::printf("%s\n", found.problems.empty()
                          ? "ok: everything committed is as it was written"
                          : ("DAMAGED: " + text::count(found.problems.size(), "problem")).c_str());
}

json::Array list_of(const std::vector<std::string>& sentences) {
  json::Array list;
  list.reserve(sentences.size());
  for (const auto& sentence : sentences) list.emplace_back(sentence);
  return list;
}

void print_json(const store::Verification& found) {
  json::Object object;
  object.set("ok", found.problems.empty());
  object.set("parts", found.read.parts);
  object.set("segments", found.read.segments);
  object.set("commits", found.read.commits);
  object.set("events", found.read.events);
  object.set("runs", found.runs);
  object.set("artifacts", found.artifacts);
  object.set("bytes", found.read.bytes);
  object.set("torn_bytes", found.read.torn_bytes);
  object.set("seals", found.seals.seals);
  object.set("dropped_bytes", found.seals.dropped_bytes);
  if (found.seals.anchor) object.set("anchor", found.seals.anchor->text());
  object.set("problems", list_of(found.problems));
  object.set("warnings", list_of(found.seals.warnings));
  json::Array foreign;
  for (const auto& file : found.foreign) foreign.emplace_back(file.string());
  object.set("foreign_files", std::move(foreign));
  std::printf("%s\n", json::to_pretty_text(object).c_str());
}

struct VerifyOptions {
  bool as_json = false;
  std::string anchor;  // empty: none
};

int verify(const VerifyOptions& options, const Invocation& invocation) {
  const auto anchor = Sha256::parse(options.anchor);
  if (!options.anchor.empty() && !anchor) {
    std::fprintf(stderr,
                 "weir: --anchor: the 64 hex digits that an earlier verify has printed are "
                 "expected\n");
    return kWrongUsage;
  }
  const auto store = invocation.open_store();
  if (!store) return complain(store.error());
  const auto found = store::verify(*store, anchor);
  if (!found) return complain(found.error());
  options.as_json ? print_json(*found) : print_text(*found);
  return found->problems.empty() ? kDone : kStoreFailed;
}

}  // namespace

void add_verify(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<VerifyOptions>();
  auto* command =
      app.add_subcommand("verify", "Check that everything in the store is as it was written");
  command->add_flag("--json", options->as_json, "Print JSON");
  command->add_option("--anchor", options->anchor,
                      "Hold the store to the anchor that an earlier verify has printed");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return verify(*options, invocation); };
  });
}

}  // namespace weir::cli
