#include "weir/logger.h"

#include <span>
#include <utility>

#include "embed/event_builder.h"
#include "embed/state.h"
#include "embed/values.h"
#include "record/context_attributes.h"
#include "record/message_format.h"
#include "record/observation.h"
#include "weir/run.h"

namespace weir {
namespace embed {

struct LoggerState {
  std::shared_ptr<RunState> run;
  record::Logger logger;
  TextFields bound{};
};

namespace {

constexpr std::size_t kMaxBound = 16;

event::Level to_level(Level level) { return static_cast<event::Level>(level); }

/// Lists and JSON become texts, which `texts` keeps.
record::MessageValue to_message_value(const Value& value, std::deque<std::string>& texts) {
  switch (value.kind()) {
    case Value::Kind::kBoolean:
      return value.boolean();
    case Value::Kind::kInteger:
      return value.integer();
    case Value::Kind::kUnsigned:
      return value.unsigned_integer();
    case Value::Kind::kNumber:
      return value.number();
    case Value::Kind::kText:
    case Value::Kind::kJson:
      return value.text();
    default: {
      auto& text = texts.emplace_back();
      const auto appended = append_json(text, value);
      if (!appended) text = appended.error().message;
      return std::string_view(text);
    }
  }
}

void write_line(const LoggerState& state, Level level, std::string_view message, Fields fields) {
  auto& run = *state.run;
  if (run.closed()) {
    run.owner->refused.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  auto& builder = EventBuilder::of_this_thread();
  json::Object attributes;
  // A line is worth more than what is wrong with it.
  if (const auto set = builder.set(fields, attributes); !set) {
    attributes.set("weir.refused", set.error().message);
  }
  record::add_missing(attributes, run.attributes_around(event::Type::kLog));
  builder.add_defaults(state.bound);
  const auto context = record::current_context();
  if (context) builder.add_context(*context);
  builder.add_defaults(run.fields);
  state.logger.log(to_level(level), message, builder.finish(), attributes);
}

}  // namespace
}  // namespace embed

Logger::Logger(std::shared_ptr<const embed::LoggerState> state) noexcept
    : state_(std::move(state)) {}

bool Logger::is_enabled(Level level) const noexcept {
  return state_->logger.is_enabled(embed::to_level(level));
}

void Logger::write(Level level, std::string_view message, Fields fields) const noexcept {
  if (is_enabled(level)) embed::write_line(*state_, level, message, fields);
}

void Logger::write_formatted(Level level, std::string_view format, const Value* values,
                             std::size_t count) const noexcept {
  std::deque<std::string> texts;
  std::vector<record::MessageValue> arguments;
  for (const auto& value : std::span(values, count)) {
    arguments.push_back(embed::to_message_value(value, texts));
  }
  const auto message =
      record::format_message(format, arguments, record::Observation::kMaxTextBytes);
  embed::write_line(*state_, level, message, {});
}

StatusOr<Logger> Logger::with(TextField field, std::string_view text) const noexcept {
  const auto column = static_cast<event::Field>(field.index);
  if (field.index >= event::kFieldCount || column <= event::Field::kRunSeq ||
      event::info(column).type != event::FieldType::kString || column == event::Field::kLogger ||
      column == event::Field::kMessage) {
    return Status(StatusCode::kInvalidInput,
                  "a logger cannot carry the field of index " + std::to_string(field.index));
  }
  auto state = *state_;
  std::erase_if(state.bound, [&](const auto& bound) { return bound.first == column; });
  if (state.bound.size() >= embed::kMaxBound) {
    return Status(StatusCode::kExhausted,
                  "a logger carries at most " + std::to_string(embed::kMaxBound) + " fields");
  }
  state.bound.emplace_back(column, text);
  return Logger(std::make_shared<const embed::LoggerState>(std::move(state)));
}

Logger Run::logger(std::string_view name) noexcept {
  return Logger(std::make_shared<const embed::LoggerState>(embed::LoggerState{
      .run = state_, .logger = state_->owner->loggers.logger(name, *state_->run)}));
}

}  // namespace weir
