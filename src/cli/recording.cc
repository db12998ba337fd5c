#include "cli/recording.h"

#include <unistd.h>

#include <csignal>
#include <mutex>
#include <set>
#include <span>
#include <utility>

#include "base/json.h"
#include "base/print.h"
#include "base/text.h"
#include "cli/console.h"
#include "cli/outputs.h"
#include "cli/settings.h"
#include "record/event_bus.h"
#include "record/event_bus_sink.h"

namespace weir::cli {
namespace {

void say_sentence(const std::string& sentence) { say("weir: %s\n", sentence.c_str()); }

void say_problem(const Result<void>& result) {
  if (!result) say_sentence(result.error().message);
}

using event::Field;

/// Types of our own: lines of log are for what nodes and programs say.
constexpr std::string_view kHookFailed = "hook_failed";
constexpr std::string_view kHookCalls = "hook_calls";

std::string_view word_of(record::HookProblem::Kind kind) {
  static constexpr std::string_view kWords[] = {"HookError",       "HookException", "HookTimeout",
                                                "HookDisabled",    "HookNested",    "HookNoThread",
                                                "HookStillRunning"};
  return kWords[static_cast<std::size_t>(kind)];
}

json::Object hook_attributes(const std::string& name) {
  json::Object attributes;
  attributes.set("hook", name);
  return attributes;
}

/// Who reads what we print may go away; that is an error of the print then. Unlike an ignored
/// signal, one that has a handler is as always in the programs that we start.
void outlive_readers() {
  struct sigaction action{};
  ::sigaction(SIGPIPE, nullptr, &action);
  if (action.sa_handler != SIG_DFL) return;
  action = {};
  action.sa_handler = [](int) {};
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGPIPE, &action, nullptr);
}

/// Where it cannot be recorded, nothing else can: who records says so.
void record_problem(record::Recorder& recorder, const record::HookProblem& problem) {
  const std::string_view kind = word_of(problem.kind), message = problem.message;
  const auto attributes = json::to_text(hook_attributes(problem.hook));
  const event::FieldValue fields[] = {{Field::kEventType, kHookFailed},
                                      {Field::kErrorType, kind},
                                      {Field::kErrorMessage, message},
                                      {Field::kMessage, message},
                                      {Field::kAttributes, event::ObjectText{attributes}}};
  static_cast<void>(recorder.process_runs().emit(
      record::Retention::kOperations, "", event::Type::kCustom, event::Level::kWarning, fields));
}

}  // namespace

/// Shared with their feed, whose thread may stay longer than we do.
struct Recording::Hooks {
  /// So that they say that they are late before their feed does.
  Hooks(record::Recorder& recorder_of_hooks, std::chrono::milliseconds patience)
      : recorder(&recorder_of_hooks), sink(bus, patience - patience / 10) {}

  /// A hook that fails does so at every event: the rest is counted.
  void say_first(const record::HookProblem& problem) {
    const std::lock_guard lock(mutex);
    if (!said.insert({problem.hook, problem.kind}).second) return;
    say_sentence(problem.message);
    if (recorder != nullptr) record_problem(*recorder, problem);
  }
  /// Before the recorder is gone.
  void say_nothing_more() {
    const std::lock_guard lock(mutex);
    recorder = nullptr;
  }

  std::mutex mutex;
  record::Recorder* recorder;                                        // guarded by mutex
  std::set<std::pair<std::string, record::HookProblem::Kind>> said;  // guarded by mutex
  record::EventBus bus{
      {.on_problem = [this](const record::HookProblem& problem) { say_first(problem); }}};
  record::EventBusSink sink;
};

Recording::Recording(const log::StoreDirectory& store, record::RecorderOptions options,
                     std::chrono::milliseconds patience)
    : patience_(patience), recorder_(store, std::move(options)) {}

Result<std::unique_ptr<Recording>> Recording::start(const config::Config& config,
                                                    const log::StoreDirectory& store) {
  outlive_readers();
  const auto patience = config.record.patience;
  set_console_patience(patience);
  WEIR_TRY(auto options, recorder_options(config));
  std::unique_ptr<Recording> recording(new Recording(store, std::move(options), patience));
  WEIR_TRY(set_loggers(config, recording->loggers_));
  WEIR_TRY(recording->add_sinks(config));
  WEIR_TRY(recording->add_hooks(config));
  return recording;
}

Result<void> Recording::add_sinks(const config::Config& config) {
  std::set<std::string> names;
  for (const auto& sink : config.sinks) {
    auto name = name_of(sink);
    for (int i = 2; !names.insert(name).second; ++i) name = name_of(sink) + " " + std::to_string(i);
    WEIR_TRY(add_sink(name, filter_of(sink), make_sink(sink)));
  }
  if (const auto& files = config.log_files) {
    WEIR_TRY(add_sink("loggingConfig", {}, make_log_files(*files)));
  }
  return {};
}

