#include "record/logger.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "base/utf8.h"
#include "record/observation.h"

namespace weir::record {
namespace {

using event::Field;
using event::Level;

/// A number from 0 to 1 that is the same for a trace in every process. Mixed (the finaliser of
/// SplitMix64), since not everybody's trace ids are random.
double place_of(const TraceId& trace) {
  std::array<std::uint64_t, 2> halves{};
  std::memcpy(halves.data(), trace.bytes.data(), trace.bytes.size());
  auto bits = halves[0] ^ (halves[1] * 0x9E3779B97F4A7C15U);
  bits = (bits ^ (bits >> 30U)) * 0xBF58476D1CE4E5B9U;
  bits = (bits ^ (bits >> 27U)) * 0x94D049BB133111EBU;
  bits ^= bits >> 31U;
  return static_cast<double>(bits >> 11U) * 0x1p-53;
}

/// Whether sampling at `rate` keeps the n-th event, from 0: as evenly as can be, the first one of
/// each round.
bool is_kept_by_count(std::uint64_t n, double rate) {
  const auto kept_before = [&](std::uint64_t count) {
    return std::ceil(static_cast<double>(count) * rate);
  };
  return kept_before(n + 1) > kept_before(n);
}

bool is_kept(LoggerState& state, Level level, const TraceContext* context) {
  if (level >= Level::kError) return true;
  const auto rate = state.sampling.load(std::memory_order_relaxed);
  if (rate >= 1) return true;
  const bool kept =
      context != nullptr && context->has_trace()
          ? place_of(context->trace_id) < rate
          : is_kept_by_count(state.offered.fetch_add(1, std::memory_order_relaxed), rate);
  if (!kept) state.sampled_out.fetch_add(1, std::memory_order_relaxed);
  return kept;
}

}  // namespace

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
  if (!is_kept(*state_, level, context.get())) return;
  Observation event(std::move(context));
  event.set(Field::kMessage, message);
  event.set(fields);
  event.add_attributes(attributes);
  emit(level, event);
}

void Logger::write_formatted(Level level, std::string_view format,
                             std::span<const MessageValue> values) const {
  auto context = current_context();
  if (!is_kept(*state_, level, context.get())) return;
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
