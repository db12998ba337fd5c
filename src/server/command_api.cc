#include "server/command_api.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>

#include "base/json.h"
#include "base/utf8.h"
#include "server/command_route.h"
#include "server/fair_budget.h"
#include "server/printed.h"

/// What this program's commands answer: those that change something, so that whatever holds for
/// who types them holds here, and those that would take much memory.
namespace weir::server {
namespace {

using event::Field;

/// Of an answer of one piece.
constexpr std::chrono::minutes kLongestAnswer{5};

/// What these routes share.
class Commands {
 public:
  Commands(const Api& the_api, CommandHost the_host) : api(the_api), host(std::move(the_host)) {}

  const Api& api;
  const CommandHost host;

  /// Followers do not keep short commands from their places, nor those who look on those who act.
  enum class Kind : std::uint8_t { kReads, kOperates, kFollows };
  /// Null: of this kind too many are under way.
  [[nodiscard]] std::shared_ptr<FairBudget::Share> place(Kind kind, const Caller& caller) {
    auto& places = kind == Kind::kReads      ? reading_
                   : kind == Kind::kOperates ? operating_
                                             : following_;
    return places.take(caller.account());
  }

  /// While it lives, no other run of this id is begun: whoever asks twice at once is answered by
  /// what the first one began.
  class Beginning {
   public:
    Beginning(Commands& commands, std::string id) : commands_(commands), id_(std::move(id)) {
      if (id_.empty()) return;
      std::unique_lock lock(commands_.mutex_);
      commands_.changed_.wait(lock, [&] { return commands_.beginning_.insert(id_).second; });
    }
    Beginning(const Beginning&) = delete;
    Beginning& operator=(const Beginning&) = delete;
    ~Beginning() {
      if (id_.empty()) return;
      const std::lock_guard lock(commands_.mutex_);
      commands_.beginning_.erase(id_);
      commands_.changed_.notify_all();
    }

   private:
    Commands& commands_;
    const std::string id_;
  };

