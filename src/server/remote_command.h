#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "record/context_carrier.h"
#include "server/api.h"
#include "tool/process.h"

namespace weir::server {

/// A command of this program that somebody elsewhere may give: its words as one types them after
/// `weir`.
struct RemoteCommand {
  std::string_view name;
  Scope scope;
  /// Those that it may have, by their long names, beside --tenant, which all of them have. None of
  /// them names a file of this machine. The command itself holds what it was given to this list:
  /// only it knows which words are options.
  std::vector<std::string_view> options{};
  /// What the server adds.
  std::vector<std::string_view> added{};
};

/// Null: there is none of this name that may be given from elsewhere.
[[nodiscard]] const RemoteCommand* find_command(std::string_view name);

/// Whether they may ask to follow something, which has no end. Only the command knows which words
/// are options, so one that has no end may be meant to have one, and never the other way round.
[[nodiscard]] bool may_follow(const std::vector<std::string>& words);

/// Why the caller cannot give these words, the first of which is the command's name: an HTTP
/// status, and the reason. 200: he can.
struct Verdict {
  unsigned status = 200;
  std::string reason{};
};
[[nodiscard]] Verdict judge_words(const std::vector<std::string>& words, const Caller& caller);

/// Runs commands, each in a process of its own: what it takes goes with it, and what it may not do
/// it does not do here.
///
/// Threads  Any.
class CommandHost {
 public:
  /// `config` is empty: that beside the store.
  CommandHost(std::filesystem::path program, std::filesystem::path store,
              std::filesystem::path config)
      : program_(std::move(program)), store_(std::move(store)), config_(std::move(config)) {}

  struct Given {
    std::vector<std::string> words;   ///< that `judge_words` has let pass
    std::vector<std::string> ours{};  ///< options of the server's own
    std::string begins{};             ///< the id that the run gets; empty: a new one
    std::string input{};              ///< on its standard input
    record::Variables trace{};        ///< see trace_of; empty: that of the server
    std::stop_token stop{};
    std::optional<std::chrono::milliseconds> max_time{};
    std::size_t max_output_bytes = std::size_t{64} << 20;
    /// Takes what it prints as it comes, in place of ProcessResult::output; false: no more.
    std::function<bool(std::string_view)> on_output{};
    tool::LineHandler on_error_line{};
  };
  /// Until it has ended. Errors: those of tool::run_process.
  [[nodiscard]] Result<tool::ProcessResult> run(const Given& given, const Caller& caller) const;

  /// What a command says, without the path of the store: that is nobody's business elsewhere.
  [[nodiscard]] std::string without_paths(std::string text) const;

 private:
  const std::filesystem::path program_, store_, config_;
};

}  // namespace weir::server
