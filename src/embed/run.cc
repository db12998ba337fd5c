#include "weir/run.h"

#include <algorithm>
#include <utility>

#include "embed/event_builder.h"
#include "embed/state.h"
#include "record/context_attributes.h"

namespace weir {
namespace embed {
namespace {

/// As every event of the run has them: those of its options, then the ids of its context.
TextFields fields_of(const RunOptions& options, const record::TraceContext& root) {
  TextFields fields;
  for (const auto& [said, text] : options.fields) {
    const auto field = static_cast<event::Field>(said.index);
    std::erase_if(fields, [&](const auto& known) { return known.first == field; });
    fields.emplace_back(field, text);
  }
  for (const auto& [field, member] : kContextIds) {
    const auto is_said = [&](const auto& known) { return known.first == field; };
    if (const auto& text = root.ids.*member;
        !text.empty() && std::ranges::none_of(fields, is_said)) {
      fields.emplace_back(field, text);
    }
  }
  return fields;
}

struct Kind {
  event::Type type;
  event::Level level;
};

Result<Kind> kind_of(const EventName& name) {
  auto type = static_cast<event::Type>(name.type());
  if (type > event::Type::kCustom) return fail(ErrorCode::kInvalidInput, "there is no such type");
  if (type == event::Type::kCustom) {
    const auto found = event::find_type(name.name());
    if (!found) {
      return fail(ErrorCode::kInvalidInput,
                  "a type's name is [a-z][a-z0-9_.]*, at most 128 characters");
    }
    type = *found;
  }
  auto level = type == event::Type::kCustom ? event::Level::kInfo : event::info(type).level;
  if (const auto said = name.level()) level = static_cast<event::Level>(*said);
  if (level > event::Level::kFatal) return fail(ErrorCode::kInvalidInput, "there is no such level");
  return Kind{type, level};
}

std::string text_of(const EventName& name) {
  const auto type = static_cast<event::Type>(name.type());
  if (type < event::Type::kCustom) return std::string(event::info(type).name);
  constexpr std::size_t kShown = 128;
  return std::string(name.name().substr(0, kShown));
}

/// What the event says, checked, in the builder of this thread.
Result<Kind> build(EventBuilder& builder, const EventName& name, Fields fields,
                   const RunState& run) {
  WEIR_TRY(const auto kind, kind_of(name));
  WEIR_TRY(builder.set(fields));
  if (kind.type == event::Type::kCustom) builder.add_default(event::Field::kEventType, name.name());
  if (const auto context = record::current_context()) builder.add_context(*context);
  builder.add_defaults(run.fields);
  if (const auto around = run.attributes_around(kind.type); !around.empty()) {
    builder.add_missing(around);
  }
  WEIR_TRY(builder.check_required(kind.type));
  return kind;
}

}  // namespace

RunState::RunState(std::shared_ptr<RecorderState> its_owner, std::unique_ptr<record::Run> its_run,
                   record::TraceContext its_root, RunOptions options)
    : owner(std::move(its_owner)),
      run(std::move(its_run)),
      id(run->id().text()),
      pipeline_id(options.pipeline_id),
      root(std::move(its_root)),
      fields(fields_of(options, root)),
      attributes(record::context_attributes(root.ids)),
      tracer(run.get(), {.component = std::move(options.component), .root = root}),
      on_lost_(run->lost(), [this, call = std::move(options.on_lost)] {
        lost.store(true, std::memory_order_relaxed);
        try {
          if (call && !owner->stopped) call();
        } catch (...) {  // NOLINT(bugprone-empty-catch): a user's; what it threw harms nobody
        }
      }) {
  progress.start = run->clock().monotonic();
}

std::optional<Status> RunState::closed() const {
  // Relaxed: a flag for itself.
  if (ended.load(std::memory_order_relaxed)) {
    return Status(StatusCode::kCancelled, "the run has ended");
  }
  if (owner->stopped.load(std::memory_order_relaxed)) {
    return Status(StatusCode::kCancelled, "recording was stopped");
  }
  if (lost.load(std::memory_order_relaxed)) {
    return Status(StatusCode::kUnavailable, "the log could not be written");
  }
  return {};
}

bool RunState::refuse(Status status) {
  owner->refused.fetch_add(1, std::memory_order_relaxed);
  const std::lock_guard lock(mutex);
  if (!refusal) refusal = std::move(status);
  return false;
}

bool RunState::takes(std::string_view what) {
  const auto why = closed();
  return !why || refuse({why->code(), std::string(what) + ": " + why->message()});
}

json::Object RunState::attributes_around(event::Type type) const {
  const auto current = record::current_context();
  auto around = current ? record::context_attributes(current->ids) : json::Object();
  record::add_missing(around, attributes);
  if (type != event::Type::kPipelineStarted) return around;
  if (current) record::add_missing(around, record::run_context_attributes(current->ids));
  record::add_missing(around, record::run_context_attributes(root.ids));
  return around;
}

bool RunState::emit(const EventName& name, Fields said, bool wait) {
  auto& builder = EventBuilder::of_this_thread();
  if (closed()) return takes(text_of(name));
  const auto kind = build(builder, name, said, *this);
  if (!kind) return refuse(to_status(Error(kind.error()).within(text_of(name))));
  if (!wait) return run->try_emit(kind->type, kind->level, builder.finish());
  run->emit(kind->type, kind->level, builder.finish());
  return true;
}

Status RunState::flush() {
  const auto written = run->flush();
  const std::lock_guard lock(mutex);
  const auto refused = std::exchange(refusal, std::nullopt);
  if (!written) return to_status(written.error());
  return refused.value_or(Status());
}

double RunState::milliseconds_since(std::chrono::nanoseconds start) const {
  return weir::milliseconds_since(run->clock(), start);
}

}  // namespace embed

Run::Run(std::shared_ptr<embed::RunState> state) noexcept : state_(std::move(state)) {}
Run::Run(Run&& other) noexcept = default;

Run& Run::operator=(Run&& other) noexcept {
  if (this != &other) {
    if (state_) end().ignore();
    state_ = std::move(other.state_);
  }
  return *this;
}

Run::~Run() {
  if (state_) end().ignore();
}

const std::string& Run::id() const noexcept { return state_->id; }

TraceContext Run::context() const noexcept {
  return embed::Access::make(std::make_shared<const record::TraceContext>(state_->root));
}

bool Run::emit(EventName name, Fields fields) noexcept { return state_->emit(name, fields, true); }

bool Run::try_emit(EventName name, Fields fields) noexcept {
  return state_->emit(name, fields, false);
}

Status Run::flush() noexcept { return state_->flush(); }

Status Run::end() noexcept {
  state_->ended.store(true, std::memory_order_relaxed);
  return state_->flush();
}

bool Run::is_lost() const noexcept {
  return state_->lost.load(std::memory_order_relaxed) && !state_->owner->stopped;
}

}  // namespace weir
