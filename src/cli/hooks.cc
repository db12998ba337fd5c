#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/settings.h"
#include "cli/table.h"

namespace weir::cli {
namespace {

std::string_view word_of(record::HookPriority priority) {
  static constexpr std::string_view kWords[] = {"critical", "high", "medium", "low"};
  return kWords[static_cast<std::size_t>(priority)];
}

std::string_view word_of(record::HookMode mode) {
  return mode == record::HookMode::kSynchronous ? "sync" : "async";
}

std::chrono::milliseconds timeout_of(const record::Hook& hook) {
  const bool waits = hook.mode == record::HookMode::kSynchronous;
  return hook.timeout.value_or(waits ? record::kSynchronousTimeout : record::kAsynchronousTimeout);
}

/// A hook that is configured, and what it is as the bus would have it.
struct ListedHook {
  const config::Hook& configured;
  Result<record::Hook> made;

  [[nodiscard]] std::vector<std::string> topics() const {
    std::vector<std::string> words;
    for (const auto& topic : made ? made->topics : configured.topics) words.push_back(topic.text());
    return words;
  }
};

json::Value to_json(const ListedHook& hook) {
  json::Object object;
  object.set("name", hook.configured.name);
  object.set("run", config::to_string(hook.configured.kind));
  json::Array topics;
  for (const auto& topic : hook.topics()) topics.emplace_back(topic);
  object.set("topics", std::move(topics));
  object.set("priority", hook.made ? json::Value(word_of(hook.made->priority)) : json::Value());
  object.set("mode", hook.made ? json::Value(word_of(hook.made->mode)) : json::Value());
  object.set("timeout_ms", hook.made ? json::Value(timeout_of(*hook.made).count()) : json::Value());
  object.set("enabled", hook.configured.enabled);
  object.set("error", hook.made ? json::Value() : json::Value(hook.made.error().message));
  return object;
}

void print_json(const std::vector<ListedHook>& hooks) {
  json::Array listed, kinds;
  for (const auto& hook : hooks) listed.push_back(to_json(hook));
  for (const auto& info : config::hook_kinds()) {
    json::Object kind;
    kind.set("run", info.word);
    kind.set("description", info.doc);
    kinds.emplace_back(std::move(kind));
  }
  json::Object object;
  object.set("hooks", std::move(listed));
  object.set("kinds", std::move(kinds));
  std::printf("%s\n", json::to_pretty_text(object).c_str());
}

void print_tables(const std::vector<ListedHook>& hooks) {
  if (hooks.empty()) {
    std::printf("No hooks are configured.\n");
  } else {
    Table table({"HOOK", "RUNS", "PRIORITY", "MODE", "ENABLED", "TOPICS"});
    for (const auto& hook : hooks) {
      const bool is_made = hook.made.has_value();
      table.add({hook.configured.name, config::to_string(hook.configured.kind),
                 is_made ? std::string(word_of(hook.made->priority)) : "",
                 is_made ? std::string(word_of(hook.made->mode)) : "",
                 is_made ? (hook.configured.enabled ? "yes" : "no") : "cannot be",
                 text::join(hook.topics())});
    }
    table.print(stdout);
  }
  std::printf("\nWhat a hook can run:\n");
  Table kinds({"RUN", "WHAT IT DOES"});
  for (const auto& info : config::hook_kinds()) {
    kinds.add({std::string(info.word), std::string(info.doc)});
  }
  kinds.print(stdout);
}

int list_hooks(bool as_json, const Invocation& invocation) {
  const auto settings = load_settings(invocation);
  if (!settings) return kWrongUsage;
  std::vector<ListedHook> hooks;
  for (const auto& hook : settings->hooks) hooks.push_back({hook, make_hook(hook)});
  as_json ? print_json(hooks) : print_tables(hooks);
  return kDone;
}

}  // namespace

void add_hooks(CLI::App& app, Invocation& invocation) {
  auto as_json = std::make_shared<bool>(false);
  auto* command =
      app.add_subcommand("hooks", "List the hooks that are configured, and what there can be");
  command->add_flag("--json", *as_json, "Print JSON");
  command->callback([&invocation, as_json] {
    invocation.action = [&invocation, as_json] { return list_hooks(*as_json, invocation); };
  });
}

}  // namespace weir::cli
