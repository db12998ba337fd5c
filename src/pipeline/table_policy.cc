#include "pipeline/cron.h"
#include "pipeline/shapes.h"
#include "pipeline/table.h"

namespace weir::pipeline {
namespace {

using config::choice;
using config::duration;
using config::key;
using config::object;
using config::optional;
using config::Shape;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;

/// A run that waits longer waits for ever.
constexpr auto kLongest = days(366);
constexpr int kMaxAttempts = 1000;

json::Object required_one_of(const std::vector<std::string>& keys) {
  json::Array choices;
  for (const auto& one : keys) {
    json::Object choice;
    choice.set("required", json::Array{one});
    choices.emplace_back(std::move(choice));
  }
  json::Object rules;
  rules.set("oneOf", std::move(choices));
  return rules;
}

}  // namespace

Shape<milliseconds> timeout_shape() { return duration(milliseconds(1), kLongest); }

Shape<RetryPolicy> retry_shape() {
  const auto check = [](const RetryPolicy& retry, const json::Value& value,
                        config::Problems& problems) {
    if (retry.delay <= retry.max_delay) return;
    problems.add(config::position_of(value, "delay"), "'delay' is longer than 'max_delay'");
  };
  return object<RetryPolicy>(
      "how failed attempts are repeated",
      {key<RetryPolicy>("max_attempts", &RetryPolicy::max_attempts, count(1, kMaxAttempts),
                        "how often it is tried, the first time included"),
       key<RetryPolicy>("backoff", &RetryPolicy::backoff,
                        choice<Backoff>({{"exponential", Backoff::kExponential},
                                         {"linear", Backoff::kLinear},
                                         {"constant", Backoff::kConstant}}),
                        "how the delay grows: twice the last, one `delay` more, not at all"),
       key<RetryPolicy>("jitter", &RetryPolicy::jitter,
                        choice<Jitter>({{"none", Jitter::kNone},
                                        {"full", Jitter::kFull},
                                        {"equal", Jitter::kEqual},
                                        {"decorrelated", Jitter::kDecorrelated}}),
                        "how a delay d is spread: `none` d; `full` 0 to d; `equal` d/2 to d; "
                        "`decorrelated` `delay` to three times the last"),
       key<RetryPolicy>("delay", &RetryPolicy::delay, duration(milliseconds(0), days(1)),
                        "before the second try"),
       key<RetryPolicy>("max_delay", &RetryPolicy::max_delay, duration(milliseconds(0), days(1)),
                        "no delay is longer"),
       key<RetryPolicy>(
           "on", &RetryPolicy::on,
           config::list(
               "categories",
               choice<ErrorCategory>({{"permanent", ErrorCategory::kPermanent},
                                      {"transient", ErrorCategory::kTransient},
                                      {"timeout", ErrorCategory::kTimeout},
                                      {"resource_exhausted", ErrorCategory::kResourceExhausted}}),
               {.max_items = 4, .min_items = 1}),
           "which failures are tried again")},
      {.check = check});
}

Shape<GuardRetry> guard_retry_shape() {
  return object<GuardRetry>(
      "what is run again when this node fails",
      {key<GuardRetry>("retry_node", &GuardRetry::retry_node, word("a node's id"),
                       "the node before this one that is run again, and then this one",
                       {.required = true}),
       key<GuardRetry>("max_attempts", &GuardRetry::max_attempts, count(1, kMaxAttempts),
                       "how often this node is tried, the first time included"),
       key<GuardRetry>("stagnation_limit", &GuardRetry::stagnation_limit, count(2, kMaxAttempts),
                       "it is given up when so many outputs in a row are the same"),
       key<GuardRetry>("hash_fields", &GuardRetry::hash_fields, words("keys of the output"),
                       "what of the output is compared", {.fallback = "all of it"}),
       key<GuardRetry>("timeout", &GuardRetry::timeout, optional(timeout_shape()),
                       "for all attempts, from the first failure on", {.fallback = "none"})});
}

Shape<Approval> approval_shape() {
  return object<Approval>(
      "how a person is asked",
      {key<Approval>("message", &Approval::message, plain_text(), "what the person is told"),
       key<Approval>("timeout", &Approval::timeout, optional(timeout_shape()),
                     "denied when nobody has answered by then", {.fallback = "none"})});
}

Shape<Undo> undo_shape() {
  return object<Undo>(
      "what takes back what this node has done",
      {key<Undo>("plugin", &Undo::plugin, word("a plugin's id"),
                 "whose tool it is; needed where the node is a pipeline",
                 {.fallback = "the node's own"}),
       key<Undo>("tool", &Undo::tool, word("a tool's id"), "what is called", {.required = true}),
       key<Undo>("with", &Undo::with, any_object(), "its settings, with references")});
}

Shape<CachePolicy> cache_shape() {
  return switchable(
      object<CachePolicy>(
          "how long", {key<CachePolicy>("enabled", &CachePolicy::enabled, config::boolean(),
                                        "whether an earlier output may stand for this node's"),
                       key<CachePolicy>("ttl", &CachePolicy::ttl, optional(timeout_shape()),
                                        "an older output is none", {.fallback = "never too old"}),
                       key<CachePolicy>("files", &CachePolicy::files, words("paths"),
                                        "files whose content it depends on too, beside the "
                                        "pipeline's own: scripts, data")}),
      CachePolicy{.enabled = true}, CachePolicy{.enabled = false});
}

Shape<CircuitBreaker> circuit_breaker_shape() {
  return object<CircuitBreaker>(
      "when calls fail at once",
      {key<CircuitBreaker>("operation", &CircuitBreaker::operation, word("an operation's name"),
                           "what is done, as `chat`", {.required = true}),
       key<CircuitBreaker>("provider", &CircuitBreaker::provider, word("a provider's name"),
                           "by whom", {.required = true}),
       key<CircuitBreaker>("failures", &CircuitBreaker::failures, count(1, 1'000'000),
                           "open after so many failures in a row"),
       key<CircuitBreaker>("open_for", &CircuitBreaker::open_for, timeout_shape(),
                           "tried again after this")});
}

Shape<Expectation> expectation_shape() {
  const auto check = [](const Expectation& expect, const json::Value& value,
                        config::Problems& problems) {
    if (expect.every.has_value() == !expect.cron.empty()) {
      problems.add(value.position, "'expect' needs 'every' or 'cron', and not both");
    } else if (!expect.cron.empty()) {
      if (const auto form = check_cron(expect.cron); !form) {
        problems.add(config::position_of(value, "cron"), "'cron': " + form.error().message);
      }
    }
  };
  return object<Expectation>(
      "when runs are due",
      {key<Expectation>("every", &Expectation::every, optional(timeout_shape()),
                        "a run is due so long after the last one began"),
       key<Expectation>("cron", &Expectation::cron, word("five fields of cron"),
                        "a run is due at these minutes, in UTC"),
       key<Expectation>("grace", &Expectation::grace, duration(milliseconds(0), kLongest),
                        "so much later it is late")},
      {.check = check, .rules = required_one_of({"every", "cron"})});
}

Shape<ExecutionMode> execution_mode_shape() {
  return object<ExecutionMode>(
      "which tools it calls",
      {key<ExecutionMode>("allow", &ExecutionMode::allow, words("patterns"),
                          "only these, as `plugin.tool`; `*` is any part of it",
                          {.fallback = "all"}),
       key<ExecutionMode>("deny", &ExecutionMode::deny, words("patterns"),
                          "not these, also where `allow` names them")});
}

Shape<tool::StreamOptions> stream_shape() {
  using tool::OnFull;
  using tool::StreamOptions;
  // Of chunks that may have a mebibyte each.
  constexpr int kMaxCapacity = 10'000;
  return object<StreamOptions>(
      "a queue of chunks",
      {key<StreamOptions>("capacity", &StreamOptions::capacity, count(1, kMaxCapacity),
                          "how many chunks may wait to be read"),
       key<StreamOptions>("on_full", &StreamOptions::on_full,
                          choice<OnFull>({{"block", OnFull::kBlock},
                                          {"drop_newest", OnFull::kDropNewest},
                                          {"drop_oldest", OnFull::kDropOldest},
                                          {"error", OnFull::kError}}),
                          "what a chunk more means: the writer waits, the chunk is dropped, the "
                          "oldest one is dropped for it, writing it fails")});
}

Shape<NodeDefaults> defaults_shape() {
  return object<NodeDefaults>(
      "what holds for nodes that do not say",
      {key<NodeDefaults>("retry", &NodeDefaults::retry, optional(retry_shape()),
                         "as a node's `retry`"),
       key<NodeDefaults>("timeout", &NodeDefaults::timeout, optional(timeout_shape()),
                         "as a node's `timeout`", {.fallback = "none"})});
}

}  // namespace weir::pipeline
