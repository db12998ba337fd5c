#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>

#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/person.h"
#include "cli/run_list.h"
#include "cli/settings.h"
#include "record/recorder.h"
#include "store/holds.h"

namespace weir::cli {
namespace {

using event::Field;

struct HoldOptions {
  NamedRun run;
  std::string reason;
  bool list = false;
  bool as_json = false;
};

/// As an audit of this process.
Result<void> record(std::string_view operation, const RunId& run, const HoldOptions& options,
                    const config::Config& settings, const log::StoreDirectory& store) {
  WEIR_TRY(auto recording, recorder_options(settings));
  record::Recorder recorder(store, std::move(recording));
  const auto who = person();
  const auto target = run.text();
  std::vector<event::FieldValue> fields = {{Field::kActorId, std::string_view(who)},
                                           {Field::kOperation, operation},
                                           {Field::kTargetRunId, std::string_view(target)}};
  if (!options.reason.empty()) fields.push_back({Field::kReason, std::string_view(options.reason)});
  auto& runs = recorder.process_runs();
  WEIR_TRY(
      runs.emit(record::Retention::kAudit, {}, event::Type::kAudit, event::Level::kInfo, fields));
  return runs.flush();
}

void print(const std::vector<store::Hold>& holds, bool as_json) {
  json::Array array;
  for (const auto& hold : holds) {
    if (as_json) {
      json::Object one;
      one.set("run_id", hold.run.text());
      one.set("held_by", hold.actor);
      one.set("held_at", to_string(hold.at));
      one.set("reason", hold.reason);
      array.emplace_back(std::move(one));
    } else {
      std::printf("%s  %s  %s: %s\n", hold.run.text().c_str(), to_string(hold.at).c_str(),
                  text::printable(hold.actor).c_str(), text::printable(hold.reason).c_str());
    }
  }
  if (as_json) {
    std::printf("%s\n", json::to_pretty_text(array).c_str());
  } else if (holds.empty()) {
    std::printf("no run is held\n");
  }
}

int list(const HoldOptions& options, const Invocation& invocation) {
  const auto store = invocation.open_store();
  if (!store) return complain(store.error());
  const auto holds = store::read_holds(*store);
  if (!holds) return complain(holds.error());
  print(*holds, options.as_json);
  return kDone;
}

/// What is held and what is not is said again only where it changes something.
int change(std::string_view operation, const HoldOptions& options, const Invocation& invocation) {
  const auto settings = load_settings(invocation);
  if (!settings) return kWrongUsage;
  const auto store = invocation.open_store();
  if (!store) return complain(store.error());
  // Its events go and stay together, whoever has the id.
  const auto run = find_run_id(*store, options.run);
  if (!run) return complain_of_name(run.error());
  const auto& id = *run;
  const auto holds = store::read_holds(*store);
  if (!holds) return complain(holds.error());
  const bool is_held = std::ranges::find(*holds, id, &store::Hold::run) != holds->end();
  const bool holds_it = operation == store::kHoldOperation;
  if (!is_held && !holds_it) {
    return complain({ErrorCode::kConflict, "run " + id.text() + " is not held"});
  }
  if (const auto done = record(operation, id, options, *settings, *store); !done) {
    return complain(done.error());
  }
  std::printf("run %s is %s\n", id.text().c_str(), holds_it ? "held" : "not held any more");
  return kDone;
}

int hold(const HoldOptions& options, const Invocation& invocation) {
  if (options.list) return list(options, invocation);
  if (options.run.name.empty() || options.reason.empty()) {
    std::fprintf(stderr, "weir: hold: a run and --reason are expected, or --list\n");
    return kWrongUsage;
  }
  return change(store::kHoldOperation, options, invocation);
}

}  // namespace

void add_hold(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<HoldOptions>();
  auto* command = app.add_subcommand("hold", "Keep a run, whatever its age, until it is released");
  command->add_option("run", options->run.name,
                      "The run: last, its id, or a beginning or end of it");
  add_whose(*command, "runs", options->run.tenant);
  command->add_option("--reason", options->reason, "Why, for the record");
  command->add_flag("--list", options->list, "List the runs that are held");
  command->add_flag("--json", options->as_json, "With --list: print JSON");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return hold(*options, invocation); };
  });
}

void add_release(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<HoldOptions>();
  auto* command = app.add_subcommand("release", "Let a run that is held go when its time comes");
  add_named_run(*command, options->run);
  command->add_option("--reason", options->reason, "Why, for the record");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] {
      return change(store::kReleaseOperation, *options, invocation);
    };
  });
}

}  // namespace weir::cli
