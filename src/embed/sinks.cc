#include "weir/sinks.h"

#include <unistd.h>

#include <utility>

#include "embed/attach_sink.h"
#include "embed/hooks.h"
#include "embed/state.h"
#include "record/buffered_sink.h"
#include "record/callback_sink.h"
#include "record/composite_sink.h"
#include "record/console_sink.h"
#include "record/json_lines_sink.h"
#include "record/null_sink.h"

namespace weir {
namespace embed {
namespace {

class OwnSink final : public Sink {
 public:
  explicit OwnSink(std::shared_ptr<record::EventSink> sink) : sink_(std::move(sink)) {}

  Status emit(const Event& event) override { return emit_to(*sink_, event); }
  bool try_emit(const Event& event) override { return try_emit_to(*sink_, event); }
  Status flush() override { return to_status(sink_->flush()); }

  static Status emit_to(record::EventSink& sink, const Event& event) {
    return to_status(with_published(
        event, [&](const record::Published& published) { return sink.emit(published); }));
  }
  /// False also for what is no event.
  static bool try_emit_to(record::EventSink& sink, const Event& event) {
    bool taken = false;
    const auto read = with_published(event, [&](const record::Published& published) {
      taken = sink.try_emit(published);
      return Result<void>();
    });
    return read && taken;
  }

