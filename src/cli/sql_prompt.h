#pragma once

#include "cli/sql_question.h"
#include "log/store_directory.h"
#include "store/session.h"

namespace weir::cli {

struct PromptOptions {
  SqlFormat format = SqlFormat::kTable;
  SqlLimits limits{};
};

/// Asks a person on the terminal for questions until she leaves. Ctrl-C ends the question that
/// runs, or gives up what is typed. Returns the exit code.
[[nodiscard]] int run_prompt(const log::StoreDirectory& store, store::SessionOptions session,
                             PromptOptions options);

}  // namespace weir::cli
