#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "record/event_filter.h"
#include "record/event_sink.h"

namespace weir::record {

struct ChildSinkStatistics {
  std::string name;
  std::uint64_t emitted = 0;  ///< taken by the child
  std::uint64_t failed = 0;   ///< refused, dropped or thrown at
  std::optional<Error> last_error{};
};

/// Hands events to several sinks, to each those that it wants. What one of them returns or throws
/// keeps no event from the others.
///
/// Threads  As every sink; `statistics` from any thread.
class CompositeSink final : public EventSink {
 public:
  /// More are refused: every event is held against every child's filter.
  static constexpr std::size_t kMaxChildren = 64;

  /// Errors: kInvalidInput without a name or sink, kConflict when the name is taken, kExhausted.
  [[nodiscard]] Result<void> add(std::string name, std::shared_ptr<EventSink> sink,
                                 EventFilter filter = {});

  /// Errors: the first child's that failed, with its name, after all were told.
  [[nodiscard]] Result<void> emit(const Published& event) override;
  /// Waits for no child; false when one that wanted the event has not taken it.
  [[nodiscard]] bool try_emit(const Published& event) override;
  [[nodiscard]] Result<void> flush() override;

  /// In the order of adding.
  [[nodiscard]] std::vector<ChildSinkStatistics> statistics() const;

 private:
  struct Child {
    std::shared_ptr<EventSink> sink;
    EventFilter filter;
    ChildSinkStatistics statistics;  // guarded by mutex_
  };

  template <class Call>
  [[nodiscard]] Result<void> offer(const Published& event, const Call& call);

  std::deque<Child> children_;  // changed under mutex_
  mutable std::mutex mutex_;
};

}  // namespace weir::record
