#include "record/builtin_hooks.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>

#include "base/text.h"
#include "record/hook_command.h"

namespace weir::record {
namespace {

using event::EventView;
using event::Field;
using event::TopicPattern;
using event::Type;

/// So many runs can be open at once in a hook's memory; of more, the counts of one are forgotten.
constexpr std::size_t kMaxOpenRuns = 4096;
/// A command that is killed at its timeout comes back before the bus gives it up.
constexpr std::chrono::milliseconds kSlack{1000};

/// Patterns of this file, which are right.
std::vector<TopicPattern> patterns(std::initializer_list<std::string_view> texts) {
  std::vector<TopicPattern> all;
  for (const auto text : texts) {
    auto pattern = TopicPattern::parse(text);
    WEIR_CHECK(pattern);
    all.push_back(*std::move(pattern));
  }
  return all;
}

std::vector<TopicPattern> ends_of_runs() {
  return patterns({"pipeline.completed", "pipeline.failed", "pipeline.cancelled"});
}

std::vector<TopicPattern> ends_of_runs_and_nodes() {
  auto all = ends_of_runs();
  for (auto& pattern :
       patterns({"stage.*.completed", "stage.*.failed", "stage.*.retry_scheduled"})) {
    all.push_back(std::move(pattern));
  }
  return all;
}

struct NodeCounts {
  std::int64_t succeeded = 0;
  std::int64_t failed = 0;
};

/// Counts the nodes of runs from their events.
class RunCounts {
 public:
  /// The counts of the run that this event ends; nothing for other events.
  std::optional<NodeCounts> add(const EventView& event) {
    switch (event.type()) {
      case Type::kNodeCompleted:
        ++open(event).succeeded;
        return {};
      case Type::kNodeFailed:
        ++open(event).failed;
        return {};
      case Type::kNodeRetryScheduled: {
        // What failed was an attempt; the node has not.
        auto& failed = open(event).failed;
        failed = std::max<std::int64_t>(failed - 1, 0);
        return {};
      }
      default:
        return end(event);
    }
  }

 private:
  NodeCounts& open(const EventView& event) {
    if (runs_.size() >= kMaxOpenRuns && !runs_.contains(event.run_id())) {
      runs_.erase(runs_.begin());  // of our own ids the oldest
    }
    return runs_[event.run_id()];
  }

  NodeCounts end(const EventView& event) {
    const auto node = runs_.extract(event.run_id());
    const auto counted = node.empty() ? NodeCounts{} : node.mapped();
    return {.succeeded = event.integer(Field::kSuccessCount).value_or(counted.succeeded),
            .failed = event.integer(Field::kFailedCount).value_or(counted.failed)};
  }

  std::map<RunId, NodeCounts> runs_;
};

std::string name_of_pipeline(const EventView& event) {
  const auto name = event.text(Field::kPipelineName);
  return text::printable(name.empty() ? event.text(Field::kPipelineId) : name);
}

std::string_view outcome_word(const EventView& event) {
  if (event.type() == Type::kPipelineCompleted) return "completed";
  return event.type() == Type::kPipelineFailed ? "failed" : "cancelled";
}

std::string summary(const EventView& event, const NodeCounts& counts) {
  const std::string rule = std::string(70, '=') + "\n";
  char duration[64];
  std::snprintf(duration, sizeof duration, "%.2f", event.number(Field::kDurationMs).value_or(0));
  std::string text = "\n" + rule + "Pipeline Execution Summary\n" + rule;
  text.append("Pipeline: ").append(name_of_pipeline(event));
  text.append("\nStatus: ").append(outcome_word(event));
  text.append("\nSuccess: ").append(std::to_string(counts.succeeded));
  text.append("\nFailed: ").append(std::to_string(counts.failed));
  text.append("\nDuration: ").append(duration).append("ms\n");
  return text + rule + "\n";
}

std::string alert(const EventView& event, const NodeCounts& counts) {
  const std::string rule = std::string(70, '!') + "\n";
  std::string text = "\n" + rule + "ALERT: Pipeline '" + name_of_pipeline(event) + "' ";
  if (counts.failed == 0) {
    text += "failed: " + text::printable(event.text(Field::kErrorMessage)) + "\n";
  } else {
    text += "had " + std::to_string(counts.failed) + " failed nodes!\n";
  }
  return text + rule + "\n";
}

std::string describe(const HookCommandEnd& end, std::chrono::milliseconds timeout) {
  if (end.timed_out) return "killed after " + std::to_string(timeout.count()) + " ms";
  if (end.stopped) return "killed: asked to stop";
  if (end.signal) return "ended by signal " + std::to_string(*end.signal);
  return "exit code " + std::to_string(end.exit_code.value_or(-1));
}

Result<void> run_for_event(const CommandHook& options, const Published& event,
                           const std::stop_token& stop) {
  WEIR_TRY(const auto end, run_command({.command = options.command,
                                        .input = event.line,
                                        .environment = {{"WEIR_TOPIC", std::string(event.topic)}},
                                        .timeout = options.timeout,
                                        .stop = stop}));
  const bool was_ended = end.timed_out || end.stopped;
  if (end.exit_code == 0 && !was_ended) return {};
  auto message = "'" + options.command[0] + "': " + describe(end, options.timeout);
  if (!end.error_output.empty()) message += ": " + text::printable(end.error_output);
  return fail(was_ended ? ErrorCode::kCancelled : ErrorCode::kIo, std::move(message));
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

Result<void> check_webhook(const Webhook& options, const Post& post) {
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorCode::kInvalidInput, "webhook '" + options.name + "': " + std::string(why));
  };
  if (!post) return refuse("there is no transport for it");
  const std::string_view url = options.url;
  if (!url.starts_with("https://") && !url.starts_with("http://")) {
    return refuse("the URL must begin with https:// or http://");
  }
  if (has_control_character(url) || url.contains(' ')) return refuse("the URL has a bad character");
  for (const auto& [name, value] : options.headers) {
    // A line break would begin another header.
    if (name.empty() || has_control_character(name) || has_control_character(value)) {
      return refuse("header '" + text::printable(name) + "' has a bad character, or no name");
    }
  }
  return {};
}

}  // namespace

