#pragma once

#include "base/result.h"
#include "record/log_query.h"
#include "weir/log_query.h"

/// Questions to the log and answers, between users and record/log_query.h.
namespace weir::embed {

/// Errors: kInvalidInput.
[[nodiscard]] Result<record::LogQuery> to_internal(const LogQuery& query);
[[nodiscard]] LogEntries to_public(record::LogEntries entries);
[[nodiscard]] LogSummary to_public(record::LogSummary summary);

}  // namespace weir::embed
