#include "cli/recording.h"

#include <cstdio>

#include "base/json.h"
#include "base/text.h"
#include "cli/outputs.h"
#include "cli/settings.h"

namespace weir::cli {
namespace {

void say(const std::string& sentence) { std::fprintf(stderr, "weir: %s\n", sentence.c_str()); }

void say_error(const Result<void>& result) {
  if (!result) say(result.error().message);
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

/// A sink that another process has, or that has no place now, is done without.
Result<void> add(record::CompositeSink& all, const std::string& name, record::EventFilter filter,
                 Result<std::shared_ptr<record::EventSink>> sink) {
  if (sink) return all.add(name, *std::move(sink), std::move(filter));
  if (sink.error().code == ErrorCode::kInvalidInput) {
    return std::unexpected(std::move(sink).error().within("the sink '" + name + "'"));
  }
  say("without the sink '" + name + "': " + sink.error().message);
  return {};
}

}  // namespace

Recording::Recording(const log::StoreDirectory& store, record::RecorderOptions options)
    : recorder_(store, std::move(options)),
      bus_({.on_problem = [this](const record::HookProblem& problem) { say_first(problem); }}) {}

Result<std::unique_ptr<Recording>> Recording::start(const config::Config& config,
                                                    const log::StoreDirectory& store) {
  WEIR_TRY(auto options, recorder_options(config));
  std::unique_ptr<Recording> recording(new Recording(store, std::move(options)));
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
    WEIR_TRY(add(sinks_, name, filter_of(sink), make_sink(sink)));
  }
  if (const auto& files = config.log_files) {
    WEIR_TRY(add(sinks_, "loggingConfig", {}, make_log_files(*files)));
  }
  if (sinks_.statistics().empty()) return {};
  WEIR_TRY(sink_feed_, feed("sinks", sinks_));
  return {};
}

Result<void> Recording::add_hooks(const config::Config& config) {
  if (config.hooks.empty()) return {};
  WEIR_TRY(fill_bus(config, bus_));
  WEIR_TRY(hook_feed_, feed("hooks", bus_sink_));
  return {};
}

Result<std::unique_ptr<record::LogFeed>> Recording::feed(std::string name,
                                                         record::EventSink& sink) {
  return record::LogFeed::start(
      recorder_.store(), sink,
      {.name = std::move(name),
       .is_writer = recorder_.own_writers(),
       // What fails on the way is summed up at the end; what keeps us from ending is said.
       .on_problem = [this](const std::string& problem) {
         if (ending_) say(problem);
       }});
}

Recording::~Recording() {
  if (!sink_feed_ && !hook_feed_) return;
  if (hook_feed_) {
    // While there is somebody to record it. Runs have ended, so what they said is committed.
    say_error(recorder_.process_runs().flush());
    // Once everything is published, the sink waits as long for the hooks.
    say_error(hook_feed_->finish(2 * kPatience));
    record_hooks();
  }
  say_error(recorder_.stop(record::Recorder::AtStop::kDrain, kPatience));
  if (sink_feed_) say_error(sink_feed_->finish(kPatience));
  say_what_is_missing();
  ending_ = true;
}

/// A hook that fails does so at every event: the rest is counted.
void Recording::say_first(const record::HookProblem& problem) {
  {
    const std::lock_guard lock(mutex_);
    if (!said_.insert({problem.hook, problem.kind}).second) return;
  }
  say(problem.message);
  record_problem(problem);
}

/// Where it cannot be recorded, nothing else can: who records says so.
void Recording::record_problem(const record::HookProblem& problem) {
  const std::string_view kind = word_of(problem.kind), message = problem.message;
  const auto attributes = json::to_text(hook_attributes(problem.hook));
  const event::FieldValue fields[] = {{Field::kEventType, kHookFailed},
                                      {Field::kErrorType, kind},
                                      {Field::kErrorMessage, message},
                                      {Field::kMessage, message},
                                      {Field::kAttributes, event::ObjectText{attributes}}};
  static_cast<void>(recorder_.process_runs().emit(
      record::Retention::kOperations, "", event::Type::kCustom, event::Level::kWarning, fields));
}

void Recording::record_hooks() {
  // None hears of what it did itself.
  for (const auto& hook : bus_.list()) static_cast<void>(bus_.disable(hook.name));
  for (const auto& hook : bus_.list()) {
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

void Recording::say_what_is_missing() const {
  for (const auto& sink : sinks_.statistics()) {
    if (sink.failed == 0) continue;
    say("the sink '" + sink.name + "' has not taken " + text::count(sink.failed, "event") + ": " +
        (sink.last_error ? sink.last_error->message : ""));
  }
  for (const auto& hook : bus_.list()) {
    if (hook.dropped == 0 && hook.errors + hook.timeouts < 2) continue;
    say("hook '" + hook.name + "': " + text::count(hook.errors, "error") + ", " +
        text::count(hook.timeouts, "timeout") + ", " + text::count(hook.dropped, "event") +
        " dropped");
  }
}

}  // namespace weir::cli
