#include "engine/idempotency_interceptor.h"

#include "base/json_canonical.h"
#include "engine/failures.h"

namespace weir::engine {
namespace {

/// Keys are texts of users: what separates them is part of none.
constexpr char kSeparator = '\0';

std::string key_of(const Attempt& attempt) {
  std::string key(attempt.request_key);
  key.append(1, kSeparator).append(attempt.pipeline.id).append(1, kSeparator);
  return key.append(attempt.node_id);
}

/// Of equal parameters the same. What has no canonical form, a number above 2^53 for example, is
/// taken as it was written.
Sha256 parameters_of(const Attempt& attempt) {
  json::Object all;
  all.set("tool", attempt.node.plugin_id.text + "." + attempt.node.tool_id.text);
  all.set("payload", attempt.call.payload);
  all.set("with", attempt.call.with);
  const json::Value value(std::move(all));
  return sha256(json::canonical_text(value).value_or(json::to_text(value)));
}

CallOutcome mismatch(const Attempt& attempt) {
  return std::unexpected(
      tool::Failure{.type = std::string(kIdempotencyMismatch),
                    .message = "node '" + std::string(attempt.node_id) +
                               "': this idempotency key stands for another input, other settings "
                               "or another tool",
                    .exit_code = {},
                    .usage = {},
                    .retryable = false});
}

CallOutcome gave_up(const Attempt& attempt) {
  return std::unexpected(tool::Failure{.type = std::string(kCancelled),
                                       .message = "node '" + std::string(attempt.node_id) +
                                                  "': it waited for another run with its "
                                                  "idempotency key",
                                       .exit_code = {},
                                       .usage = {}});
}

}  // namespace

void IdempotencyInterceptor::around(Attempt& attempt, Next& next) {
  // An output that is kept would not have been written to a stream.
  const bool has_stream = !attempt.call.streams_in.empty() || !attempt.call.streams_out.empty();
  if (attempt.request_key.empty() || has_stream) {
    next.run();
    return;
  }
  const auto key = key_of(attempt);
  if (auto answer = answer_to(attempt, key, parameters_of(attempt))) {
    return next.answer(*std::move(answer));
  }
  try {
    const auto& outcome = next.run();
    if (outcome) return keep(attempt, key, *outcome);
  } catch (...) {
    forget(key);  // somebody may wait for it
    throw;
  }
  forget(key);
}

std::optional<CallOutcome> IdempotencyInterceptor::answer_to(const Attempt& attempt,
                                                             const std::string& key,
                                                             const Sha256& parameters) {
  std::unique_lock lock(mutex_);
  while (true) {
    const auto found = by_key_.find(key);
    const bool is_over = found != by_key_.end() && found->second->output &&
                         found->second->expires <= attempt.clock.monotonic();
    if (is_over) remove(found->second);
    if (is_over || found == by_key_.end()) break;
    const auto& entry = *found->second;
    if (entry.parameters != parameters) return mismatch(attempt);
    if (entry.output) {
      return tool::Output{
          .payload = entry.output->payload, .usage = {}, .exit_code = entry.output->exit_code};
    }
    const auto is_decided = [&] {
      const auto now = by_key_.find(key);
      return now == by_key_.end() || now->second->output;
    };
    if (!changed_.wait(lock, attempt.call.stop, is_decided)) return gave_up(attempt);
  }
  entries_.push_back({.key = key, .parameters = parameters, .output = {}});
  by_key_.emplace(key, std::prev(entries_.end()));
  return {};
}

void IdempotencyInterceptor::keep(const Attempt& attempt, const std::string& key,
                                  const tool::Output& output) {
  auto kept = std::make_shared<const tool::Output>(output);
  const auto bytes = json::to_text(output.payload).size();
  const std::lock_guard lock(mutex_);
  const auto entry = by_key_.find(key)->second;
  entry->output = std::move(kept);
  entry->bytes = bytes;
  entry->expires = attempt.clock.monotonic() + options_.ttl;
  ++outputs_;
  bytes_ += bytes;
  entries_.splice(entries_.end(), entries_, entry);
  make_room();
  changed_.notify_all();
}

void IdempotencyInterceptor::forget(const std::string& key) {
  const std::lock_guard lock(mutex_);
  remove(by_key_.find(key)->second);
  changed_.notify_all();
}

void IdempotencyInterceptor::remove(Entries::iterator entry) {
  if (entry->output) --outputs_;
  bytes_ -= entry->bytes;
  by_key_.erase(entry->key);
  entries_.erase(entry);
}

/// What runs stays: somebody may wait for it.
void IdempotencyInterceptor::make_room() {
  for (auto entry = entries_.begin(); entry != entries_.end() && (outputs_ > options_.max_entries ||
                                                                  bytes_ > options_.max_bytes);) {
    const auto oldest = entry++;
    if (oldest->output) remove(oldest);
  }
}

std::size_t IdempotencyInterceptor::size() const {
  const std::lock_guard lock(mutex_);
  return outputs_;
}

}  // namespace weir::engine
