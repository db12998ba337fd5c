#include "cli/sql_prompt.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/text.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/line_editor.h"
#include "store/query.h"
#include "store/sql_text.h"

namespace weir::cli {
namespace {

constexpr const char* kHelp =
    "A question ends in a semicolon, and may have several lines.\n"
    "\n"
    "  .tables              what there is to ask\n"
    "  .schema TABLE        its columns\n"
    "  .cookbook [NAME]     questions that everybody asks; with a name or number, ask it\n"
    "  .format table|json|csv\n"
    "  .timer on|off        print how long an answer took\n"
    "  .help\n"
    "  .quit                or Ctrl-D\n"
    "\n"
    "Ctrl-C ends the question that runs. The tabulator key completes words, Ctrl-R looks through "
    "what "
    "was asked before.\n";

const std::vector<std::string> kCommands = {".tables", ".schema", ".cookbook", ".format",
                                            ".timer",  ".help",   ".quit"};
const std::vector<std::string> kFormats = {"table", "json", "csv"};
const std::vector<std::string> kSwitch = {"on", "off"};

/// The command of a line such as ".schema logs;", and the rest of it.
std::pair<std::string, std::string> split_command(std::string_view line) {
  const auto trimmed = [](std::string_view text) {
    const auto begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return std::string();
    return std::string(text.substr(begin, text.find_last_not_of("; \t") + 1 - begin));
  };
  const auto space = line.find_first_of(" \t");
  if (space == std::string_view::npos) return {trimmed(line), ""};
  return {trimmed(line.substr(0, space)), trimmed(line.substr(space))};
}

class Prompt {
 public:
  Prompt(store::Session session, std::shared_ptr<store::BadPlaces> bad, PromptOptions options)
      : session_(std::move(session)), bad_(std::move(bad)), options_(options) {}

  int run() {
    const auto folder = user_state_folder();
    LineEditor editor({.history = folder.empty() ? folder : folder / "sql_history",
                       .complete = [this](std::string_view before) { return complete(before); }});
    std::printf("Questions end in a semicolon; .help tells more.\n");
    warn_of_new_damage();
    std::string asked;
    while (!is_done_) {
      const auto [line, signal] = read_line(editor, asked.empty() ? "weir> " : " ...> ");
      // A Ctrl-C that came when nothing ran any more is one at the prompt.
      if (line.end == LineEditor::End::kEnd && signal != SIGINT) {
        std::printf("\n");
        return signal == 0 ? kDone : 128 + signal;
      }
      if (line.end != LineEditor::End::kLine) {
        std::printf("\n");
        asked.clear();
        continue;
      }
      if (asked.empty() && line.text.starts_with('.')) {
        editor.remember(line.text);
        obey(line.text);
        continue;
      }
      asked += line.text + "\n";
      while (const auto end = store::end_of_statement(asked)) {
        const auto question = asked.substr(0, *end);
        asked.erase(0, *end);
        editor.remember(store::on_one_line(question));
        ask(question);
      }
      if (store::without_end(asked).empty()) asked.clear();
    }
    return exit_code_;
  }

 private:
  /// A line, and the signal that came meanwhile; 0: none. Nobody else waits for signals then: of
  /// two one gets them.
  static std::pair<LineEditor::Line, int> read_line(LineEditor& editor, const char* prompt) {
    const InterruptStop interrupt("");
    std::fflush(stdout);
    auto line = editor.read(prompt, interrupt.token());
    return {std::move(line), interrupt.signal()};
  }

  void ask(const std::string& question) {
    if (is_done_ || store::without_end(question).empty()) return;
    const InterruptStop interrupt("\n");
    const auto begun = std::chrono::steady_clock::now();
    const auto answered =
        answer(session_, question, options_.format, options_.limits, interrupt.token());
    if (!answered) static_cast<void>(complain(answered.error()));
    warn_of_new_damage();
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begun;
    if (is_timed_) std::printf("%s\n", text::duration(took.count()).c_str());
    if (interrupt.signal() == 0 || interrupt.signal() == SIGINT) return;
    is_done_ = true;
    exit_code_ = 128 + interrupt.signal();
  }

