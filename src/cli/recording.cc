#include "cli/recording.h"

#include <cstdio>

#include "base/text.h"
#include "cli/outputs.h"
#include "cli/settings.h"

namespace weir::cli {
namespace {

void say(const std::string& sentence) { std::fprintf(stderr, "weir: %s\n", sentence.c_str()); }

void say_error(const Result<void>& result) {
  if (!result) say(result.error().message);
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
  say_error(recorder_.stop(record::Recorder::AtStop::kDrain, kPatience));
  if (sink_feed_) say_error(sink_feed_->finish(kPatience));
  // Once everything is published, the sink waits as long for the hooks.
  if (hook_feed_) say_error(hook_feed_->finish(2 * kPatience));
  say_what_is_missing();
  ending_ = true;
}

/// A hook that fails does so at every event: the rest is counted.
void Recording::say_first(const record::HookProblem& problem) {
  const std::lock_guard lock(mutex_);
  if (said_.insert({problem.hook, problem.kind}).second) say(problem.message);
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
