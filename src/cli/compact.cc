#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "store/compaction.h"

namespace weir::cli {
namespace {

void print_text(const store::CompactionReport& done) {
  if (done.segments == 0) {
    std::printf("nothing to compact\n");
  } else {
    std::printf("%s of %s in %s became %s of %s\n", text::count(done.events, "event").c_str(),
                text::count(done.segment_bytes, "byte").c_str(),
                text::count(done.segments, "segment").c_str(),
                text::count(done.parts, "part").c_str(),
                text::count(done.part_bytes, "byte").c_str());
  }
  if (done.duplicates > 0) {
    std::printf("%s left out: the same key twice\n", text::count(done.duplicates, "event").c_str());
  }
  if (done.merged_parts > 0) {
    std::printf("%s merged into %s\n", text::count(done.merged_parts, "small part").c_str(),
                text::count(done.merged_into, "part").c_str());
  }
  if (done.removed_segments > 0) {
    std::printf("%s removed that parts had replaced before\n",
                text::count(done.removed_segments, "segment").c_str());
  }
}

json::Array json_of(const std::vector<store::BadPlace>& places) {
  json::Array array;
  array.reserve(places.size());
  for (const auto& place : places) {
    json::Object one;
    one.set("file", place.file.string());
    one.set("reason", place.reason);
    array.emplace_back(std::move(one));
  }
  return array;
}

json::Object rollups_json(const store::RollupReport& done) {
  json::Object object;
  object.set("files", done.files);
  object.set("events", done.events);
  object.set("damaged", json_of(done.damaged));
  object.set("unread", json_of(done.unread));
  return object;
}

void print_json(const store::CompactionReport& done) {
  json::Object object;
  object.set("segments", done.segments);
  object.set("events", done.events);
  object.set("duplicates", done.duplicates);
  object.set("segment_bytes", done.segment_bytes);
  object.set("parts", done.parts);
  object.set("part_bytes", done.part_bytes);
  object.set("removed_segments", done.removed_segments);
  object.set("merged_parts", done.merged_parts);
  object.set("merged_into", done.merged_into);
  if (!done.manifest_damage.empty()) object.set("manifest_damage", done.manifest_damage);
  json::Array left;
  for (const auto& [segment, reason] : done.left) {
    json::Object one;
    one.set("segment", segment.file_name());
    one.set("reason", reason);
    left.emplace_back(std::move(one));
  }
  object.set("left", std::move(left));
  json::Array left_parts;
  for (const auto& [part, reason] : done.left_parts) {
    json::Object one;
    one.set("part", part);
    one.set("reason", reason);
    left_parts.emplace_back(std::move(one));
  }
  object.set("left_parts", std::move(left_parts));
  json::Array foreign;
  for (const auto& file : done.foreign) foreign.emplace_back(file.string());
  object.set("foreign_files", std::move(foreign));
  object.set("rollups", rollups_json(done.rollups));
  std::printf("%s\n", json::to_pretty_text(object).c_str());
}

/// In one line, however many there are.
void warn_of_foreign_files(const std::vector<std::filesystem::path>& files) {
  if (files.empty()) return;
  std::string others;
  if (files.size() > 1) others = " and " + text::count(files.size() - 1, "other file");
  std::fprintf(stderr, "weir: %s%s: none of the store's, and left alone\n", files.front().c_str(),
               others.c_str());
}

int compact(bool as_json, const Invocation& invocation) {
  const auto store = invocation.open_store();
  if (!store) return complain(store.error());
  const auto done = store::compact(*store);
  if (!done) return complain(done.error());
  as_json ? print_json(*done) : print_text(*done);
  if (!done->manifest_damage.empty()) {
    std::fprintf(stderr, "weir: %s: %s: done\n", store->manifest().c_str(),
                 done->manifest_damage.c_str());
  }
  for (const auto& [segment, reason] : done->left) {
    std::fprintf(stderr, "weir: %s: stays as it is: %s\n", store->segment(segment).c_str(),
                 reason.c_str());
  }
  warn_of_left_parts(*store, done->left_parts);
  warn_of_foreign_files(done->foreign);
  complain_of_rollups(done->rollups);
  const bool is_whole =
      done->left.empty() && done->left_parts.empty() && done->rollups.unread.empty();
  return is_whole ? kDone : kStoreFailed;
}

}  // namespace

void add_compact(CLI::App& app, Invocation& invocation) {
  auto as_json = std::make_shared<bool>(false);
  auto* command = app.add_subcommand(
      "compact", "Turn finished segments of the log into Parquet files, sorted by run");
  command->add_flag("--json", *as_json, "Print JSON");
  command->callback([&invocation, as_json] {
    invocation.action = [&invocation, as_json] { return compact(*as_json, invocation); };
  });
}

}  // namespace weir::cli
