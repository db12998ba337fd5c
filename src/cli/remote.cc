#include "cli/remote.h"

#include <cstdio>
#include <cstdlib>
#include <optional>

#include "base/json.h"
#include "base/text.h"
#include "cli/interrupt.h"
#include "export/http_post.h"
#include "server/command_lines.h"

namespace weir::cli {
namespace {

/// False: our own output cannot be written.
bool print_said(server::CommandLines::Stream stream, std::string_view text) {
  auto* const to = stream == server::CommandLines::Stream::kOut ? stdout : stderr;
  std::fwrite(text.data(), 1, text.size(), to);
  return std::fflush(stdout) == 0;
}

/// "http://localhost:4680/" -> "http://localhost:4680/api/v1/commands"
std::string commands_of(std::string_view server) {
  while (server.ends_with('/')) server.remove_suffix(1);
  const bool has_scheme = server.starts_with("http://") || server.starts_with("https://");
  return (has_scheme ? "" : "http://") + std::string(server) + "/api/v1/commands";
}

/// Why it did not take the command, in its own words if it has said any, and the exit code.
struct Refusal {
  std::string why;
  int exit = kStoreFailed;
};

Refusal refusal_of(const Error& error) {
  constexpr std::int64_t kBadRequest = 400, kForbidden = 403;
  Refusal refusal{.why = error.message};
  const auto begin = error.message.find('{');
  if (begin == std::string::npos) return refusal;
  const auto problem = json::parse(std::string_view(error.message).substr(begin));
  if (!problem || problem->object() == nullptr) return refusal;
  const auto* detail = problem->object()->find("detail");
  if (detail != nullptr && detail->string() != nullptr) refusal.why = *detail->string();
  const auto* status = problem->object()->find("status");
  const bool is_wrong = status != nullptr && status->integer() != nullptr &&
                        (*status->integer() == kBadRequest || *status->integer() == kForbidden);
  if (is_wrong) refusal.exit = kWrongUsage;
  return refusal;
}

}  // namespace

int run_at_server(const Invocation& invocation, const std::vector<std::string>& words) {
  json::Object body;
  body.set("words", json::Array(words.begin(), words.end()));
  record::HttpHeaders headers = {{"Content-Type", "application/json"}};
  if (const char* key = std::getenv("WEIR_KEY"); key != nullptr && *key != '\0') {
    headers.emplace_back("Authorization", "Bearer " + std::string(key));
  }
  // As other programs know a company's own authority.
  const char* authorities = std::getenv("SSL_CERT_FILE");
  server::CommandLines lines(print_said);
  const auto post =
      exporting::http_post({.timeout = std::chrono::hours(24 * 365),
                            .on_answer = [&](std::string_view bytes) { return lines.take(bytes); },
                            .authorities = authorities != nullptr ? authorities : ""});
  const InterruptStop interrupt("");
  const auto done =
      post(commands_of(invocation.server), json::to_text(body), headers, interrupt.token());
  if (const auto exit = lines.exit_code()) return *exit;
  const bool follows = words.front() == "tail" || words.front() == "logs";
  if (interrupt.token().stop_requested()) return follows ? kDone : kFailed;
  const auto refusal = done ? Refusal{"the answer was cut off: is the server still there?"}
                            : refusal_of(done.error());
  std::fprintf(stderr, "weir: %s: %s\n", text::printable(invocation.server).c_str(),
               text::printable(refusal.why).c_str());
  return refusal.exit;
}

}  // namespace weir::cli
