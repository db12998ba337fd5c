#include "store/backup.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"

namespace weir::cli {
namespace {

struct BackupOptions {
  std::string folder;
  bool as_json = false;
};

json::Object json_of(const store::BackupReport& done) {
  json::Object object;
  object.set("at", to_string(done.list.at));
  object.set("anchor",
             done.list.anchor ? json::Value(done.list.anchor->text()) : json::Value(nullptr));
  object.set("files", done.list.files.size());
  object.set("bytes", done.bytes);
  object.set("copied_bytes", done.copied_bytes);
  json::Array left;
  for (const auto& [path, reason] : done.list.left) {
    json::Object one;
    one.set("path", path);
    one.set("reason", reason);
    left.emplace_back(std::move(one));
  }
  object.set("left", std::move(left));
  return object;
}

int print(const store::BackupReport& done, const std::string& what, bool as_json) {
  if (as_json) {
    std::printf("%s\n", json::to_pretty_text(json_of(done)).c_str());
  } else {
    std::printf("%s: %s of %s, %s copied\n", what.c_str(),
                text::count(done.list.files.size(), "file").c_str(),
                text::count(done.bytes, "byte").c_str(),
                text::count(done.copied_bytes, "byte").c_str());
    if (done.list.anchor) std::printf("anchor %s\n", done.list.anchor->text().c_str());
  }
  for (const auto& [path, reason] : done.list.left) {
    std::fprintf(stderr, "weir: without %s: %s\n", path.c_str(), reason.c_str());
  }
  return done.list.left.empty() ? kDone : kStoreFailed;
}

int back_up(const BackupOptions& options, const Invocation& invocation) {
  const auto store = invocation.open_store();
  if (!store) return complain(store.error());
  const auto done = store::back_up(*store, options.folder);
  if (!done) return complain(done.error());
  return print(*done, "backed up", options.as_json);
}

int restore(const BackupOptions& options, const Invocation& invocation) {
  const auto done =
      store::restore(options.folder, local_files(), invocation.store_path(), local_files());
  if (!done) return complain(done.error());
  return print(*done, "restored " + invocation.store_path().string(), options.as_json);
}

}  // namespace

void add_backup(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<BackupOptions>();
  auto* command =
      app.add_subcommand("backup", "Make a consistent copy of the store, while it is used");
  command
      ->add_option("folder", options->folder,
                   "Where: a folder that is not there, or an earlier backup, which is replaced")
      ->required();
  command->add_flag("--json", options->as_json, "Print JSON");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return back_up(*options, invocation); };
  });
}

void add_restore(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<BackupOptions>();
  auto* command = app.add_subcommand("restore", "Make a store of a backup, where none is");
  command->add_option("folder", options->folder, "The backup")->required();
  command->add_flag("--json", options->as_json, "Print JSON");
  command->footer("--store says where. Without it, where the other commands look for the store.");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return restore(*options, invocation); };
  });
}

}  // namespace weir::cli