Result<void> Recording::add_sink(const std::string& name, record::EventFilter filter,
                                 Result<std::shared_ptr<record::EventSink>> sink) {
  if (!sink && sink.error().code == ErrorCode::kInvalidInput) {
    return std::unexpected(std::move(sink).error().within("the sink '" + name + "'"));
  }
  if (!sink) {
    say_sentence("without the sink '" + name + "': " + sink.error().message);
    return {};
  }
  sinks_.push_back({.name = name, .feed = feeds_.size()});
  return add_feed(name, std::move(filter), *std::move(sink));
}

Result<void> Recording::add_hooks(const config::Config& config) {
  if (config.hooks.empty()) return {};
  hooks_ = std::make_shared<Hooks>(recorder_, patience_);
  WEIR_TRY(fill_bus(config, hooks_->bus));
  return add_feed("hooks", {}, {hooks_, &hooks_->sink});
}

Result<void> Recording::add_feed(std::string name, record::EventFilter filter,
                                 std::shared_ptr<record::EventSink> sink) {
  // What fails is summed up at the end.
  WEIR_TRY(auto feed, record::LogFeed::start(recorder_.store(), std::move(sink),
                                             {.name = std::move(name),
                                              .is_writer = recorder_.own_writers(),
                                              .filter = std::move(filter),
                                              .patience = patience_}));
  feeds_.push_back(std::move(feed));
  return {};
}

Recording::~Recording() {
  if (hooks_) {
    // While there is somebody to record it. Runs have ended, so what they said is committed.
    say_problem(recorder_.process_runs().flush());
    say_problem(feeds_.back()->finish(patience_));
    record_hooks();
  }
  record_lost_console();
  if (feeds_.empty()) return;
  say_problem(recorder_.stop(record::Recorder::AtStop::kDrain, patience_));
  const auto sinks = std::span(feeds_).first(sinks_.size());
  for (const auto& finished : record::LogFeed::finish(sinks, patience_)) say_problem(finished);
  say_what_is_missing();
}

void Recording::record_hooks() {
  hooks_->say_nothing_more();
  // None hears of what it did itself.
  auto& bus = hooks_->bus;
  for (const auto& hook : bus.list()) static_cast<void>(bus.disable(hook.name));
  for (const auto& hook : bus.list()) {
    if (hook.calls == 0 && hook.dropped == 0) continue;
    auto attributes = hook_attributes(hook.name);
    attributes.set("calls", hook.calls);
    attributes.set("errors", hook.errors);
    attributes.set("timeouts", hook.timeouts);
    attributes.set("dropped", hook.dropped);
    const std::string message = "hook '" + hook.name + "': " + text::count(hook.calls, "call");
    const auto text_of_attributes = json::to_text(attributes);
    const double took = std::chrono::duration<double, std::milli>(hook.total_time).count();
    const event::FieldValue fields[] = {
        {Field::kEventType, kHookCalls},
        {Field::kDurationMs, took},
        {Field::kMessage, std::string_view(message)},
        {Field::kAttributes, event::ObjectText{text_of_attributes}}};
    static_cast<void>(recorder_.process_runs().emit(
        record::Retention::kOperations, "", event::Type::kCustom, event::Level::kInfo, fields));
  }
}

/// In the log, since it cannot be said.
void Recording::record_lost_console() {
  const bool has_printers = !feeds_.empty() && has_lost_reader(STDERR_FILENO);
  if (!has_console_lost_reader() && !has_printers) return;
  static constexpr std::string_view kMessage =
      "nobody reads standard error any more: what a run says there is lost";
  const event::FieldValue fields[] = {{event::Field::kMessage, kMessage}};
  static_cast<void>(recorder_.process_runs().emit(
      record::Retention::kOperations, "", event::Type::kLog, event::Level::kWarning, fields));
}

void Recording::say_what_is_missing() const {
  for (const auto& sink : sinks_) {
    const auto figures = feeds_[sink.feed]->statistics();
    if (figures.errors == 0) continue;
    say_sentence("the sink '" + sink.name + "' has not taken " +
                 text::count(figures.errors, "event") + ": " + figures.last_error);
  }
  if (!hooks_) return;
  for (const auto& hook : hooks_->bus.list()) {
    if (hook.dropped == 0 && hook.errors + hook.timeouts < 2) continue;
    say_sentence("hook '" + hook.name + "': " + text::count(hook.errors, "error") + ", " +
                 text::count(hook.timeouts, "timeout") + ", " + text::count(hook.dropped, "event") +
                 " dropped");
  }
}

}  // namespace weir::cli
