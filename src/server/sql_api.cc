#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "config/units.h"
#include "server/api.h"
#include "server/sql_question.h"
#include "store/query.h"

/// Questions in SQL, and those of the cookbook.
namespace weir::server {
namespace {

/// Of those that a client may ask for.
constexpr std::uint64_t kMostRows = 1'000'000;
constexpr std::chrono::minutes kLongest{5};

/// The text as it goes: of many rows a second copy, as values, is not needed.
std::string to_json(Table table) {
  json::Array columns, left_out;
  for (const auto& column : table.columns) columns.emplace_back(column);
  for (const auto& place : table.left_out) left_out.emplace_back(place);
  json::Object rest;
  rest.set("is_all", table.is_all);
  if (!table.is_all) rest.set("reason", table.reason);
  rest.set("left_out", std::move(left_out));
  std::string text = R"({"columns":)" + json::to_text(columns) + R"(,"rows":[)";
  for (auto& row : table.rows) {
    if (text.back() != '[') text += ',';
    json::append(text, json::Array(std::exchange(row, {})));
  }
  return text.append("],").append(json::to_text(rest), 1);
}

/// RFC 4180.
std::string to_csv(Table table) {
  std::string csv;
  const auto put = [&](std::size_t column, std::string_view text) {
    if (column > 0) csv += ',';
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
      csv.append(text);
      return;
    }
    csv += '"';
    for (const char c : text) csv.append(c == '"' ? "\"\"" : std::string_view(&c, 1));
    csv += '"';
  };
  for (std::size_t i = 0; i < table.columns.size(); ++i) put(i, table.columns[i]);
  csv += "\r\n";
  for (auto& each : table.rows) {
    const auto row = std::exchange(each, {});
    for (std::size_t i = 0; i < row.size(); ++i) {
      put(i, row[i].is_null()             ? std::string()
             : row[i].string() != nullptr ? *row[i].string()
                                          : json::to_text(row[i]));
    }
    csv += "\r\n";
  }
  return csv;
}

/// Of DuckDB's complaint, what is wrong, without the line of SQL that it quotes.
std::string without_sql(const std::string& message) {
  return message.substr(0, message.find('\n'));
}

bool wants_csv(const Request& request) {
  return request.header(http::field::accept).find("text/csv") != std::string_view::npos;
}

enum class Author : std::uint8_t { kCaller, kWeir };

/// Who asks, and where, and whose words the question has.
struct Asked {
  Caller caller;
  std::string peer;
  bool as_csv = false;
  Author author = Author::kCaller;

  Asked(const Request& request, Caller from, Author words)
      : caller(std::move(from)), peer(request.peer), as_csv(wants_csv(request)), author(words) {}
};

Response answer(const Api& api, Question question, const Asked& asked) {
  question.tenant_id = asked.caller.tenant_id;
  auto table = api.questions.ask(question, api.stop);
  if (!table) {
    auto error = std::move(table).error();
    if (store::was_refused(error)) {
      api.refusals.add("POST /api/v1/sql", asked.peer, asked.caller, error.message);
    }
    error.message = without_place(api, std::move(error.message));
    if (asked.author == Author::kWeir) error.message = without_sql(error.message);
    return problem(error);
  }
  for (auto& place : table->left_out) place = without_place(api, std::move(place));
  if (!asked.as_csv) return Response::json(to_json(*std::move(table)) + "\n");
  Response response{.content_type = "text/csv; charset=utf-8; header=present"};
  if (!table->is_all) response.headers.emplace_back("Weir-Not-All", table->reason);
  response.body = to_csv(*std::move(table));
  return response;
}

asio::awaitable<Response> ask(const Api& api, Request& request, const Caller& caller) {
  auto question = parse_question(request.body);
  if (!question) co_return problem(question.error());
  std::function<Response()> work = [&api, question = *std::move(question),
                                    asked = Asked(request, caller, Author::kCaller)] {
    return answer(api, question, asked);
  };
  co_return co_await on_workers(api.workers, std::move(work));
}

Response list_recipes() {
  json::Array all;
  for (const auto& recipe : store::cookbook()) {
    json::Object object;
    object.set("name", std::string(recipe.name));
    if (recipe.number > 0) object.set("number", std::int64_t{recipe.number});
    object.set("question", std::string(recipe.question));
    json::Array parameters;
    for (const auto& name : store::variables_of(recipe)) parameters.emplace_back(name);
    object.set("parameters", std::move(parameters));
    object.set("sql", std::string(recipe.sql));
    all.emplace_back(std::move(object));
  }
  return Response::json(json::to_text(all) + "\n");
}

asio::awaitable<Response> ask_recipe(const Api& api, Request& request, const Caller& caller) {
  const auto recipe = store::find_recipe(request.segments[0]);
  if (!recipe) co_return problem(404, "the cookbook has no '" + request.segments[0] + "'");
  const auto known = store::variables_of(*recipe);
  Question question{.sql = std::string(recipe->sql)};
  for (const auto& [name, value] : request.query) {
    if (std::ranges::find(known, name) == known.end()) {
      co_return problem(400, std::string(recipe->name) + " reads " +
                                 (known.empty() ? "no parameter" : text::join(known)) + ", not '" +
                                 name + "'");
    }
    question.variables.emplace_back(name, value);
  }
  std::function<Response()> work = [&api, question = std::move(question),
                                    asked = Asked(request, caller, Author::kWeir)] {
    return answer(api, question, asked);
  };
  co_return co_await on_workers(api.workers, std::move(work));
}

}  // namespace

