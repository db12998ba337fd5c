#include "record/logger.h"

#include <algorithm>

#include "base/utf8.h"
#include "record/observation.h"

namespace weir::record {

using event::Field;
using event::Level;

Result<Logger> Logger::with(Field field, std::string_view text) const {
  const bool is_text = event::info(field).type == event::FieldType::kString;
  if (!is_text || field <= Field::kRunSeq || field == Field::kLogger || field == Field::kMessage) {
    return fail(ErrorCode::kInvalidInput,
                "a logger cannot carry the field '" + std::string(event::info(field).name) + "'");
  }
  auto fields = bound_ ? *bound_ : BoundFields();
  std::erase_if(fields, [&](const auto& bound) { return bound.first == field; });
  if (fields.size() >= kMaxBound) {
    return fail(ErrorCode::kExhausted,
                "a logger carries at most " + std::to_string(kMaxBound) + " fields");
  }
  fields.emplace_back(field, utf8::cut(text, Observation::kMaxTextBytes));
  auto logger = *this;
  logger.bound_ = std::make_shared<const BoundFields>(std::move(fields));
  return logger;
}

void Logger::write(Level level, std::string_view message, std::span<const event::FieldValue> fields,
                   const json::Object& attributes) const {
  auto context = current_context();
  if (!state_->keeps(level, context.get())) return;
  Observation event(std::move(context));
  event.set(Field::kMessage, message);
  event.set(fields);
  event.add_attributes(attributes);
  emit(level, event);
}

void Logger::write_formatted(Level level, std::string_view format,
                             std::span<const MessageValue> values) const {
  auto context = current_context();
  if (!state_->keeps(level, context.get())) return;
  Observation event(std::move(context));
  const auto message = format_message(format, values, Observation::kMaxTextBytes);
  event.set(Field::kMessage, std::string_view(message));
  emit(level, event);
}

void Logger::emit(Level level, Observation& event) const {
  event.set_default(Field::kLogger, name_);
  if (bound_) {
    for (const auto& [field, text] : *bound_) event.set_default(field, text);
  }
  event.emit(*run_, event::Type::kLog, level);
}

}  // namespace weir::record
