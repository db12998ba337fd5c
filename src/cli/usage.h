#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace CLI {
class App;
class Option;
class ParseError;
}  // namespace CLI

/// What a command line may say, and what is wrong with one.
namespace weir::cli {

/// Lets an option be one of `words`. Its help and its error name them.
void expect_word(CLI::Option* option, std::vector<std::string> words);
/// Lets an option be a whole number from `lowest` to `highest`.
void expect_number(CLI::Option* option, std::int64_t lowest, std::int64_t highest);

/// What is wrong with a command line that `app` refused. An argument that is missing is explained
/// by its command's footer, which is to be an example.
[[nodiscard]] std::string explain(const CLI::App& app, const CLI::ParseError& error);

/// The moment that an option names, as report::parse_moment reads it; nothing of an empty text.
/// Errors: kInvalidInput.
[[nodiscard]] Result<std::optional<Timestamp>> moment_of(const char* option,
                                                         const std::string& text, Timestamp now);

}  // namespace weir::cli
