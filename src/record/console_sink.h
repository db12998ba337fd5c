#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "event/catalogue.h"
#include "record/builtin_hooks.h"
#include "record/event_sink.h"

namespace weir::record {

/// Events for people, one line each (format_text): nothing in them can move the cursor, colour the
/// terminal or begin a line.
class ConsoleSink final : public EventSink {
 public:
  enum class Colour : std::uint8_t { kNever, kAlways };
  struct Options {
    event::Level min_level = event::Level::kInfo;
    /// Debugging lines grey, warnings yellow, errors red: for a terminal whose user wants it.
    Colour colour = Colour::kNever;
  };

  ConsoleSink(Print print, Options options) : print_(std::move(print)), options_(options) {}
  explicit ConsoleSink(Print print) : ConsoleSink(std::move(print), Options{}) {}

  /// Errors: those of the Print.
  [[nodiscard]] Result<void> emit(const Published& event) override;

 private:
  Print print_;
  Options options_;
};

}  // namespace weir::record