 private:
  const std::shared_ptr<record::EventSink> sink_;
};

Result<record::EventFilter> to_filter(const EventFilter& filter) {
  record::EventFilter made;
  WEIR_TRY(made.include.topics, to_patterns(filter.include));
  WEIR_TRY(made.exclude.topics, to_patterns(filter.exclude));
  made.min_level = static_cast<event::Level>(filter.min_level);
  return made;
}

record::JsonLinesOptions to_options(const JsonLinesOptions& options) {
  record::JsonLinesOptions made;
  made.path = options.path;
  made.max_file_bytes = options.max_file_bytes;
  made.retention = {.max_files = options.max_files,
                    .max_age = std::chrono::ceil<std::chrono::days>(options.max_age),
                    .compression = static_cast<record::Compression>(options.compression)};
  made.format = static_cast<record::LineFormat>(options.format);
  for (const auto& name : options.fields) {
    made.fields.push_back({name, record::value_named(name)});
  }
  return made;
}

record::BufferedSinkOptions to_options(const BufferedOptions& options) {
  record::BufferedSinkOptions made;
  made.name = options.name;
  made.max_events = options.max_events;
  made.max_bytes = options.max_bytes;
  made.batch_events = options.batch_events;
  made.flush_interval = options.flush_interval;
  made.high_water = options.high_water;
  made.patience = options.patience;
  if (options.on_drop) {
    made.on_drop = [on_drop = options.on_drop](const record::Published& published) {
      const EventData data{published.event};
      on_drop(to_event(published, data));
    };
  }
  made.on_high_water = options.on_high_water;
  if (options.on_error) {
    made.on_error = [on_error = options.on_error](const Error& error) { on_error(error.message); };
  }
  return made;
}

}  // namespace

std::shared_ptr<Sink> own_sink(std::shared_ptr<record::EventSink> sink) {
  return std::make_shared<OwnSink>(std::move(sink));
}

}  // namespace embed

using embed::to_status;

std::string_view Event::text(TextField field) const noexcept {
  return data == nullptr ? std::string_view()
                         : data->view.text(static_cast<event::Field>(field.index));
}
std::optional<std::int64_t> Event::integer(IntegerField field) const noexcept {
  if (data == nullptr) return {};
  return data->view.integer(static_cast<event::Field>(field.index));
}
std::optional<double> Event::number(NumberField field) const noexcept {
  if (data == nullptr) return {};
  return data->view.number(static_cast<event::Field>(field.index));
}
std::optional<bool> Event::boolean(BooleanField field) const noexcept {
  if (data == nullptr) return {};
  return data->view.boolean(static_cast<event::Field>(field.index));
}

std::shared_ptr<Sink> null_sink() { return embed::own_sink(std::make_shared<record::NullSink>()); }

std::shared_ptr<Sink> console_sink(ConsoleOptions options) {
  using Colour = record::ConsoleSink::Colour;
  return embed::own_sink(std::make_shared<record::ConsoleSink>(
      embed::to_print(std::move(options.print), STDERR_FILENO),
      record::ConsoleSink::Options{.min_level = static_cast<event::Level>(options.min_level),
                                   .colour = options.coloured ? Colour::kAlways : Colour::kNever}));
}

StatusOr<std::shared_ptr<Sink>> json_lines_sink(const JsonLinesOptions& options) {
  auto opened = record::JsonLinesSink::open(embed::to_options(options));
  if (!opened) return to_status(opened.error());
  return embed::own_sink(std::shared_ptr<record::EventSink>(*std::move(opened)));
}

std::shared_ptr<Sink> callback_sink(std::function<Status(const Event&)> function) {
  return embed::own_sink(std::make_shared<record::CallbackSink>(
      [function = std::move(function)](const record::Published& published) -> Result<void> {
        const embed::EventData data{published.event};
        return embed::to_result(function(embed::to_event(published, data)));
      }));
}

struct CompositeSink::State {
  record::CompositeSink sink;
};

CompositeSink::CompositeSink() : state_(std::make_unique<State>()) {}
CompositeSink::~CompositeSink() = default;

Status CompositeSink::add(std::string name, std::shared_ptr<Sink> sink, const EventFilter& filter) {
  if (!sink) return {StatusCode::kInvalidInput, "there is no sink"};
  auto its = embed::to_filter(filter);
  if (!its) return to_status(its.error());
  return to_status(
      state_->sink.add(std::move(name), embed::adapt_sink(std::move(sink)), *std::move(its)));
}

Status CompositeSink::emit(const Event& event) {
  return embed::OwnSink::emit_to(state_->sink, event);
}
bool CompositeSink::try_emit(const Event& event) {
  return embed::OwnSink::try_emit_to(state_->sink, event);
}
Status CompositeSink::flush() { return to_status(state_->sink.flush()); }

std::vector<CompositeSink::Statistics> CompositeSink::statistics() const {
  std::vector<Statistics> all;
  for (auto& child : state_->sink.statistics()) {
    all.push_back({.name = std::move(child.name),
                   .emitted = child.emitted,
                   .failed = child.failed,
                   .last_error = child.last_error ? child.last_error->message : std::string()});
  }
  return all;
}

struct BufferedSink::State {
  State(std::shared_ptr<Sink> below, const BufferedOptions& options)
      : sink(embed::adapt_sink(below ? std::move(below) : null_sink()),
             embed::to_options(options)) {}
  record::BufferedSink sink;
};

BufferedSink::BufferedSink(std::shared_ptr<Sink> below, const BufferedOptions& options)
    : state_(std::make_unique<State>(std::move(below), options)) {}
BufferedSink::~BufferedSink() = default;

Status BufferedSink::start() { return to_status(state_->sink.start()); }

Status BufferedSink::stop(AtStop how, std::chrono::milliseconds timeout) {
  using Stop = record::BufferedSink::Stop;
  return to_status(state_->sink.stop(how == AtStop::kDrain ? Stop::kDrain : Stop::kDrop, timeout));
}

Status BufferedSink::emit(const Event& event) {
  return embed::OwnSink::emit_to(state_->sink, event);
}
bool BufferedSink::try_emit(const Event& event) {
  return embed::OwnSink::try_emit_to(state_->sink, event);
}
Status BufferedSink::flush() { return to_status(state_->sink.flush()); }

BufferedSink::Statistics BufferedSink::statistics() const {
  const auto figures = state_->sink.statistics();
  return {.emitted = figures.emitted,
          .dropped = figures.dropped,
          .full = figures.queue_full_count,
          .drop_rate = figures.drop_rate_percent / 100,
          .last_emit = figures.last_emit_time,
          .last_drop = figures.last_drop_time,
          .queued = figures.queued,
          .errors = figures.errors,
          .last_error = figures.last_error ? figures.last_error->message : std::string()};
}

}  // namespace weir
