#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "cli/sql_output.h"
#include "store/session.h"

namespace weir::cli {

/// What a question may take. What it meets is said with the option that says otherwise.
struct SqlLimits {
  static constexpr std::chrono::seconds kTimeout{60};
  static constexpr std::uint64_t kTableRows = 10'000;

  std::chrono::milliseconds timeout = kTimeout;  ///< zero: none
  /// Zero: none. If it is not said: kTableRows, and none but in tables.
  std::optional<std::uint64_t> max_rows{};
};

/// Asks, and prints the answer, of a table only as many rows as it may have. What is found damaged
/// on the way is left out, and the question asked again. Errors: kInvalidInput (also for a limit),
/// kCancelled, those of Session::open; once rows are printed, they say so.
[[nodiscard]] Result<void> answer(store::Session& session, const std::string& sql, SqlFormat format,
                                  const SqlLimits& limits, const std::stop_token& stop);

/// The same, to the one file that the session may write. After an error it may be there or not.
[[nodiscard]] Result<void> answer_to_parquet(store::Session& session, const std::string& sql,
                                             const SqlLimits& limits, const std::stop_token& stop);

}  // namespace weir::cli
