#include <algorithm>
#include <charconv>
#include <unordered_set>

#include "base/json.h"
#include "log/run_lock.h"
#include "server/api.h"
#include "server/page.h"
#include "store/database.h"

/// Runs and what belongs to them. Lists come in pages whose cursors name a place and not a number
/// of rows, so that nothing is skipped or given twice while events arrive.
namespace weir::server {
namespace {

using store::sql_string;

/// The rows of a question as objects, and where the next page begins. It asks for one row more than
/// the page has.
Response page_of(const Api& api, const Caller& caller, std::string sql, const Page& page,
                 const std::function<Cursor(const json::Object&)>& place,
                 const std::function<void(json::Object&)>& change = {}) {
  sql += " LIMIT " + std::to_string(page.limit + 1);
  const auto table = api.questions.ask(
      {.sql = std::move(sql), .tenant_id = caller.tenant_id, .max_rows = page.limit + 1}, api.stop);
  if (!table) return problem(table.error());
  auto items = table->objects();
  json::Object answer;
  answer.set("next", json::Value());
  // A page of large events ends early.
  if (items.size() > page.limit || !table->is_all) {
    items.resize(std::min<std::size_t>(items.size(), page.limit));
    answer.set("next", to_text(place(*items.back().object())));
  }
  if (change) {
    for (auto& item : items) change(*item.object());
  }
  answer.set("items", std::move(items));
  if (!table->left_out.empty()) {
    json::Array left_out;
    for (const auto& place_left : table->left_out) left_out.emplace_back(place_left);
    answer.set("left_out", std::move(left_out));
  }
  return Response::json(json::to_text(answer) + "\n");
}

std::string text_of(const json::Object& object, std::string_view name) {
  const auto* value = object.find(name);
  if (value == nullptr || value->is_null()) return {};
  return value->string() != nullptr ? *value->string() : json::to_text(*value);
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
    run.set("state", is_alive ? "running" : "interrupted");
  }

