#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "event/field_value.h"
#include "record/loggers.h"
#include "record/message_format.h"
#include "record/recorder.h"

namespace weir::record {

class Observation;

/// Writes `log` events: level, logger, message, fields and attributes of the caller, and trace,
/// span and correlation ids of the current context. What is too large is cut, see Observation.
///
///   auto log = loggers.logger("stage_interceptor", run);
///   log.info("Stage starting: {}", stage);
///   log.warning("slow", {{Field::kNodeId, stage}, {Field::kDurationMs, took}}, {attributes});
///
/// A value that copies cheaply. A disabled level costs one relaxed load and the arguments.
class Logger {
 public:
  /// Of `with`: the correlation columns and some to spare.
  static constexpr std::size_t kMaxBound = 16;

  [[nodiscard]] bool is_enabled(event::Level level) const {
    return level >= state_->level.load(std::memory_order_relaxed);
  }

  /// `{}` in `format` stand for the arguments (format_message). Without arguments it is the message
  /// as it is.
  template <FormatArgument... Args>
  void log(event::Level level, std::string_view format, const Args&... arguments) const {
    if (!is_enabled(level)) return;
    if constexpr (sizeof...(Args) == 0) {
      write(level, format, {}, {});
    } else {
      write_formatted(level, format, std::array{to_message_value(arguments)...});
    }
  }
  /// The fields as Observation::set takes them.
  void log(event::Level level, std::string_view message,
           std::initializer_list<event::FieldValue> fields,
           const json::Object& attributes = {}) const {
    if (is_enabled(level)) write(level, message, {fields.begin(), fields.size()}, attributes);
  }
  void log(event::Level level, std::string_view message, std::span<const event::FieldValue> fields,
           const json::Object& attributes = {}) const {
    if (is_enabled(level)) write(level, message, fields, attributes);
  }

  template <class... Args>
  void debug(std::string_view message, const Args&... arguments) const {
    log(event::Level::kDebug, message, arguments...);
  }
  void debug(std::string_view message, std::initializer_list<event::FieldValue> fields,
             const json::Object& attributes = {}) const {
    log(event::Level::kDebug, message, fields, attributes);
  }
  template <class... Args>
  void info(std::string_view message, const Args&... arguments) const {
    log(event::Level::kInfo, message, arguments...);
  }
  void info(std::string_view message, std::initializer_list<event::FieldValue> fields,
            const json::Object& attributes = {}) const {
    log(event::Level::kInfo, message, fields, attributes);
  }
  template <class... Args>
  void warning(std::string_view message, const Args&... arguments) const {
    log(event::Level::kWarning, message, arguments...);
  }
  void warning(std::string_view message, std::initializer_list<event::FieldValue> fields,
               const json::Object& attributes = {}) const {
    log(event::Level::kWarning, message, fields, attributes);
  }
  template <class... Args>
  void error(std::string_view message, const Args&... arguments) const {
    log(event::Level::kError, message, arguments...);
  }
  void error(std::string_view message, std::initializer_list<event::FieldValue> fields,
             const json::Object& attributes = {}) const {
    log(event::Level::kError, message, fields, attributes);
  }
  template <class... Args>
  void fatal(std::string_view message, const Args&... arguments) const {
    log(event::Level::kFatal, message, arguments...);
  }
  void fatal(std::string_view message, std::initializer_list<event::FieldValue> fields,
             const json::Object& attributes = {}) const {
    log(event::Level::kFatal, message, fields, attributes);
  }

  /// The same logger with a text field on each of its events: a tenant's, a node's. An event's own
  /// value wins. Errors: kExhausted over kMaxBound, kInvalidInput for a field that is no text or
  /// not free.
  [[nodiscard]] Result<Logger> with(event::Field field, std::string_view text) const;

  [[nodiscard]] const std::string& name() const { return name_; }
  /// How many events sampling has left out under this name, by all its loggers.
  [[nodiscard]] std::uint64_t sampled_out() const {
    return state_->sampled_out.load(std::memory_order_relaxed);
  }

 private:
  friend class Loggers;
  using BoundFields = std::vector<std::pair<event::Field, std::string>>;
  Logger(LoggerState& state, std::string name, Run& run)
      : state_(&state), name_(std::move(name)), run_(&run) {}

  void write(event::Level level, std::string_view message,
             std::span<const event::FieldValue> fields, const json::Object& attributes) const;
  void write_formatted(event::Level level, std::string_view format,
                       std::span<const MessageValue> values) const;
  void emit(event::Level level, Observation& event) const;

  LoggerState* state_;
  std::string name_;
  Run* run_;
  std::shared_ptr<const BoundFields> bound_;
};

}  // namespace weir::record
