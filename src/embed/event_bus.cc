#include "weir/event_bus.h"

#include <utility>

#include "embed/attach_sink.h"
#include "embed/hooks.h"
#include "embed/state.h"
#include "record/event_bus_sink.h"

namespace weir {

struct EventBus::State {
  explicit State(record::EventBusOptions options) : bus(std::move(options)), sink(bus) {}
  record::EventBus bus;
  record::EventBusSink sink;
};

namespace embed {
namespace {

record::EventBusOptions to_options(EventBusOptions options) {
  record::EventBusOptions made;
  made.threads = options.threads;
  made.queue_events = options.queue_events;
  made.queue_bytes = options.queue_bytes;
  made.max_timeouts_in_a_row = options.max_timeouts_in_a_row;
  made.patience = options.patience;
  if (options.on_problem) {
    made.on_problem = [on_problem =
                           std::move(options.on_problem)](const record::HookProblem& problem) {
      on_problem({static_cast<HookProblem::Kind>(problem.kind), problem.hook, problem.message});
    };
  }
  return made;
}

}  // namespace
}  // namespace embed

using embed::to_status;

bool StopToken::stop_requested() const noexcept {
  return data_ != nullptr && data_->token.stop_requested();
}

EventBus::EventBus(EventBusOptions options)
    : state_(std::make_shared<State>(embed::to_options(std::move(options)))) {}
EventBus::~EventBus() = default;

Status EventBus::add(Hook hook) {
  auto made = embed::to_internal(std::move(hook));
  return made ? to_status(state_->bus.add(*std::move(made))) : to_status(made.error());
}

Status EventBus::enable(std::string_view name) { return to_status(state_->bus.enable(name)); }
Status EventBus::disable(std::string_view name) { return to_status(state_->bus.disable(name)); }
void EventBus::clear() { state_->bus.clear(); }

std::vector<HookStatistics> EventBus::list() const {
  std::vector<HookStatistics> all;
  for (auto& hook : state_->bus.list()) {
    all.push_back({.name = std::move(hook.name),
                   .mode = static_cast<HookMode>(hook.mode),
                   .priority = static_cast<HookPriority>(hook.priority),
                   .enabled = hook.enabled,
                   .overdue = hook.overdue,
                   .calls = hook.calls,
                   .errors = hook.errors,
                   .timeouts = hook.timeouts,
                   .dropped = hook.dropped,
                   .total_time = hook.total_time});
  }
  return all;
}

Status EventBus::publish(const Event& event) {
  return to_status(embed::with_published(
      event, [&](const record::Published& published) { return state_->sink.emit(published); }));
}

bool EventBus::drain(std::chrono::milliseconds at_most) { return state_->bus.drain(at_most); }

std::shared_ptr<Sink> EventBus::sink() const {
  // It keeps the bus alive.
  return embed::own_sink(std::shared_ptr<record::EventSink>(state_, &state_->sink));
}

}  // namespace weir
