#include "cli/recording.h"

#include <unistd.h>

#include <csignal>
#include <mutex>
#include <set>
#include <utility>

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

}  // namespace

/// Shared with their feed, whose thread may stay longer than we do.
struct Recording::Hooks {
  /// So that they say that they are late before their feed does.
  explicit Hooks(std::chrono::milliseconds patience) : sink(bus, patience - patience / 10) {}

  /// A hook that fails does so at every event: the rest is counted.
  void say_first(const record::HookProblem& problem) {
    const std::lock_guard lock(mutex);
    if (said.insert({problem.hook, problem.kind}).second) say_sentence(problem.message);
  }

  std::mutex mutex;
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
  hooks_ = std::make_shared<Hooks>(patience_);
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
  record_lost_console();
  if (feeds_.empty()) return;
  say_problem(recorder_.stop(record::Recorder::AtStop::kDrain, patience_));
  for (const auto& finished : record::LogFeed::finish(feeds_, patience_)) say_problem(finished);
  say_what_is_missing();
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