Result<Question> parse_question(std::string_view body) {
  WEIR_TRY(const auto value, json::parse(body));
  if (value.object() == nullptr) return fail(ErrorCode::kInvalidInput, "a JSON object is expected");
  Question question;
  for (const auto& [name, given, position] : *value.object()) {
    static_cast<void>(position);
    if (name == "query" && given.string() != nullptr) {
      question.sql = *given.string();
    } else if (name == "parameters" && given.object() != nullptr) {
      for (const auto& parameter : *given.object()) {
        const auto& said = parameter.value;
        question.variables.emplace_back(
            parameter.key, said.string() != nullptr ? *said.string() : json::to_text(said));
      }
    } else if (name == "max_rows" && given.integer() != nullptr && *given.integer() > 0) {
      question.max_rows = std::min(kMostRows, static_cast<std::uint64_t>(*given.integer()));
    } else if (name == "timeout" && given.string() != nullptr) {
      const auto timeout = config::parse_duration(*given.string());
      if (!timeout || timeout->count() <= 0) {
        return fail(ErrorCode::kInvalidInput, "timeout: a duration as 30s is expected");
      }
      question.timeout = std::min<std::chrono::milliseconds>(*timeout, kLongest);
    } else {
      return fail(ErrorCode::kInvalidInput,
                  "'" + name +
                      "' is not expected, or of another type: query (text), parameters "
                      "(an object), max_rows (a number over 0), timeout (as 30s)");
    }
  }
  if (question.sql.empty()) return fail(ErrorCode::kInvalidInput, "query is missing");
  return question;
}

std::vector<Route> sql_routes(const Api& api) {
  return {
      {.method = http::verb::post,
       .path = "/api/v1/sql",
       .scope = Scope::kRead,
       .summary = "Ask the store in SQL",
       .takes = {"application/json"},
       .asked = "Question",
       .told = "Answer",
       .also_gives = {"text/csv"},
       .answer = [&api](Request& request,
                        const Caller& caller) { return ask(api, request, caller); }},
      {.method = http::verb::get,
       .path = "/api/v1/cookbook",
       .scope = Scope::kRead,
       .summary = "List the questions that are asked often",
       .told = "Cookbook",
       .answer = [](Request&, const Caller&) -> asio::awaitable<Response> {
         co_return list_recipes();
       }},
      {.method = http::verb::get,
       .path = "/api/v1/cookbook/{name}",
       .scope = Scope::kRead,
       .summary = "Ask one of them, by its name or number; its parameters are those of the query",
       .parameters = {{"name", "path", "string", "of the question"}},
       .told = "Answer",
       .also_gives = {"text/csv"},
       .reads_any_query = true,
       .answer = [&api](Request& request,
                        const Caller& caller) { return ask_recipe(api, request, caller); }},
  };
}

}  // namespace weir::server