Hook run_summary_hook(Print print) {
  WEIR_CHECK(print);
  auto call = [print = std::move(print), counts = std::make_shared<RunCounts>()](
                  const Published& event, const std::stop_token&) -> Result<void> {
    const auto ended = counts->add(event.event);
    return ended ? print(summary(event.event, *ended)) : Result<void>();
  };
  return {.name = "run_summary", .topics = ends_of_runs_and_nodes(), .call = std::move(call)};
}

Result<Hook> failure_alert_hook(Print print, std::int64_t threshold) {
  WEIR_CHECK(print);
  if (threshold < 1) {
    return fail(ErrorCode::kInvalidInput, "the threshold of failed nodes must be at least 1");
  }
  auto call = [print = std::move(print), threshold, counts = std::make_shared<RunCounts>()](
                  const Published& event, const std::stop_token&) -> Result<void> {
    const auto ended = counts->add(event.event);
    if (!ended) return {};
    const bool failed = event.event.type() == Type::kPipelineFailed;
    const auto failures = std::max<std::int64_t>(ended->failed, failed ? 1 : 0);
    return failures >= threshold ? print(alert(event.event, *ended)) : Result<void>();
  };
  return Hook{.name = "failure_alert",
              .topics = ends_of_runs_and_nodes(),
              .call = std::move(call),
              .priority = HookPriority::kHigh};
}

Result<Hook> log_rotation_hook(LogRotation rotation) {
  WEIR_TRY(check(rotation));
  auto call = [rotation = std::move(rotation)](const Published&,
                                               const std::stop_token&) -> Result<void> {
    WEIR_TRY(rotate_logs(rotation));
    return {};
  };
  return Hook{.name = "log_rotation",
              .topics = ends_of_runs(),
              .call = std::move(call),
              .mode = HookMode::kAsynchronous,
              .priority = HookPriority::kLow};
}

Result<Hook> command_hook(CommandHook options) {
  if (options.command.empty() || options.command[0].empty() || options.timeout.count() <= 0) {
    return fail(ErrorCode::kInvalidInput,
                "hook '" + options.name + "': it needs a command and a timeout above 0");
  }
  auto name = options.name;
  auto topics = options.topics;
  const auto timeout = options.timeout + kSlack;
  auto call = [options = std::move(options)](const Published& event, const std::stop_token& stop) {
    return run_for_event(options, event, stop);
  };
  return Hook{.name = std::move(name),
              .topics = std::move(topics),
              .call = std::move(call),
              .mode = HookMode::kAsynchronous,
              .timeout = timeout};
}

Result<Hook> webhook(Webhook options, Post post) {
  WEIR_TRY(check_webhook(options, post));
  auto name = options.name;
  auto topics = options.topics;
  const auto timeout = options.timeout;
  auto call = [options = std::move(options), post = std::move(post)](const Published& event,
                                                                     const std::stop_token& stop) {
    HttpHeaders headers = {{"Content-Type", "application/json"},
                           {"Weir-Topic", std::string(event.topic)}};
    headers.insert(headers.end(), options.headers.begin(), options.headers.end());
    return post(options.url, event.line, headers, stop);
  };
  return Hook{.name = std::move(name),
              .topics = std::move(topics),
              .call = std::move(call),
              .mode = HookMode::kAsynchronous,
              .timeout = timeout};
}

}  // namespace weir::record
