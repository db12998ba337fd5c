#include <cstdio>
#include <unordered_set>

#include "base/json.h"
#include "base/text.h"
#include "log/run_lock.h"
#include "server/api.h"
#include "server/page.h"
#include "server/parameters.h"
#include "store/database.h"

/// Runs, in pages whose cursors name a place and not a number of rows, so that nothing is skipped
/// or given twice while events arrive.
namespace weir::server {
namespace {

using store::sql_string;

constexpr KeyColumn kRunKey[] = {{"epoch_us(started_at)", KeyColumn::Type::kNumber}, {"run_id"}};
/// In which a run without an end is; the store alone does not know.
constexpr std::string_view kRunning = "running";
constexpr std::string_view kInterrupted = "interrupted";

std::string text_of(const json::Object& object, std::string_view name) {
  const auto* value = object.find(name);
  return value == nullptr || value->string() == nullptr ? std::string() : *value->string();
}

/// Says `running` or `interrupted` of a run without an end, as its lock tells; one of another
/// system has none, and runs until it says otherwise.
class Owners {
 public:
  explicit Owners(const log::StoreDirectory& store) : held_(log::RunLock::held(store)) {}
  void tell(json::Object& run) const {
    if (text_of(run, "state") != "unfinished") return;
    const auto id = RunId::parse(text_of(run, "run_id"));
    const bool is_alive =
        text_of(run, "pipeline_type") == "external" || (id && held_.contains(*id));
    run.set("state", is_alive ? kRunning : kInterrupted);
  }
  /// The same as a condition.
  [[nodiscard]] std::string sql(std::string_view state) const {
    if (state != kRunning && state != kInterrupted) return "state = " + sql_string(state);
    std::vector<std::string> held;
    held.reserve(held_.size());
    for (const auto& id : held_) held.push_back(sql_string(id.text()));
    const auto alive = "(pipeline_type = 'external'" +
                       (held.empty() ? "" : " OR run_id IN (" + text::join(held) + ")") + ")";
    return "state = 'unfinished' AND " + (state == kRunning ? alive : "NOT " + alive);
  }

 private:
  const std::unordered_set<RunId> held_;
};

/// Conditions of a list of runs, of the parameters that say them.
std::string conditions(const Request& request, const Owners& owners) {
  std::string sql;
  const auto add = [&](std::string_view name, const auto& condition) {
    if (const auto* value = request.parameter(name)) sql += " AND " + condition(*value);
  };
  const auto equals = [](std::string_view column) {
    return [column](const std::string& value) {
      return std::string(column) + " = " + sql_string(value);
    };
  };
  const auto time = [](std::string_view compared) {
    return [compared](const std::string& value) {
      return "started_at " + std::string(compared) + " " + time_sql(value);
    };
  };
  add("pipeline_id", equals("pipeline_id"));
  add("state", [&](const std::string& value) { return owners.sql(value); });
  add("pipeline_type", equals("pipeline_type"));
  add("since", time(">="));
  add("until", time("<"));
  return sql;
}

Response list_runs(const Api& api, const Request& request, const Caller& caller, const Page& page) {
  const Owners owners(api.store);
  const auto after = literals_of(kRunKey, page.after);
  if (!after) return problem(after.error());
  auto sql = "SELECT *, " + key_columns_sql(kRunKey) + " FROM runs WHERE true" +
             conditions(request, owners);
  if (!after->empty()) sql += " AND " + key_sql(kRunKey) + " < (" + text::join(*after) + ")";
  sql += " ORDER BY weir_key0 DESC, weir_key1 DESC LIMIT " + std::to_string(page.limit + 1);
  const auto table = ask_store(api, caller, std::move(sql), page.limit + 1);
  if (!table) return problem(table.error());
  return list_answer(*table, kRunKey, page, [&](json::Object& run) { owners.tell(run); });
}

Response show_run(const Api& api, const std::string& run_id, const Caller& caller) {
  const auto table =
      ask_store(api, caller, "FROM runs WHERE run_id = " + sql_string(run_id), Page::kMost);
  if (!table) return problem(table.error());
  auto runs = table->objects();
  if (runs.empty()) return problem(404, "there is no run " + run_id);
  const Owners owners(api.store);
  for (auto& run : runs) owners.tell(*run.object());
  // Two tenants may have a run of one id: who may see both is told of both.
  if (runs.size() > 1) {
    return problem(409, "several tenants have run " + run_id + ": use a key of one");
  }
  return Response::json(json::to_text(runs[0]) + "\n");
}

}  // namespace

Result<Table> ask_store(const Api& api, const Caller& caller, std::string sql,
                        std::uint64_t max_rows) {
  auto table = api.questions.ask(
      {.sql = std::move(sql), .tenant_id = caller.tenant_id, .max_rows = max_rows}, api.stop);
  if (table) {
    for (auto& place : table->left_out) place = without_place(api, std::move(place));
    return table;
  }
  if (table.error().code != ErrorCode::kInvalidInput) return table;
  // It took too long, or our SQL is wrong: nothing that the caller has said can be.
  std::fprintf(stderr, "weir: a question of the server's own: %s\n",
               text::printable(table.error().message).c_str());
  return fail(ErrorCode::kUnavailable,
              "the store could not answer: ask for less, or see what the server has printed");
}

Result<void> check_run(const Api& api, const Caller& caller, const std::string& run_id) {
  if (!RunId::parse(run_id)) return fail(ErrorCode::kNotFound, "'" + run_id + "' is no run's id");
  WEIR_TRY(const auto table,
           ask_store(api, caller,
                     "SELECT 1 FROM events WHERE run_id = " + sql_string(run_id) + " LIMIT 1", 1));
  if (table.rows.empty()) return fail(ErrorCode::kNotFound, "there is no run " + run_id);
  return {};
}

std::vector<Route> run_routes(const Api& api) {
  return {
      {.method = http::verb::get,
       .path = "/api/v1/runs",
       .scope = Scope::kRead,
       .summary = "List the runs, the newest first",
       .parameters = with_page(
           {{"pipeline_id", "query", "string", "only of this pipeline"},
            {"pipeline_type",
             "query",
             "string",
             "only of this type",
             {"dag", "linear", "external"}},
            {"state",
             "query",
             "string",
             "only in this state; unfinished: running or interrupted",
             {"running", "interrupted", "unfinished", "completed", "failed", "cancelled"}},
            {"since", "query", "time", "begun then or later"},
            {"until", "query", "time", "begun before then"}}),
       .told = "Runs",
       .answer = [&api](Request& request, const Caller& caller) -> asio::awaitable<Response> {
         const auto page = page_of_request(request);
         if (!page) co_return problem(page.error());
         std::function<Response()> work = [&api, &request, &caller, page = *page] {
           return list_runs(api, request, caller, page);
         };
         co_return co_await on_workers(api.workers, std::move(work));
       }},
      {.method = http::verb::get,
       .path = "/api/v1/runs/{run_id}",
       .scope = Scope::kRead,
       .summary = "Show a run",
       .parameters = {{"run_id", "path", "string", "of the run"}},
       .told = "Run",
       .also_fails = {409},
       .answer = [&api](Request& request, const Caller& caller) -> asio::awaitable<Response> {
         if (!RunId::parse(request.segments[0])) {
           co_return problem(404, "'" + request.segments[0] + "' is no run's id");
         }
         std::function<Response()> work = [&api, run = request.segments[0], &caller] {
           return show_run(api, run, caller);
         };
         co_return co_await on_workers(api.workers, std::move(work));
       }},
  };
}

}  // namespace weir::server
