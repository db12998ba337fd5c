#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "record/builtin_hooks.h"

/// Standard error of a command that records: whoever is to read it may be slow, may never come and
/// may be gone, and the run goes on.
///
/// Threads  All functions from any thread.
namespace weir::cli {

/// Nobody is waited for longer, by everything that `say` says together: what comes later is printed
/// while there is room for it. 10 s unless it is set.
void set_console_patience(std::chrono::milliseconds patience);

/// As std::fprintf(stderr, …). What nobody reads is dropped.
[[gnu::format(printf, 1, 2)]] void say(const char* format, ...);
/// A text as it stands.
void say_text(std::string_view text);

/// Prints for a sink or a hook; waits for a reader up to `patience`, without one for ever. Once the
/// reader is gone it drops everything, which is no error. Errors: those of print.
[[nodiscard]] record::Print print_to_console(
    std::optional<std::chrono::milliseconds> patience = {});

/// Whether something was to be read by somebody who was gone.
[[nodiscard]] bool has_console_lost_reader();

}  // namespace weir::cli
