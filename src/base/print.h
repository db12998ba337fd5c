#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace weir {

/// Writes `text` to a terminal, a pipe or a file that others may write to as well. While nobody
/// reads it waits, up to `patience` in all; without one, for ever. It holds nothing meanwhile that
/// another thread could want. SIGPIPE must not end the process. Errors: kUnavailable (there is no
/// reader any more), kExhausted (nobody has read in time, or no space; a part may be written), kIo.
[[nodiscard]] Result<void> print(int descriptor, std::string_view text,
                                 std::optional<std::chrono::milliseconds> patience = {});

/// Whether nobody will ever read what is printed there.
[[nodiscard]] bool has_lost_reader(int descriptor);

}  // namespace weir