  void obey(const std::string& line) {
    const auto [command, word] = split_command(line);
    if (command == ".quit" || command == ".exit") {
      is_done_ = true;
    } else if (command == ".help") {
      std::fputs(kHelp, stdout);
    } else if (command == ".tables") {
      ask("SHOW TABLES");
    } else if (command == ".schema" && !word.empty()) {
      ask("SELECT column_name, column_type FROM (DESCRIBE " + store::sql_name(word) + ")");
    } else if (command == ".cookbook") {
      ask_recipe(word);
    } else if (command == ".format" && std::ranges::find(kFormats, word) != kFormats.end()) {
      options_.format = word == "json"  ? SqlFormat::kJson
                        : word == "csv" ? SqlFormat::kCsv
                                        : SqlFormat::kTable;
    } else if (command == ".timer" && std::ranges::find(kSwitch, word) != kSwitch.end()) {
      is_timed_ = word == "on";
    } else {
      const bool is_known = std::ranges::find(kCommands, command) != kCommands.end();
      std::fprintf(stderr, "weir: %s '%s'%s; .help tells what there is\n",
                   is_known ? "a word is missing or wrong:" : "no command", line.c_str(),
                   is_known ? "" : text::did_you_mean(command, kCommands).c_str());
    }
  }

  void ask_recipe(const std::string& name) {
    if (name.empty()) return print_recipes();
    const auto recipe = store::find_recipe(name);
    if (recipe) return ask(std::string(recipe->sql));
    std::fprintf(stderr, "weir: the cookbook has no '%s'; .cookbook shows what it has\n",
                 name.c_str());
  }

  /// What was found before is not said again.
  void warn_of_new_damage() {
    std::vector<store::BadPlace> places;
    for (auto& place : bad_->all()) {
      if (said_.insert(place).second) places.push_back(std::move(place));
    }
    warn_of_damage(places);
  }

  std::vector<std::string> complete(std::string_view before) {
    const auto begin = before.find_last_of(" \t(),;=<>*'\"");
    const auto word = before.substr(begin == std::string_view::npos ? 0 : begin + 1);
    if (before.starts_with('.')) return complete_command(before, word);
    // "logs.run" is a column.
    const auto dot = word.rfind('.');
    return beginning_with(word.substr(dot == std::string_view::npos ? 0 : dot + 1), words());
  }

  std::vector<std::string> complete_command(std::string_view before, std::string_view word) {
    if (word == before) return beginning_with(word, kCommands);
    const auto command = split_command(before).first;
    if (command == ".format") return beginning_with(word, kFormats);
    if (command == ".timer") return beginning_with(word, kSwitch);
    if (command == ".schema" && !word.empty()) return beginning_with(word, words());
    if (command != ".cookbook") return {};
    std::vector<std::string> names;
    for (const auto& recipe : store::cookbook()) names.emplace_back(recipe.name);
    return beginning_with(word, names);
  }

  /// With what is typed in the letters of who typed it; in capitals, if she writes in capitals.
  static std::vector<std::string> beginning_with(std::string_view typed,
                                                 const std::vector<std::string>& words) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; };
    const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c; };
    if (typed.empty() && words.size() > kFewWords) return {};
    const bool is_upper =
        typed.size() > 1 && std::ranges::none_of(typed, [&](char c) { return upper(c) != c; });
    std::vector<std::string> found;
    for (const auto& word : words) {
      const bool begins = word.size() >= typed.size() &&
                          std::ranges::equal(typed, word.substr(0, typed.size()), {}, lower, lower);
      if (!begins) continue;
      auto rest = word.substr(typed.size());
      if (is_upper) std::ranges::transform(rest, rest.begin(), upper);
      found.push_back(std::string(typed) + rest);
    }
    return found;
  }

  /// Looked up when they are first needed.
  const std::vector<std::string>& words() {
    if (!words_) words_ = session_.words().value_or(std::vector<std::string>());
    return *words_;
  }

  static constexpr std::size_t kFewWords = 100;

  store::Session session_;
  std::shared_ptr<store::BadPlaces> bad_;
  PromptOptions options_;
  std::set<store::BadPlace> said_;
  std::optional<std::vector<std::string>> words_;
  bool is_timed_ = false;
  bool is_done_ = false;
  int exit_code_ = kDone;
};

}  // namespace

int run_prompt(const log::StoreDirectory& store, store::SessionOptions session,
               PromptOptions options) {
  const auto bad = std::make_shared<store::BadPlaces>();
  // The signals are blocked from here on, so that DuckDB's threads never get them.
  auto opened = [&] {
    const InterruptStop interrupt("\n");
    return store::Session::open(store, std::move(session), bad, interrupt.token());
  }();
  if (!opened) return complain(opened.error());
  const int exit_code = Prompt(*std::move(opened), bad, options).run();
  compact_when_due(store);
  return exit_code;
}

}  // namespace weir::cli
