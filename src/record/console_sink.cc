#include "record/console_sink.h"

#include <string_view>

#include "record/event_filter.h"
#include "record/log_text.h"

namespace weir::record {
namespace {

/// What a terminal obeys (ECMA-48, SGR); empty for its usual colour.
std::string_view colour_of(event::Level level) {
  switch (level) {
    case event::Level::kDebug:
      return "\033[90m";
    case event::Level::kInfo:
      return "";
    case event::Level::kWarning:
      return "\033[33m";
    case event::Level::kError:
    case event::Level::kFatal:
      return "\033[31m";
  }
  return "";
}

}  // namespace

Result<void> ConsoleSink::emit(const Published& event) {
  const auto level = level_of(event.event);
  if (level < options_.min_level) return {};
  auto text = format_text(event.event);
  const auto colour = options_.colour == Colour::kAlways ? colour_of(level) : std::string_view();
  if (!colour.empty()) text.insert(0, colour).append("\033[0m");
  return print_(text += '\n');
}

}  // namespace weir::record
