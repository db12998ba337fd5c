#include "cli/console.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <string>

#include "base/print.h"

namespace weir::cli {
namespace {

using std::chrono::milliseconds;

/// No destructor: a thread that a sink keeps may print while the process ends.
struct Console {
  std::atomic<milliseconds> patience{milliseconds(10'000)};
  std::atomic<bool> is_unread = false;  // somebody has waited in vain
  std::atomic<bool> is_gone = false;
};

Console& standard_error() {
  static constinit Console one;
  return one;
}

Result<void> print_unless_gone(std::string_view text, std::optional<milliseconds> patience) {
  if (standard_error().is_gone) return {};
  auto printed = weir::print(STDERR_FILENO, text, patience);
  if (printed || printed.error().code != ErrorCode::kUnavailable) return printed;
  standard_error().is_gone = true;
  return {};
}

}  // namespace

void set_console_patience(milliseconds patience) { standard_error().patience = patience; }

void say_text(std::string_view text) {
  const auto patience =
      standard_error().is_unread ? milliseconds(0) : standard_error().patience.load();
  const auto printed = print_unless_gone(text, patience);
  // A part of a line may be there; a full disk is not waited for either.
  if (!printed) standard_error().is_unread = true;
}

void say(const char* format, ...) {
  std::va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  const int size = std::vsnprintf(nullptr, 0, format, arguments);
  va_end(arguments);
  std::string text(static_cast<std::size_t>(std::max(size, 0)), '\0');
  std::vsnprintf(text.data(), text.size() + 1, format, again);
  va_end(again);
  say_text(text);
}

record::Print print_to_console(std::optional<milliseconds> patience) {
  return [patience](std::string_view text) { return print_unless_gone(text, patience); };
}

bool has_console_lost_reader() { return standard_error().is_gone; }

}  // namespace weir::cli
