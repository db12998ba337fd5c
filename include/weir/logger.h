#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>

#include "weir/field.h"
#include "weir/status.h"

namespace weir {

namespace embed {
struct LoggerState;
}  // namespace embed

/// Writes `log` events of a run: level, logger, message, fields and attributes, and the ids of the
/// current context.
///
///   auto log = run.logger("loader");
///   log.info("{} rows of {}", rows, file);
///   log.warning("slow", {{field::kDurationMs, 812.5}, {"shard", 7}});
///
/// Names are a tree by dots; levels and sampling are set at any name of it (Recorder::set_level).
/// The n-th `{}` stands for the n-th argument, `{{` and `}}` for braces; without arguments the
/// message is what it is. Nothing is an error, nothing is lost.
///
/// A value that copies cheaply, and is silent when its run has ended. Threads: all functions from
/// any thread.
class Logger {
 public:
  [[nodiscard]] bool is_enabled(Level level) const noexcept;

  template <class... Args>
  void log(Level level, std::string_view message, const Args&... arguments) const noexcept {
    if constexpr (sizeof...(Args) == 0) {
      write(level, message, {});
    } else {
      if (!is_enabled(level)) return;
      const std::array<Value, sizeof...(Args)> values{Value(arguments)...};
      write_formatted(level, message, values.data(), values.size());
    }
  }
  void log(Level level, std::string_view message, Fields fields) const noexcept {
    write(level, message, fields);
  }

  template <class... Args>
  void debug(std::string_view message, const Args&... arguments) const noexcept {
    log(Level::kDebug, message, arguments...);
  }
  void debug(std::string_view message, Fields fields) const noexcept {
    write(Level::kDebug, message, fields);
  }
  template <class... Args>
  void info(std::string_view message, const Args&... arguments) const noexcept {
    log(Level::kInfo, message, arguments...);
  }
  void info(std::string_view message, Fields fields) const noexcept {
    write(Level::kInfo, message, fields);
  }
  template <class... Args>
  void warning(std::string_view message, const Args&... arguments) const noexcept {
    log(Level::kWarning, message, arguments...);
  }
  void warning(std::string_view message, Fields fields) const noexcept {
    write(Level::kWarning, message, fields);
  }
  template <class... Args>
  void error(std::string_view message, const Args&... arguments) const noexcept {
    log(Level::kError, message, arguments...);
  }
  void error(std::string_view message, Fields fields) const noexcept {
    write(Level::kError, message, fields);
  }
  template <class... Args>
  void fatal(std::string_view message, const Args&... arguments) const noexcept {
    log(Level::kFatal, message, arguments...);
  }
  void fatal(std::string_view message, Fields fields) const noexcept {
    write(Level::kFatal, message, fields);
  }

  /// The same logger with a field on each of its events: a node's id. Errors: kInvalidInput for
  /// `logger` and `message`, kExhausted over 16 with those of the run.
  [[nodiscard]] StatusOr<Logger> with(TextField field, std::string_view text) const noexcept;

 private:
  friend class Run;
  explicit Logger(std::shared_ptr<const embed::LoggerState> state) noexcept;
  void write(Level level, std::string_view message, Fields fields) const noexcept;
  void write_formatted(Level level, std::string_view format, const Value* values,
                       std::size_t count) const noexcept;

  std::shared_ptr<const embed::LoggerState> state_;
};

}  // namespace weir
