#include "cli/settings.h"

#include <cstdio>

#include "cli/console.h"
#include "cli/problems.h"
#include "config/load.h"
#include "export/hooks.h"
#include "record/builtin_hooks.h"

namespace weir::cli {
namespace {

exporting::MetricsFormat format_of(config::MetricsFormat format) {
  switch (format) {
    case config::MetricsFormat::kPrometheus:
      return exporting::MetricsFormat::kPrometheus;
    case config::MetricsFormat::kParquet:
      return exporting::MetricsFormat::kParquet;
    case config::MetricsFormat::kJson:
      break;
  }
  return exporting::MetricsFormat::kJson;
}

std::vector<exporting::MetricsFormat> formats_of(const config::Hook& hook) {
  std::vector<exporting::MetricsFormat> formats;
  formats.reserve(hook.formats.size());
  for (const auto format : hook.formats) formats.push_back(format_of(format));
  return formats;
}

record::HookPriority priority_of(config::HookPriority priority) {
  switch (priority) {
    case config::HookPriority::kCritical:
      return record::HookPriority::kCritical;
    case config::HookPriority::kHigh:
      return record::HookPriority::kHigh;
    case config::HookPriority::kMedium:
      return record::HookPriority::kMedium;
    case config::HookPriority::kLow:
      return record::HookPriority::kLow;
  }
  return record::HookPriority::kMedium;
}

/// What the hook does, with what its kind says of the rest.
Result<record::Hook> make_kind(const config::Hook& hook) {
  switch (hook.kind) {
    case config::HookKind::kSummary:
      return record::run_summary_hook(print_to_console(record::kSynchronousTimeout));
    case config::HookKind::kFailureAlert:
      return record::failure_alert_hook(print_to_console(record::kSynchronousTimeout),
                                        hook.threshold);
    case config::HookKind::kLogRotation:
      return record::log_rotation_hook({.folder = hook.folder,
                                        .pattern = hook.pattern,
                                        .keep = static_cast<std::size_t>(hook.keep)});
    case config::HookKind::kCommand:
      return record::command_hook({.name = hook.name,
                                   .topics = hook.topics,
                                   .command = hook.command,
                                   .timeout = hook.timeout.value_or(record::kAsynchronousTimeout)});
    case config::HookKind::kMetricsExport:
      return exporting::metrics_export_hook({.folder = hook.folder, .formats = formats_of(hook)});
    case config::HookKind::kCacheStatistics:
      return exporting::cache_statistics_hook(print_to_console(record::kSynchronousTimeout));
    case config::HookKind::kWebhook:
      break;
  }
  record::Webhook webhook{
      .name = hook.name,
      .topics = hook.topics,
      .url = hook.url,
      .headers = {hook.headers.begin(), hook.headers.end()},
  };
  if (hook.timeout) webhook.timeout = *hook.timeout;
  return exporting::webhook_hook(std::move(webhook));
}

/// What other commands than those with the option do not have.
std::vector<config::Flag> flags_of(const Invocation& invocation) {
  if (invocation.tenant.empty()) return {};
  // A text, also when it looks like a number.
  const auto text = json::to_text(json::Value(invocation.tenant));
  return {{.name = "--tenant", .key = "tenant", .value = text}};
}

}  // namespace

std::optional<config::Config> load_settings(const Invocation& invocation) {
  const auto [path, is_named] = invocation.config_path();
  auto file = config::load(
      {.file = path,
       .if_missing = is_named ? config::IfMissing::kFail : config::IfMissing::kDefaults,
       .environment = config::process_environment(),
       .flags = flags_of(invocation)});
  if (!file) {
    complain(std::move(file).error().within("the configuration"));
    return {};
  }
  if (file->problems.empty()) return std::move(file->config);
  say("%s\n", to_text(file->problems, path.string()).c_str());
  say("weir: nothing was done: the configuration is wrong\n");
  return {};
}

Result<record::RecorderOptions> recorder_options(const config::Config& config) {
  record::RecorderOptions options;
  WEIR_TRY(auto redactor, event::Redactor::make(config.redaction.policy));
  options.redactor = std::make_shared<const event::Redactor>(std::move(redactor));
  options.commit_interval = config.record.commit_interval;
  options.log.segment_bytes = config.log.size_bytes;
  options.log.segment_age = std::chrono::duration_cast<std::chrono::seconds>(config.log.age);
  return options;
}

record::Durability durability(const config::Config& config) {
  switch (config.record.durability) {
    case config::Durability::kMemory:
      return record::Durability::kMemory;
    case config::Durability::kBatch:
      return record::Durability::kBatch;
    case config::Durability::kCommit:
      return record::Durability::kCommit;
  }
  return record::Durability::kBatch;
}

pipeline::OnLogFailure on_log_failure(const config::Config& config) {
  return config.record.on_log_failure == config::OnLogFailure::kContinue
             ? pipeline::OnLogFailure::kContinue
             : pipeline::OnLogFailure::kStop;
}

Result<void> set_loggers(const config::Config& config, record::Loggers& loggers) {
  for (const auto& [name, logger] : config.loggers) {
    WEIR_TRY(loggers.set_level(name, logger.level));
    WEIR_TRY(loggers.set_sampling(name, logger.sampling));
  }
  return {};
}

Result<record::Hook> make_hook(const config::Hook& hook) {
  auto made = make_kind(hook);
  if (!made) return std::unexpected(std::move(made).error().within("hook '" + hook.name + "'"));
  made->name = hook.name;
  if (!hook.topics.empty()) made->topics = hook.topics;
  if (hook.priority) made->priority = priority_of(*hook.priority);
  if (hook.mode) {
    made->mode = *hook.mode == config::HookMode::kSynchronous ? record::HookMode::kSynchronous
                                                              : record::HookMode::kAsynchronous;
  }
  // Commands and webhooks have a clock of their own; the bus gives them a little longer.
  const bool has_clock =
      hook.kind == config::HookKind::kCommand || hook.kind == config::HookKind::kWebhook;
  if (hook.timeout && !has_clock) made->timeout = hook.timeout;
  return made;
}

Result<void> fill_bus(const config::Config& config, record::EventBus& bus) {
  for (const auto& hook : config.hooks) {
    WEIR_TRY(auto made, make_hook(hook));
    WEIR_TRY(bus.add(std::move(made)));
    if (!hook.enabled) WEIR_TRY(bus.disable(hook.name));
  }
  return {};
}

engine::SignalPolicy signal_policy(const config::Config& config) {
  engine::SignalPolicy policy;
  const bool has_roles =
      !config.signals.roles.empty() || config.signals.default_role != config::SignalRole::kAdmin;
  if (!has_roles) return policy;
  policy.role_of = [signals = config.signals](std::string_view actor_id) {
    const auto found = signals.roles.find(actor_id);
    const auto role = found == signals.roles.end() ? signals.default_role : found->second;
    switch (role) {
      case config::SignalRole::kOperator:
        return engine::Role::kOperator;
      case config::SignalRole::kEngineer:
        return engine::Role::kEngineer;
      case config::SignalRole::kSystem:
        return engine::Role::kSystem;
      case config::SignalRole::kAdmin:
        break;
    }
    return engine::Role::kAdmin;
  };
  return policy;
}

}  // namespace weir::cli
