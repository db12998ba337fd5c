#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "base/time.h"
#include "event/decoder.h"
#include "project/span.h"

namespace weir::project {

/// Gets a span that has ended, or at the end of all one that is open.
using TakeSpan = std::function<void(Span&& span)>;

/// Makes the spans of a run from its events: docs/exporting.md says which and what they say.
///
///   run ─┬─ node (or its attempts, within the node) ─┬─ tool, provider and agent calls
///        │                                           ├─ artifacts, child runs, approvals
///        └─ signals                                  └─ events: retries, cache, exceptions, …
///
/// A trace of another system is given as it was told: every `span` that came over OTLP.
///
/// Order    Fold the events of one run in their order. A span is given when it ends, so children
///          come before parents; ids of parents are in it from the beginning.
/// Ids      Those of the events. What has none gets one that follows from the run and the event, so
///          that the same events give the same spans.
/// Memory   What is open, and some forty bytes a node; whatever the number of events.
class SpanFold {
 public:
  enum class Root : std::uint8_t {
    kBegins,  ///< the run begins with its first event
    kIsGiven  ///< the run's own span was given before: what comes now came late
  };
  explicit SpanFold(Root root = Root::kBegins) : root_is_given_(root == Root::kIsGiven) {}

  void apply(const event::EventView& event, const TakeSpan& take);
  /// An event of another run that tells of this one (its target): a fetched definition.
  void hear(const event::EventView& event);
  /// Gives what is open: no more events are there.
  void finish(const TakeSpan& take);

  /// The spans of which run this one repeats, if anybody knows: becomes a link.
  void link_to_previous(const SpanContext& previous);
  [[nodiscard]] const std::string& previous_run_id() const { return previous_run_id_; }
  [[nodiscard]] SpanContext root() const { return {trace_id_, root_id()}; }
  /// An event of its own was folded: it is known what its spans are called.
  [[nodiscard]] bool has_begun() const { return has_begun_; }
  /// Its terminal event was folded.
  [[nodiscard]] bool has_ended() const { return has_ended_; }

 private:
  /// The attempt of a node that runs, or has failed and may be tried again.
  struct Attempt {
    Span span;
    std::optional<Span> whole{};  ///< the node, once it is tried again
    std::int64_t number = 1;
    bool is_held = false;
    std::uint32_t calls = 0;  ///< open ones in its lane
  };
  /// Kind of event, node, and what it is called there.
  using CallKey = std::tuple<std::string_view, std::string, std::string>;
  struct Call {
    Span span;
    bool outlives_process = false;  ///< child runs and questions to people
    bool is_in_own_lane = false;
  };
  using Attempts = std::map<std::string, Attempt, std::less<>>;

  void begin_root(const event::EventView& event);
  void end_root(const event::EventView& event, const TakeSpan& take);
  void resume(const event::EventView& event, const TakeSpan& take);
  void start_node(const event::EventView& event, const TakeSpan& take);
  void end_node(const event::EventView& event, const TakeSpan& take);
  void schedule_retry(const event::EventView& event);
  void give_held(Attempts::iterator at, const TakeSpan& take);
  void make_whole(Attempt& attempt);
  Attempts::iterator begin_attempt(const event::EventView& event);
  void give_attempt(Attempts::iterator at, const TakeSpan& take);
  void apply_to_call(const event::EventView& event, const TakeSpan& take);
  Call& begin_call(const event::EventView& event, const CallKey& key);
  void end_call(const event::EventView& event, const CallKey& key, const TakeSpan& take);
  void give_call(std::map<CallKey, Call>::iterator at, const TakeSpan& take);
  void give_agent(const event::EventView& event, const TakeSpan& take);
  void give_moment(const event::EventView& event, const TakeSpan& take);
  void give_observed(const event::EventView& event, const TakeSpan& take);
  void lose(Timestamp last_heard_at, const TakeSpan& take);
  void note(const event::EventView& event);

  [[nodiscard]] Span new_span(const event::EventView& event) const;
  [[nodiscard]] std::string root_id() const;
  [[nodiscard]] std::string made_id(std::string_view what) const;
  [[nodiscard]] std::string made_id(const event::EventView& event) const;
  [[nodiscard]] Attempt* attempt_of(const event::EventView& event);
  void place_in_node(const event::EventView& event, Span& span);
  std::uint32_t take_lane();
  void free_lane(std::uint32_t lane);

  bool root_is_given_;
  bool has_begun_ = false;
  bool has_ended_ = false;
  RunId run_id_;
  std::string trace_id_;
  std::string told_root_id_;
  std::string previous_run_id_;
  std::string topology_;
  std::int64_t engine_attempt_ = 1;
  Timestamp last_event_at_{};
  Span root_;
  Attempts attempts_;
  std::map<CallKey, Call> calls_;
  std::unordered_map<std::size_t, std::uint64_t> last_attempts_;  // span ids by hash of the node
  std::set<std::uint32_t> free_lanes_;
  std::uint32_t lanes_ = 1;
  std::shared_ptr<const SpanOrigin> origin_;
};

/// Whether it is an event of which a span or an event on one is made; others a fold passes over.
[[nodiscard]] bool may_be_in_spans(const event::EventView& event);

}  // namespace weir::project
