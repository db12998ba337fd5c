#include "cli/usage.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <functional>

#include "base/text.h"
#include "report/moment.h"

namespace weir::cli {
namespace {

void expect(CLI::Option* option, const std::string& what,
            const std::function<bool(const std::string&)>& fits) {
  option->type_name(what)->check([what, fits](const std::string& value) {
    return fits(value) ? "" : what + " is expected, not '" + value + "'";
  });
}

bool is_option(const std::string& word) { return word.size() > 1 && word.front() == '-'; }

std::string unknown_command(const CLI::App& app, const std::string& word) {
  std::vector<std::string> known;
  for (const auto* command : app.get_subcommands({})) known.push_back(command->get_name());
  return "no command '" + word + "'" + text::did_you_mean(word, known) + " (" + text::join(known) +
         ")";
}

std::string unknown_option(const std::vector<const CLI::App*>& apps, std::string word) {
  word = word.substr(0, word.find('='));
  std::vector<std::string> known;
  for (const auto* app : apps) {
    for (const auto* option : app->get_options()) {
      for (const auto& name : option->get_lnames()) known.push_back("--" + name);
    }
  }
  // The help is inherited: each has its own.
  std::sort(known.begin(), known.end());
  known.erase(std::unique(known.begin(), known.end()), known.end());
  const bool is_letter = word.size() == 2;  // says too little to guess
  return "no option '" + word + "'" + (is_letter ? "" : text::did_you_mean(word, known)) + " (" +
         text::join(known) + ")";
}

/// Of an option's values: CLI11 says "--format: 1 required TYPE missing", and "--store: At Most 1
/// required but received 2".
std::string wrong_count(const std::vector<const CLI::App*>& apps, const std::string& message) {
  const auto name = message.substr(0, message.find(": "));
  if (message.contains(": At Most ")) return name + ": given more than once";
  if (!message.ends_with(" missing")) return message;
  std::string type = "TEXT";
  for (const auto* app : apps) {
    if (const auto* option = app->get_option_no_throw(name)) type = option->get_type_name();
  }
  return name + ": " + (type == "TEXT" ? "a value" : type) + " is expected";
}

}  // namespace

void expect_word(CLI::Option* option, std::vector<std::string> words) {
  const auto last = words.back();
  const auto others = text::join(std::span(words).first(words.size() - 1));
  expect(option, others.empty() ? last : others + " or " + last,
         [words = std::move(words)](const std::string& value) {
           return std::find(words.begin(), words.end(), value) != words.end();
         });
}

void expect_number(CLI::Option* option, std::int64_t lowest, std::int64_t highest) {
  expect(option, "a number from " + std::to_string(lowest) + " to " + std::to_string(highest),
         [lowest, highest](const std::string& value) {
           std::int64_t number = 0;
           const auto* const end = value.data() + value.size();
           const auto read = std::from_chars(value.data(), end, number);
           return read.ec == std::errc() && read.ptr == end && lowest <= number &&
                  number <= highest;
         });
}

std::string explain(const CLI::App& app, const CLI::ParseError& error) {
  std::vector<const CLI::App*> apps;  // the command, if there is one, and the program
  for (const auto* command : app.get_subcommands()) apps.push_back(command);
  const bool has_command = !apps.empty();
  apps.push_back(&app);

  const auto unused = app.remaining();
  if (!has_command && !unused.empty() && !is_option(unused.front())) {
    return unknown_command(app, unused.front());
  }
  // Before all else that may be wrong: because of it a value can seem to be an argument.
  const auto option = std::find_if(unused.begin(), unused.end(), is_option);
  if (option != unused.end()) return unknown_option(apps, *option);
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    return wrong_count(apps, error.what());
  }
  if (!has_command) return "a command is expected, such as `weir run pipeline.yaml`";
  if (!unused.empty()) return "unexpected argument '" + unused.front() + "'";
  const auto missing = apps.front()->get_options(
      [](const CLI::Option* one) { return one->get_required() && one->count() == 0; });
  if (missing.empty()) return error.what();
  const auto example = apps.front()->get_footer();
  return "a " + missing.front()->get_name() + " is expected" +
         (example.empty() ? "" : "\n" + example);
}

Result<std::optional<Timestamp>> moment_of(const char* option, const std::string& text,
                                           Timestamp now) {
  if (text.empty()) return std::nullopt;
  if (const auto moment = report::parse_moment(text, now)) return moment;
  return fail(
      ErrorCode::kInvalidInput,
      std::string(option) + " '" + text +
          "': so long ago (24h, 7d), a date (2026-01-05), a time (2026-01-05 03:00) in UTC, "
          "today or yesterday is expected");
}

}  // namespace weir::cli
