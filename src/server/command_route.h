#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "record/context_carrier.h"
#include "server/api.h"
#include "server/remote_command.h"

namespace weir::server {

/// A route that a command answers.
struct CommandRoute {
  http::verb method;
  std::string_view path;
  std::string_view summary;
  std::vector<Parameter> parameters{};
  std::string_view gives = "application/json";
  unsigned status = 200;
  bool has_two_answers = false;  ///< exit code 1 is one of them
  unsigned failed = 400;         ///< the status of exit code 1 otherwise
  std::string_view asked{};      ///< as Route's, and the next two
  std::string_view told{};
  std::vector<std::string_view> also_gives{};
  /// What the command says where something that its path names is not there: 404.
  std::string_view not_found{};
  /// The command's words, and what it reads. Errors: kInvalidInput, kNotFound.
  std::function<Result<CommandHost::Given>(const Api&, const Request&, const Caller&)> words;
  /// Makes the answer of what it printed; null: that is the answer.
  std::function<std::string(const std::string& output)> body{};
};

/// All of them.
[[nodiscard]] std::vector<CommandRoute> command_table();

/// Of the query's `format`: json if it is not there.
[[nodiscard]] std::string format_of(const Request& request);
[[nodiscard]] std::string_view type_of(std::string_view format);

/// Where in which trace the request comes from, and its baggage, as a process is told
/// (record/w3c.h): empty where it says nothing, or nothing valid.
[[nodiscard]] record::Variables trace_of(const Request& request);

/// The JSON object of a body, or an empty one where there is none. `members` are those that it
/// may have. Errors: kInvalidInput.
[[nodiscard]] Result<json::Object> body_of(const Request& request,
                                           std::initializer_list<std::string_view> members);

}  // namespace weir::server
