#include "weir/recorder.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "embed/current_sink.h"
#include "embed/state.h"
#include "log/store_directory.h"

namespace weir {
namespace embed {
namespace {

constexpr std::chrono::milliseconds kMinCommitInterval{1};
constexpr std::chrono::milliseconds kMaxCommitInterval{60'000};
constexpr std::size_t kMinRingBytes = std::size_t{4} << 10;
constexpr std::size_t kMaxRingBytes = std::size_t{1} << 30;
/// Of RunOptions: they are copied into every event.
constexpr std::size_t kMaxRunFields = 16;
/// Waiting longer is waiting for ever, and a duration in nanoseconds must hold it.
constexpr std::chrono::hours kMaxTimeout{24 * 365};

Status wrong_options(std::string message) {
  return {StatusCode::kInvalidInput, std::move(message)};
}

Status check(const RecorderOptions& options) {
  if (options.commit_interval < kMinCommitInterval ||
      options.commit_interval > kMaxCommitInterval) {
    return wrong_options("commit_interval must be 1 ms to 1 minute");
  }
  if (options.ring_bytes < kMinRingBytes || options.ring_bytes > kMaxRingBytes) {
    return wrong_options("ring_bytes must be 4 KiB to 1 GiB");
  }
  if (options.sink_patience < std::chrono::milliseconds(1) ||
      options.sink_patience > std::chrono::hours(1)) {
    return wrong_options("sink_patience must be 1 ms to 1 hour");
  }
  return {};
}

Status check_fields(const RunOptions& options) {
  using event::Field;
  if (options.fields.size() > kMaxRunFields) {
    return {StatusCode::kExhausted,
            "a run has at most " + std::to_string(kMaxRunFields) + " fields"};
  }
  for (const auto& [said, text] : options.fields) {
    const auto field = static_cast<Field>(said.index);
    const bool is_free = said.index < event::kFieldCount && field > Field::kRunSeq &&
                         event::info(field).type == event::FieldType::kString &&
                         (field < Field::kTraceId || field > Field::kParentSpanId) &&
                         field != Field::kLogger && field != Field::kMessage;
    if (!is_free)
      return wrong_options("a run cannot carry the field of index " + std::to_string(said.index));
    if (!record::is_id(text)) {
      return wrong_options("'" + std::string(event::info(field).name) +
                           "' must be 1 to 256 bytes of UTF-8 without control characters");
    }
  }
  return {};
}

Status check(const RunOptions& options) {
  if (!record::is_id(options.pipeline_id) || !record::is_id(options.pipeline_version)) {
    return wrong_options(
        "pipeline_id and pipeline_version must be 1 to 256 bytes of UTF-8 without control "
        "characters");
  }
  const auto& type = options.pipeline_type;
  if (type != "dag" && type != "linear" && type != "external") {
    return wrong_options("pipeline_type must be dag, linear or external, not '" + type + "'");
  }
  if (options.pipeline_id == "weir" && type == "external") {
    return wrong_options("the external pipeline 'weir' is what Weir says about itself");
  }
  return check_fields(options);
}

void mask(event::Field field, std::string& text, const event::Redactor& redactor,
          event::RedactionCounts& counts) {
  const std::string value = text;
  redactor.redact_value(event::info(field).name, value, event::TextKind::kField, text, counts);
}

/// They are copied into every event, so secrets are masked here, once.
void mask_fields(RunOptions& options, const event::Redactor& redactor,
                 event::RedactionCounts& counts) {
  for (auto& [said, text] : options.fields) {
    mask(static_cast<event::Field>(said.index), text, redactor, counts);
  }
}

/// Also those that come from the context around.
void mask_ids(record::TraceContext& root, const event::Redactor& redactor,
              event::RedactionCounts& counts) {
  for (const auto& [field, member] : kContextIds) mask(field, root.ids.*member, redactor, counts);
}

/// Where the run is in a trace, and for whom.
record::TraceContext root_of(const RunOptions& options) {
  const auto parent = Access::get(options.parent);
  auto root = parent ? *parent : record::TraceContext();
  if (!root.has_trace()) {
    const auto fresh = record::TraceContext::start();
    root.trace_id = fresh.trace_id;
    root.flags = fresh.flags;
  }
  for (const auto& [said, text] : options.fields) {
    for (const auto& [field, member] : kContextIds) {
      if (field == static_cast<event::Field>(said.index)) root.ids.*member = text;
    }
  }
  return root;
}

/// A user's function that may throw; null: there is none.
template <class... Argument>
std::function<void(Argument...)> without_throwing(std::function<void(Argument...)> call) {
  if (!call) return {};
  return [call = std::move(call)](Argument... arguments) {
    try {
      call(arguments...);
    } catch (...) {  // NOLINT(bugprone-empty-catch): promised to be ignored
    }
  };
}

event::RedactionKind to_kind(RedactionKind kind) {
  return kind == RedactionKind::kSecret ? event::RedactionKind::kSecret
                                        : event::RedactionKind::kPersonal;
}

Result<std::shared_ptr<const event::Redactor>> make_redactor(const Redaction& redaction) {
  event::RedactionPolicy policy;
  policy.enable = redaction.enable;
  policy.disable = redaction.disable;
  for (const auto& key : redaction.keys) {
    policy.keys.push_back({.name = key.name, .key = key.key, .kind = to_kind(key.kind)});
  }
  for (const auto& pattern : redaction.patterns) {
    policy.patterns.push_back({.name = pattern.name,
                               .prefix = pattern.prefix,
                               .alphabet = pattern.alphabet,
                               .min_length = pattern.min_length,
                               .max_length = pattern.max_length,
                               .kind = to_kind(pattern.kind)});
  }
  policy.literals = redaction.literals;
  policy.pseudonym_key = redaction.pseudonym_key;
  WEIR_TRY(auto redactor, event::Redactor::make(policy));
  return std::make_shared<const event::Redactor>(std::move(redactor));
}

record::RecorderOptions to_options(const RecorderOptions& options,
                                   std::shared_ptr<const event::Redactor> redactor) {
  record::RecorderOptions made;
  made.redactor = std::move(redactor);
  made.commit_interval = options.commit_interval;
  made.ring_bytes = options.ring_bytes;
  if (const auto on_drop = without_throwing(options.on_drop)) {
    made.on_drop = [on_drop](event::Type type) { on_drop(static_cast<EventType>(type)); };
  }
  return made;
}

}  // namespace

Status to_status(const Error& error) {
  static_assert(static_cast<int>(StatusCode::kInvalidInput) ==
                    static_cast<int>(ErrorCode::kInvalidInput) + 1 &&
                static_cast<int>(StatusCode::kUnavailable) ==
                    static_cast<int>(ErrorCode::kUnavailable) + 1);
  return {static_cast<StatusCode>(static_cast<int>(error.code) + 1), error.message};
}

Status to_status(const Result<void>& result) {
  return result ? Status() : to_status(result.error());
}

RecorderState::RecorderState(log::StoreDirectory store, const RecorderOptions& options,
                             std::shared_ptr<const event::Redactor> redactor)
    : sinks(options.sink_patience, without_throwing(options.on_sink_problem)),
      recorder(std::move(store), to_options(options, std::move(redactor))) {}

Error to_error(const Status& status) {
  const int code = std::max(static_cast<int>(status.code()), 1);  // a failure, so it is never 0
  return {static_cast<ErrorCode>(code - 1), status.message()};
}

Result<void> to_result(const Status& status) {
  if (status.is_ok()) return {};
  return std::unexpected(to_error(status));
}

}  // namespace embed

using embed::to_status;

Recorder::Recorder(std::shared_ptr<embed::RecorderState> state) noexcept
    : state_(std::move(state)) {}

StatusOr<Recorder> Recorder::open(const std::filesystem::path& store,
                                  const RecorderOptions& options) noexcept {
  if (auto status = embed::check(options); !status) return status;
  auto redactor = embed::make_redactor(options.redaction);
  if (!redactor) return to_status(redactor.error());
  auto directory = log::StoreDirectory::create(store);
  if (!directory) return to_status(directory.error());
  try {
    auto state = std::make_shared<embed::RecorderState>(*std::move(directory), options,
                                                        *std::move(redactor));
    if (auto added = embed::join_current_sink(state); !added) return to_status(added.error());
    return Recorder(std::move(state));
  } catch (const std::system_error& error) {
    return Status(StatusCode::kUnavailable, std::string("no thread to record: ") + error.what());
  }
}

StatusOr<Run> Recorder::begin(RunOptions options) noexcept {
  if (auto status = embed::check(options); !status) return status;
  if (state_->stopped) return Status(StatusCode::kCancelled, "recording was stopped");
  auto id = options.run_id.empty() ? RunId::make(state_->recorder.clock().now())
                                   : RunId::parse(options.run_id);
  if (!id) {
    return Status(StatusCode::kInvalidInput, "run_id is no UUID: '" + options.run_id + "'");
  }
  event::RedactionCounts redacted;
  embed::mask_fields(options, state_->recorder.redactor(), redacted);
  auto root = embed::root_of(options);
  embed::mask_ids(root, state_->recorder.redactor(), redacted);
  try {
    auto run = state_->recorder.begin({
        .run_id = *id,
        .pipeline_type = options.pipeline_type,
        .pipeline_id = options.pipeline_id,
        .pipeline_version = options.pipeline_version,
        .trace_id = root.trace_id,
        .durability = static_cast<record::Durability>(options.durability),
        .redacted = std::move(redacted),
    });
    if (!run) return to_status(run.error());
    return Run(std::make_shared<embed::RunState>(state_, *std::move(run), std::move(root),
                                                 std::move(options)));
  } catch (const std::system_error& error) {  // in a forked child it starts the writer
    return Status(StatusCode::kUnavailable, std::string("no thread to record: ") + error.what());
  }
}

Status Recorder::stop(AtStop what, std::chrono::milliseconds timeout) noexcept {
  state_->stopped = true;
  const auto how = what == AtStop::kDrain ? record::Recorder::AtStop::kDrain
                                          : record::Recorder::AtStop::kDiscard;
  const auto at_most = std::clamp<std::chrono::milliseconds>(timeout, std::chrono::milliseconds(0),
                                                             embed::kMaxTimeout);
  return to_status(state_->recorder.stop(how, at_most));
}

Status Recorder::set_level(std::string_view logger, std::optional<Level> level) noexcept {
  std::optional<event::Level> its;
  if (level) its = static_cast<event::Level>(*level);
  return to_status(state_->loggers.set_level(logger, its));
}

Status Recorder::set_sampling(std::string_view logger, std::optional<double> rate) noexcept {
  return to_status(state_->loggers.set_sampling(logger, rate));
}

Status Recorder::add_sink(std::shared_ptr<Sink> sink) noexcept {
  if (!sink) return {StatusCode::kInvalidInput, "there is no sink"};
  return to_status(state_->sinks.add(state_->recorder, embed::adapt_sink(std::move(sink))));
}

Statistics Recorder::statistics() const noexcept {
  const auto figures = state_->recorder.statistics();
  return {.emitted = figures.emitted,
          .dropped = figures.dropped,
          .refused = state_->refused.load(std::memory_order_relaxed),
          .full = figures.full,
          .cut = figures.cut,
          .commits = figures.commits,
          .write_errors = figures.write_errors,
          .drop_rate = figures.drop_rate(),
          .last_emit = figures.last_emit,
          .last_drop = figures.last_drop};
}

}  // namespace weir