 private:
  FairBudget reading_{kMaxReading};
  FairBudget operating_{kMaxOperating};
  FairBudget following_{kMaxFollowing};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::string> beginning_;  // guarded by mutex_
};
using Shared = std::shared_ptr<Commands>;

Response too_many() { return overloaded("too many commands are under way already"); }

/// Whoever changes something stands in the log, and whoever may not.
void audit(const Api& api, const Request& request, const Caller& caller,
           const std::vector<std::string>& words, std::string_view outcome,
           std::string_view reason = {}) {
  const auto operation = std::string(http::to_string(request.method)) + " " + request.path;
  json::Object attributes;
  attributes.set("peer", request.peer);
  attributes.set("command", words.front());
  const auto run = std::ranges::find_if(
      words, [](const auto& word) { return word == "last" || RunId::parse(word).has_value(); });
  if (run != words.end()) attributes.set("run", *run);
  const auto text = json::to_text(attributes);
  std::vector<event::FieldValue> fields = {{Field::kOutcome, outcome}};
  if (!reason.empty()) fields.push_back({Field::kReason, reason});
  fields.push_back({Field::kActorId, std::string_view(caller.id)});
  fields.push_back({Field::kOperation, std::string_view(operation)});
  fields.push_back({Field::kAttributes, event::ObjectText{text}});
  const auto level = outcome == "denied" ? event::Level::kWarning : event::Level::kInfo;
  static_cast<void>(api.recorder.process_runs().emit(record::Retention::kAudit, caller.tenant_id,
                                                     event::Type::kAudit, level, fields));
}

std::string_view outcome_of(std::optional<int> exit_code) {
  return exit_code == 0 ? "done" : "failed";
}

// ---- answers of one piece
// ------------------------------------------------------------------------

/// "weir: there is no run x\n" -> "there is no run x"
std::string what_it_said(std::string_view errors) {
  std::string said;
  for (; !errors.empty();
       errors.remove_prefix(std::min(errors.find('\n'), errors.size() - 1) + 1)) {
    auto line = errors.substr(0, errors.find('\n'));
    if (line.starts_with("weir: ")) line.remove_prefix(6);
    if (!line.empty() && !line.starts_with("Run `weir"))
      said.append(said.empty() ? "" : "; ").append(line);
  }
  return said;
}

/// A command that refused: its exit code says whose fault it was.
Response refusal(const CommandRoute& route, const tool::ProcessResult& result,
                 const std::string& errors) {
  if (result.timed_out) return problem(504, "it took too long");
  if (result.stopped) return problem(503, "the server stops");
  if (result.output_too_large) return problem(413, "the answer is too long: ask for less");
  if (!result.exit_code) return problem(500, "the command was killed");
  const bool is_missing = !route.not_found.empty() && errors.contains(route.not_found);
  const unsigned status = is_missing               ? 404
                          : *result.exit_code == 2 ? 400
                          : *result.exit_code == 1 ? route.failed
                                                   : 503;
  // It may say more than that it failed, as of a signal that was rejected.
  const auto printed = json::parse(result.output);
  if (!printed || printed->object() == nullptr) return problem(status, what_it_said(errors));
  auto answer = *json::parse(problem(status, {}).body)->object();
  for (const auto& member : *printed->object()) answer.set(member.key, member.value);
  if (const auto* reason = answer.find("reason");
      reason != nullptr && reason->string() != nullptr) {
    answer.set("detail", *reason->string());
  }
  return {.status = status,
          .content_type = "application/problem+json",
          .body = json::to_text(answer) + "\n"};
}

Response run_for_answer(Commands& commands, const CommandRoute& route, const Request& request,
                        const Caller& caller) {
  auto given = route.words(commands.api, request, caller);
  if (!given) return problem(given.error());
  const auto& words = given->words;
  if (const auto verdict = judge_words(words, caller); verdict.status != 200) {
    if (verdict.status == 403) {
      audit(commands.api, request, caller, words, "denied", verdict.reason);
    }
    return problem(verdict.status, verdict.reason);
  }
  std::string errors;
  given->trace = trace_of(request);
  given->stop = commands.api.stop;
  given->max_time = kLongestAnswer;
  given->on_error_line = [&](std::string_view line, bool) {
    if (errors.size() < 16 * tool::kMaxLogLine) errors.append(line).append("\n");
  };
  const Commands::Beginning beginning(commands, given->begins);
  const auto result = commands.host.run(*given, caller);
  if (find_command(words.front())->scope == Scope::kOperate) {
    audit(commands.api, request, caller, words,
          outcome_of(result ? result->exit_code : std::nullopt));
  }
  if (!result) return problem(500, commands.host.without_paths(result.error().message));
  const bool is_answer =
      result->exit_code == 0 ||
      (route.has_two_answers && result->exit_code == 1 && !result->output.empty());
  if (!is_answer) return refusal(route, *result, commands.host.without_paths(std::move(errors)));
  return {.status = route.status,
          .content_type = std::string(route.gives),
          .body = route.body ? route.body(result->output) : result->output};
}

/// What a command can answer beside what all routes can.
std::vector<unsigned> fails_of(const CommandRoute& command) {
  std::vector<unsigned> statuses = {500, 504};
  if (command.method == http::verb::get) statuses.push_back(413);
  if (command.failed != 400) statuses.push_back(command.failed);
  return statuses;
}

Route route_of(const Shared& commands, const std::shared_ptr<const CommandRoute>& command) {
  const bool changes = command->method == http::verb::post;
  const auto kind = changes ? Commands::Kind::kOperates : Commands::Kind::kReads;
  return {.method = command->method,
          .path = command->path,
          .scope = changes ? Scope::kOperate : Scope::kRead,
          .summary = command->summary,
          .parameters = command->parameters,
          .takes = changes ? std::vector<std::string_view>{"application/json"}
                           : std::vector<std::string_view>{},
          .gives = command->gives,
          .status = command->status,
          .asked = command->asked,
          .told = command->told,
          .also_gives = command->also_gives,
          .also_fails = fails_of(*command),
          .answer = [commands, command, kind](Request& request,
                                              const Caller& caller) -> asio::awaitable<Response> {
            const auto place = commands->place(kind, caller);
            if (!place) co_return too_many();
            std::function<Response()> work = [&] {
              return run_for_answer(*commands, *command, request, caller);
            };
            auto response = co_await on_workers(commands->api.command_workers, std::move(work));
            const bool has_formats =
                response.status == 200 && request.parameter("format") != nullptr;
            if (has_formats) response.content_type = type_of(format_of(request));
            co_return response;
          }};
}

// ---- whole commands
// ------------------------------------------------------------------------------

/// How much of it is not the beginning of a character whose rest is to come.
std::size_t whole_characters(std::string_view text) {
  const auto invalid = utf8::first_invalid(text);
  constexpr std::size_t kLongestBeginning = 3;
  return invalid && text.size() - *invalid <= kLongestBeginning ? *invalid : text.size();
}

void run_for_lines(const Commands& commands, const Request& request, const Caller& caller,
                   const std::vector<std::string>& words, Printed& printed) {
  const std::stop_callback on_stop(commands.api.stop, [&] { printed.give_up(); });
  std::string begun;  // of a character
  bool is_text = true;
  const auto result = commands.host.run(
      {.words = words,
       .trace = trace_of(request),
       .stop = printed.stop(),
       .on_output =
           [&](std::string_view text) {
             begun.append(text);
             const auto whole = whole_characters(begun);
             is_text = !utf8::first_invalid(std::string_view(begun).substr(0, whole));
             const bool goes_on =
                 is_text && printed.put("out", std::string_view(begun).substr(0, whole));
             begun.erase(0, whole);
             return goes_on;
           },
       .on_error_line =
           [&](std::string_view line, bool continues) {
             const auto said = commands.host.without_paths(std::string(line));
             printed.put("err", said + (continues ? "" : "\n"));
           }},
      caller);
  auto exit_code = result ? result->exit_code : std::nullopt;
  if (find_command(words.front())->scope == Scope::kOperate) {
    audit(commands.api, request, caller, words, outcome_of(exit_code));
  }
  if (!result) {
    printed.put("err", "weir: " + commands.host.without_paths(result.error().message) + "\n");
  }
  if (!is_text) {
    printed.put("err", "weir: what it prints is no text, which is all that a server sends\n");
    exit_code = 1;
  }
  json::Object end;
  end.set("exit", exit_code ? json::Value(std::int64_t{*exit_code}) : json::Value());
  printed.end(json::to_text(end));
}

/// Errors: kInvalidInput.
Result<std::vector<std::string>> words_of(const Request& request) {
  WEIR_TRY(const auto body, body_of(request, {"words"}));
  const auto* given = body.find("words");
  if (given == nullptr || given->array() == nullptr || given->array()->empty()) {
    return fail(ErrorCode::kInvalidInput, "'words': a list of texts is expected");
  }
  std::vector<std::string> words;
  for (const auto& word : *given->array()) {
    if (word.string() == nullptr)
      return fail(ErrorCode::kInvalidInput, "'words': texts are expected");
    words.push_back(*word.string());
  }
  return words;
}

Commands::Kind kind_of(const std::vector<std::string>& words) {
  if (find_command(words.front())->scope == Scope::kOperate) return Commands::Kind::kOperates;
  return may_follow(words) ? Commands::Kind::kFollows : Commands::Kind::kReads;
}

/// A key for reading may give those commands that read.
Route words_route(const Shared& commands) {
  return {
      .method = http::verb::post,
      .path = "/api/v1/commands",
      .scope = Scope::kRead,
      .summary =
          "Give a command as on a command line: {words}; what it prints comes as lines "
          "{out} and {err}, then {exit}",
      .takes = {"application/json"},
      .gives = "application/x-ndjson",
      .asked = "CommandAsked",
      .told = "CommandLine",
      .answer = [commands](Request& request, const Caller& caller) -> asio::awaitable<Response> {
        auto words = words_of(request);
        if (!words) co_return problem(words.error());
        if (const auto verdict = judge_words(*words, caller); verdict.status != 200) {
          if (verdict.status == 403) {
            audit(commands->api, request, caller, *words, "denied", verdict.reason);
          }
          co_return problem(verdict.status, verdict.reason);
        }
        const auto place = commands->place(kind_of(*words), caller);
        if (!place) co_return too_many();
        const auto printed = std::make_shared<Printed>();
        const auto taker = std::make_shared<Taker>(
            printed, [commands, caller] { return objection_to(commands->api, caller); });
        std::string().swap(request.body);  // what it says are the words
        asio::post(commands->api.command_workers,
                   [commands, request, caller, words = *std::move(words), printed, place] {
                     run_for_lines(*commands, request, caller, words, *printed);
                   });
        co_return Response{
            .content_type = "application/x-ndjson",
            .headers = {{"Cache-Control", "no-store"}},
            .pieces = [taker](const PieceWriter& write) { return taker->write_all(write); }};
      }};
}

}  // namespace

std::vector<Route> command_routes(const Api& api, CommandHost host) {
  const auto commands = std::make_shared<Commands>(api, std::move(host));
  std::vector<Route> routes;
  for (auto& command : command_table()) {
    routes.push_back(route_of(commands, std::make_shared<const CommandRoute>(std::move(command))));
  }
  routes.push_back(words_route(commands));
  return routes;
}

}  // namespace weir::server
