#pragma once

#include <optional>

#include "base/result.h"
#include "cli/command.h"
#include "config/config.h"
#include "engine/signal_types.h"
#include "pipeline/definition.h"
#include "record/event_bus.h"
#include "record/loggers.h"
#include "record/recorder.h"

/// What a command makes of the configuration.
namespace weir::cli {

/// The configuration that holds for this command: that of --config or $WEIR_CONFIG, else weir.yaml
/// beside the store, else the defaults. Nothing: it is wrong, which was said on standard error;
/// nothing is to be done then, and kWrongUsage is the exit code.
[[nodiscard]] std::optional<config::Config> load_settings(const Invocation& invocation);

/// Errors: kInvalidInput for a policy of which no redactor can be made.
[[nodiscard]] Result<record::RecorderOptions> recorder_options(const config::Config& config);
[[nodiscard]] record::Durability durability(const config::Config& config);
[[nodiscard]] pipeline::OnLogFailure on_log_failure(const config::Config& config);
/// Errors: those of record::Loggers.
[[nodiscard]] Result<void> set_loggers(const config::Config& config, record::Loggers& loggers);

/// Who may ask what of a run.
[[nodiscard]] engine::SignalPolicy signal_policy(const config::Config& config);

/// The hook that is configured, enabled or not; it prints to standard error. Errors: kInvalidInput.
[[nodiscard]] Result<record::Hook> make_hook(const config::Hook& hook);
/// Adds them all to a bus, those that are not enabled disabled. Errors: of make_hook and
/// EventBus::add.
[[nodiscard]] Result<void> fill_bus(const config::Config& config, record::EventBus& bus);

}  // namespace weir::cli
