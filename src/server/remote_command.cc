#include "server/remote_command.h"

#include <algorithm>

#include "base/text.h"

namespace weir::server {
namespace {

/// A word is one argument of a process, of which the kernel takes 128 KiB.
constexpr std::size_t kMaxWord = std::size_t{100} << 10;
constexpr std::size_t kMaxWords = 256;

/// What a run is asked for lets it go on when whoever asked has gone.
const std::vector<RemoteCommand>& commands() {
  static const std::vector<RemoteCommand> all = {
      {"approve", Scope::kOperate, {"--reason", "--json"}},
      {"artifacts", Scope::kRead, {"--run", "--limit", "--json"}},
      {"compare", Scope::kRead, {"--format", "--json"}},
      {"deny", Scope::kOperate, {"--reason", "--json"}},
      {"export", Scope::kRead, {"--run", "--since"}},
      {"logs",
       Scope::kRead,
       {"--follow", "--node", "--grep", "--since", "--lines", "--level", "--json"}},
      {"replay", Scope::kRead, {"--at", "--json"}},
      {"report",
       Scope::kRead,
       {"--since", "--until", "--pipeline", "--limit", "--format", "--json"}},
      {"resume", Scope::kOperate, {"--jobs", "--no-cache"}, {"--detach"}},
      {"run",
       Scope::kOperate,
       {"--input", "--set", "--mode", "--jobs", "--no-cache"},
       {"--detach", "--registered"}},
      {"runs", Scope::kRead, {"--json", "--limit"}},
      {"show", Scope::kRead, {"--json", "--nodes", "--from-step"}},
      {"signal",
       Scope::kOperate,
       {"--reason", "--id", "--json", "--set", "--output", "--target", "--level", "--note",
        "--payload"}},
      {"sql",
       Scope::kRead,
       {"--cookbook", "--list", "--set", "--format", "--json", "--explain", "--max-rows"},
       {"--memory-limit=256MiB", "--threads=1"}},
      {"status", Scope::kRead, {"--json"}},
      {"tail", Scope::kRead, {"--follow", "--lines", "--run", "--level", "--json"}},
      {"trace", Scope::kRead, {"--width", "--all", "--json"}},
  };
  return all;
}

std::string command_names() {
  std::vector<std::string> names;
  for (const auto& command : commands()) names.emplace_back(command.name);
  return text::join(names);
}

/// "--limit=5" -> "--limit"
std::string_view name_of(std::string_view option) { return option.substr(0, option.find('=')); }

}  // namespace

const RemoteCommand* find_command(std::string_view name) {
  const auto found = std::ranges::find(commands(), name, &RemoteCommand::name);
  return found == commands().end() ? nullptr : &*found;
}

bool may_follow(const std::vector<std::string>& words) {
  const auto* command = find_command(words.front());
  const bool can = command != nullptr &&
                   std::ranges::find(command->options, "--follow") != command->options.end();
  return can && std::any_of(words.begin() + 1, words.end(), [](const std::string& word) {
           if (word.starts_with("--")) return word.starts_with("--follow");
           return word.starts_with("-") && word.contains('f');  // -f, -nf
         });
}

Verdict judge_words(const std::vector<std::string>& words, const Caller& caller) {
  const auto* command = words.empty() ? nullptr : find_command(words.front());
  if (command == nullptr) {
    return {400, "a server takes " + command_names() + ", not '" +
                     (words.empty() ? "" : words.front()) + "'"};
  }
  if (!allows(caller.scopes, command->scope)) {
    return {403, "key " + caller.id + " has no scope '" + std::string(to_string(command->scope)) +
                     "': it has " + scopes_text(caller.scopes)};
  }
  if (words.size() > kMaxWords) return {413, "more than " + std::to_string(kMaxWords) + " words"};
  for (const auto& word : words) {
    if (word.contains('\0')) return {400, "a word has a zero byte in it"};
    if (word.size() > kMaxWord) {
      return {413, "a word has more than " + std::to_string(kMaxWord) + " bytes"};
    }
  }
  return {};
}

Result<tool::ProcessResult> CommandHost::run(const Given& given, const Caller& caller) const {
  const auto* command = find_command(given.words.front());
  WEIR_CHECK(command != nullptr);
  std::vector<std::string> line = {program_.string(), "--store=" + store_.string()};
  if (!config_.empty()) line.push_back("--config=" + config_.string());
  line.emplace_back(command->name);
  for (const auto option : command->added) line.emplace_back(option);
  line.insert(line.end(), given.ours.begin(), given.ours.end());
  if (!given.begins.empty()) line.push_back("--id=" + given.begins);
  if (!caller.tenant_id.empty()) line.push_back("--tenant=" + caller.tenant_id);
  // Each of these options is there once, or may be: who gives one that the server gives has given
  // it twice, which no command takes.
  std::string allowed;
  for (const auto& ours : line) {
    if (ours.starts_with("--")) allowed.append(name_of(ours)).append(" ");
  }
  for (const auto option : command->options) allowed.append(option).append(" ");
  if (caller.tenant_id.empty()) allowed.append("--tenant");
  line.insert(line.end(), given.words.begin() + 1, given.words.end());
  tool::Environment environment{{"WEIR_ACTOR", caller.id}, {"WEIR_ONLY_OPTIONS", allowed}};
  for (const auto& [name, value] : given.trace) environment.emplace_back(name, value);
  return tool::run_process({.command = std::move(line),
                            .folder = "/",
                            .environment = std::move(environment),
                            .input = given.input,
                            .max_output_bytes = given.max_output_bytes,
                            .max_time = given.max_time,
                            .stop = given.stop,
                            .on_error_line = given.on_error_line,
                            .on_output_line = {},
                            .on_output = given.on_output});
}

std::string CommandHost::without_paths(std::string text) const {
  const auto path = store_.string();
  for (auto at = text.find(path); at != std::string::npos; at = text.find(path, at)) {
    text.replace(at, path.size(), "STORE");
  }
  return text;
}

}  // namespace weir::server
