#include "engine/exec.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>

#include "base/text.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/keeping.h"
#include "cli/recording.h"
#include "cli/settings.h"
#include "cli/tenant.h"
#include "cli/terminal.h"

namespace weir::cli {
namespace {

/// As `env`, `nohup` and `timeout` have them.
enum ExecExitCode : int { kNotExecutable = 126, kNotFound = 127, kSignalled = 128 };

struct ExecOptions {
  std::string name;
  bool quiet = false;
};

/// From here on the signals that would end us come to the descriptor: those that are not ignored,
/// as nohup asks for.
/// Before other threads are made: they must inherit the blocked signals.
Result<int> catch_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2}) {
    struct sigaction action{};
    ::sigaction(signal, nullptr, &action);
    if (action.sa_handler != SIG_IGN) sigaddset(&signals, signal);
  }
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const int descriptor = ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  if (descriptor < 0) return fail_errno("signalfd");
  return descriptor;
}

void say_error(const Error& error) { say("weir: %s\n", error.message.c_str()); }

void print_summary(const engine::RunReport& report, const std::string& name) {
  const bool coloured = is_coloured(stderr);
  const auto took = text::duration(report.duration_ms);
  const auto run = report.run_id.text();
  switch (report.outcome) {
    case pipeline::RunOutcome::kCompleted:
      say("%s in %s, run %s\n", paint(coloured, Colour::kGreen, name + " completed").c_str(),
          took.c_str(), run.c_str());
      return;
    case pipeline::RunOutcome::kFailed:
      say("%s after %s: %s, run %s\n", paint(coloured, Colour::kRed, name + " failed").c_str(),
          took.c_str(), report.failure.message.c_str(), run.c_str());
      return;
    case pipeline::RunOutcome::kCancelled:
      say("%s after %s, run %s\n", paint(coloured, Colour::kYellow, name + " cancelled").c_str(),
          took.c_str(), run.c_str());
      return;
  }
}

/// The command's own where it has one to give; ours when it could not be run, or has succeeded and
/// we have not.
int exit_code_of(const engine::ExecReport& report) {
  if (!report.command) return kExecFailed;
  const auto& result = *report.command;
  if (!result && result.error().code == ErrorCode::kNotFound) return kNotFound;
  if (!result && result.error().code == ErrorCode::kInvalidInput) return kNotExecutable;
  if (!result) return kExecFailed;
  if (const auto signal = result->end.signal) return kSignalled + *signal;
  if (result->end.exit_code != 0) return result->end.exit_code.value_or(kExecFailed);
  const bool recorded = report.run && !report.run->record_error;
  return recorded && !result->output_error ? kDone : kExecFailed;
}

void print_end(const engine::ExecReport& report, const ExecOptions& options,
               const std::string& name) {
  const auto& [command, run] = report;
  if (!command) {
    const auto why = run ? Error{ErrorCode::kCancelled, "the run was cancelled"} : run.error();
    return say_error(Error(why).within("'" + name + "' was not run"));
  }
  if (!*command) say_error(command->error());
  const auto output_error = *command ? (*command)->output_error : std::nullopt;
  if (output_error) say_error(*output_error);
  const auto lost = run ? run->record_error : std::optional(run.error());
  if (lost) say_error(Error(*lost).within("the record of '" + name + "' is incomplete"));
  if (*command && run && !options.quiet) print_summary(*run, name);
}

int execute_recorded(const ExecOptions& options, const Invocation& invocation,
                     const config::Config& settings, const log::StoreDirectory& store,
                     int signals) {
  const artifact::ArtifactStore artifacts(store.artifacts());
  const auto recording = Recording::start(settings, store);
  if (!recording) {
    say_error(recording.error());
    return kExecFailed;
  }
  const auto report = engine::exec((*recording)->recorder(), artifacts,
                                   {.command = invocation.command,
                                    .name = options.name,
                                    .signals = signals,
                                    .durability = durability(settings),
                                    .loggers = &(*recording)->loggers(),
                                    .tenant_id = tenant_of(invocation, settings),
                                    .signal_policy = signal_policy(settings)});
  print_end(report, options,
            text::printable(options.name.empty() ? invocation.command[0] : options.name));
  return exit_code_of(report);
}

/// The command is no argument of ours, so CLI11 does not know of it: see take_command.
class ExecHelp : public CLI::Formatter {
 public:
  [[nodiscard]] std::string make_usage(const CLI::App* app, std::string name) const override {
    auto usage = CLI::Formatter::make_usage(app, std::move(name));
    return usage.insert(usage.find_last_not_of('\n') + 1, " [--] COMMAND [WORD...]");
  }
};

int execute(const ExecOptions& options, const Invocation& invocation) {
  if (invocation.command.empty()) {
    say_error(
        {ErrorCode::kInvalidInput, "no command is given, as in: weir exec -- ./backup.sh --all"});
    return kExecFailed;
  }
  const auto settings = load_settings(invocation);
  if (!settings) return kExecFailed;
  const auto store = invocation.create_store();
  const auto signals = store ? catch_signals() : std::unexpected(store.error());
  if (!signals) {
    say_error(signals.error());
    return kExecFailed;
  }
  const int code = execute_recorded(options, invocation, *settings, *store, *signals);
  keep_store(*store, *settings);
  return code;
}

}  // namespace

int take_command(int argc, char** argv, Invocation& invocation) {
  bool is_exec = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--store" || word == "--config" ||
        (is_exec && (word == "--name" || word == "--tenant"))) {
      ++i;  // its value
    } else if (word == "--" ? is_exec : !word.starts_with('-')) {
      if (is_exec) {
        invocation.command.assign(argv + i + (word == "--" ? 1 : 0), argv + argc);
        return i;
      }
      if (word != "exec") return argc;
      is_exec = true;
    }
  }
  return argc;
}

void add_exec(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<ExecOptions>();
  auto* command = app.add_subcommand("exec", "Run any command, and record it as a run of one node");
  command->formatter(std::make_shared<ExecHelp>());
  command->footer(
      "Example: weir exec --name backup -- ./backup.sh --all\n\n"
      "Its exit code is the command's, 128 + N after signal N; 127: there is no such command,\n"
      "126: it cannot be executed, 125: weir itself failed.\n"
      "What the command prints goes through a pipe, so it does not see a terminal.");
  command->add_option("--name", options->name,
                      "The pipeline's name and, where it may be, id (default: the program's name)");
  add_tenant(*command, invocation);
  command->add_flag("--quiet", options->quiet, "Say nothing but what went wrong with weir itself");
  command->preparse_callback([&invocation](std::size_t) { invocation.own_failure = kExecFailed; });
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return execute(*options, invocation); };
  });
}

}  // namespace weir::cli