 private:
  const std::unordered_set<RunId> held_;
};

/// Conditions of a list of runs, of the parameters that say them.
std::string conditions(const Request& request) {
  std::string sql;
  const auto add = [&](std::string_view name, const std::string& condition) {
    if (const auto* value = request.parameter(name))
      sql += " AND " + condition + sql_string(*value);
  };
  add("pipeline_id", "pipeline_id = ");
  add("state", "state = ");
  add("pipeline_type", "pipeline_type = ");
  add("since", "started_at >= TIMESTAMP ");
  add("until", "started_at < TIMESTAMP ");
  return sql;
}

Response list_runs(const Api& api, const Request& request, const Caller& caller, const Page& page) {
  std::string sql = "FROM runs WHERE true" + conditions(request);
  if (page.after.size() == 2) {
    sql += " AND (started_at, run_id) < (TIMESTAMP " + sql_string(page.after[0]) + ", " +
           sql_string(page.after[1]) + ")";
  }
  sql += " ORDER BY started_at DESC, run_id DESC";
  const Owners owners(api.store);
  return page_of(
      api, caller, std::move(sql), page,
      [](const json::Object& run) {
        return Cursor{text_of(run, "started_at"), text_of(run, "run_id")};
      },
      [&](json::Object& run) { owners.tell(run); });
}

Response show_run(const Api& api, const std::string& run_id, const Caller& caller) {
  const auto table = api.questions.ask(
      {.sql = "FROM runs WHERE run_id = " + sql_string(run_id), .tenant_id = caller.tenant_id},
      api.stop);
  if (!table) return problem(table.error());
  auto runs = table->objects();
  if (runs.empty()) return problem(404, "there is no run " + run_id);
  const Owners owners(api.store);
  for (auto& run : runs) owners.tell(*run.object());
  // Two tenants may have a run of one id: who may see both is told of both.
  if (runs.size() > 1) {
    auto conflict = problem(409, "several tenants have run " + run_id + ": use a key of one");
    return conflict;
  }
  return Response::json(json::to_text(runs[0]) + "\n");
}

/// A part of a run, in the order of a number and a name.
struct PartOfRun {
  std::string_view path;
  std::string_view summary;
  std::string_view table;
  std::string_view columns;
  std::string_view number;  ///< the column, a number or a time, that the order begins with
  std::string_view name;    ///< and the one that decides between equal ones
};

constexpr PartOfRun kParts[] = {
    {"/api/v1/runs/{run_id}/events", "List a run's events, in their order", "events", "*",
     "run_seq", "event_type"},
    {"/api/v1/runs/{run_id}/nodes", "List a run's nodes", "nodes", "*", "coalesce(step_index, 0)",
     "node_id"},
    {"/api/v1/runs/{run_id}/attempts", "List the executions of a run's nodes", "attempts", "*",
     "epoch_us(started_at)", "node_id || '/' || attempt || '/' || engine_attempt"},
    {"/api/v1/runs/{run_id}/spans", "List a run's spans, those that are open, too", "spans", "*",
     "coalesce(epoch_us(started_at), 0)", "span_id"},
    {"/api/v1/runs/{run_id}/artifacts", "List what a run wrote", "artifacts", "*",
     "epoch_us(written_at)", "artifact_path || '/' || artifact_sha256"},
    {"/api/v1/runs/{run_id}/signals", "List what was asked of a run", "signals", "*",
     "coalesce(epoch_us(requested_at), 0)", "signal_id"},
};

Response list_part(const Api& api, const PartOfRun& part, const std::string& run_id,
                   const Caller& caller, const Page& page, const std::string& condition) {
  const auto number = std::string(part.number), name = std::string(part.name);
  std::string sql = "SELECT " + std::string(part.columns) + ", " + number + " AS weir_number, " +
                    name + " AS weir_name FROM " + std::string(part.table) +
                    " WHERE run_id = " + sql_string(run_id) + condition;
  if (page.after.size() == 2) {
    sql += " AND (" + number + ", " + name + ") > (" + sql_string(page.after[0]) + "::BIGINT, " +
           sql_string(page.after[1]) + ")";
  }
  sql += " ORDER BY weir_number, weir_name";
  return page_of(
      api, caller, std::move(sql), page,
      [](const json::Object& item) {
        return Cursor{text_of(item, "weir_number"), text_of(item, "weir_name")};
      },
      [](json::Object& item) {
        json::Object kept;
        for (const auto& member : item) {
          if (!member.key.starts_with("weir_")) kept.append(member);
        }
        item = std::move(kept);
      });
}

/// Of the list of events: which of them.
std::string event_conditions(const Request& request) {
  std::string sql;
  if (const auto* type = request.parameter("event_type"))
    sql += " AND event_type = " + sql_string(*type);
  if (const auto* node = request.parameter("node_id")) sql += " AND node_id = " + sql_string(*node);
  if (const auto* level = request.parameter("level")) sql += " AND level = " + sql_string(*level);
  return sql;
}

std::vector<Parameter> with_page(std::vector<Parameter> parameters) {
  parameters.push_back({"limit", "query", "integer", "how many at the most: 100, up to 1000"});
  parameters.push_back({"cursor", "query", "string", "`next` of the page before"});
  return parameters;
}

Route part_route(const Api& api, const PartOfRun& part) {
  std::vector<Parameter> parameters{{"run_id", "path", "string", "of the run"}};
  const bool is_events = part.table == "events";
  if (is_events) {
    parameters.push_back({"event_type", "query", "string", "only these"});
    parameters.push_back({"node_id", "query", "string", "only of this node"});
    parameters.push_back({"level", "query", "string", "only of this level"});
  }
  return {.method = http::verb::get,
          .path = part.path,
          .scope = Scope::kRead,
          .summary = part.summary,
          .parameters = with_page(std::move(parameters)),
          .answer = [&api, &part, is_events](Request& request,
                                             const Caller& caller) -> asio::awaitable<Response> {
            const auto page = page_of_request(request);
            if (!page) co_return problem(page.error());
            if (!RunId::parse(request.segments[0])) {
              co_return problem(404, "'" + request.segments[0] + "' is no run's id");
            }
            const auto condition = is_events ? event_conditions(request) : std::string();
            std::function<Response()> work = [&api, &part, run = request.segments[0], caller,
                                              page = *page, condition] {
              return list_part(api, part, run, caller, page, condition);
            };
            co_return co_await on_workers(api.workers, std::move(work));
          }};
}

}  // namespace

std::vector<Route> run_routes(const Api& api) {
  std::vector<Route> routes{
      {.method = http::verb::get,
       .path = "/api/v1/runs",
       .scope = Scope::kRead,
       .summary = "List the runs, the newest first",
       .parameters =
           with_page({{"pipeline_id", "query", "string", "only of this pipeline"},
                      {"pipeline_type", "query", "string", "dag, linear or external"},
                      {"state", "query", "string", "completed, failed, cancelled or unfinished"},
                      {"since", "query", "string", "begun then or later, YYYY-MM-DD HH:MM in UTC"},
                      {"until", "query", "string", "begun before then"}}),
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
  for (const auto& part : kParts) routes.push_back(part_route(api, part));
  return routes;
}

}  // namespace weir::server
