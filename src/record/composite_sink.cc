#include "record/composite_sink.h"

#include <algorithm>
#include <utility>

#include "base/exception.h"

namespace weir::record {
namespace {

Error name_child(const Error& error, std::string_view name) {
  return Error(error).within("sink '" + std::string(name) + "'");
}

}  // namespace

Result<void> CompositeSink::add(std::string name, std::shared_ptr<EventSink> sink,
                                EventFilter filter) {
  if (name.empty() || !sink) {
    return fail(ErrorCode::kInvalidInput, "a child of a composite sink needs a name and a sink");
  }
  if (children_.size() >= kMaxChildren) {
    return fail(ErrorCode::kExhausted, "sink '" + name + "': a composite sink has " +
                                           std::to_string(kMaxChildren) + " children at most");
  }
  if (std::ranges::any_of(children_, [&](const auto& c) { return c.statistics.name == name; })) {
    return fail(ErrorCode::kConflict, "sink '" + name + "' is in the composite sink already");
  }
  const std::lock_guard lock(mutex_);
  children_.push_back({std::move(sink), std::move(filter), {.name = std::move(name)}});
  return {};
}

/// Calls `call(sink)` for every child that wants the event.
template <class Call>
Result<void> CompositeSink::offer(const Published& event, const Call& call) {
  Result<void> outcome;
  for (auto& child : children_) {
    if (!child.filter.accepts(event)) continue;
    const auto taken = call_caught([&] { return call(*child.sink); });
    const std::lock_guard lock(mutex_);
    if (taken) {
      ++child.statistics.emitted;
      continue;
    }
    ++child.statistics.failed;
    child.statistics.last_error = taken.error();
    if (outcome) outcome = std::unexpected(name_child(taken.error(), child.statistics.name));
  }
  return outcome;
}

Result<void> CompositeSink::emit(const Published& event) {
  return offer(event, [&](EventSink& sink) { return sink.emit(event); });
}

bool CompositeSink::try_emit(const Published& event) {
  const auto outcome = offer(event, [&](EventSink& sink) -> Result<void> {
    if (sink.try_emit(event)) return {};
    return fail(ErrorCode::kExhausted, "it did not take the event");
  });
  return outcome.has_value();
}

Result<void> CompositeSink::flush() {
  Result<void> outcome;
  for (auto& child : children_) {
    const auto flushed = call_caught([&] { return child.sink->flush(); });
    if (flushed) continue;
    const std::lock_guard lock(mutex_);
    child.statistics.last_error = flushed.error();
    if (outcome) outcome = std::unexpected(name_child(flushed.error(), child.statistics.name));
  }
  return outcome;
}

std::vector<ChildSinkStatistics> CompositeSink::statistics() const {
  const std::lock_guard lock(mutex_);
  std::vector<ChildSinkStatistics> all;
  all.reserve(children_.size());
  for (const auto& child : children_) all.push_back(child.statistics);
  return all;
}

}  // namespace weir::record
