#include <algorithm>
#include <span>

#include "base/text.h"
#include "event/catalogue.h"
#include "server/api.h"
#include "server/page.h"
#include "server/parameters.h"
#include "store/database.h"

/// What belongs to a run, in pages and windows: a run may have a million nodes.
///
///   which  ── the first columns of the page's keys, of events: few narrow columns of the run, and
///             of its parts those row groups in which the window can be
///   what   ── all columns of these items, and of no other
namespace weir::server {
namespace {

using store::sql_string;

constexpr auto kNumber = KeyColumn::Type::kNumber;

/// How a list is windowed.
enum class Window : std::uint8_t { kTime, kStep, kNode, kState, kStatus, kEvent };

/// A list of what belongs to a run.
struct PartOfRun {
  std::string_view path;
  std::string_view summary;
  std::string_view view;
  std::string_view told;   ///< the schema's name
  std::string_view rows;   ///< the table whose rows tell of items, and which of them: an item each
  bool is_row = false;     ///< such a row is an item, and the view's row
  std::string_view place;  ///< the first column of the key, of such a row
  /// The column of the view, and of rows, that the range of a page is looked up by; empty: none.
  std::string_view column{};
  std::span<const KeyColumn> key;
  std::vector<Window> windows{};
  std::vector<std::string_view> states{};
};

constexpr std::string_view kNodeRows =
    "logs WHERE (event_type IN ('pipeline_node_started', 'pipeline_node_completed', "
    "'pipeline_node_failed', 'pipeline_node_cancelled', 'pipeline_node_skipped') OR "
    "event_type = 'span' AND weir_is_of_trace(event_type, source) AND node_id IS NOT NULL)";
constexpr std::string_view kAttemptRows =
    "logs WHERE (event_type IN ('pipeline_node_started', 'pipeline_node_completed', "
    "'pipeline_node_failed', 'pipeline_node_cancelled') OR "
    "event_type = 'span' AND weir_is_of_trace(event_type, source) AND node_id IS NOT NULL)";
constexpr std::string_view kSpanRows =
    "logs WHERE span_id IS NOT NULL AND event_type IN ('pipeline_started', 'pipeline_completed', "
    "'pipeline_failed', 'pipeline_cancelled', 'pipeline_node_started', 'pipeline_node_completed', "
    "'pipeline_node_failed', 'pipeline_node_cancelled', 'span')";

constexpr KeyColumn kEventKey[] = {{"run_seq", kNumber},
                                   {"event_type"},
                                   {"coalesce(event_id, '')"},
                                   {"coalesce(idempotency_key, '')"}};
constexpr KeyColumn kNodeKey[] = {{"coalesce(node_id, '')"}, {"coalesce(tenant_id, '')"}};
constexpr KeyColumn kAttemptKey[] = {{"coalesce(node_id, '')"},
                                     {"coalesce(attempt, 0)", kNumber},
                                     {"engine_attempt", kNumber},
                                     {"coalesce(span_id, '')"},
                                     {"coalesce(tenant_id, '')"}};
constexpr KeyColumn kSpanKey[] = {
    {"span_id"}, {"coalesce(trace_id, '')"}, {"coalesce(tenant_id, '')"}};
constexpr KeyColumn kArtifactKey[] = {{"epoch_us(written_at)", kNumber},
                                      {"coalesce(artifact_path, '')"},
                                      {"coalesce(artifact_sha256, '')"},
                                      {"coalesce(node_id, '')"},
                                      {"coalesce(tenant_id, '')"}};
constexpr KeyColumn kSignalKey[] = {{"coalesce(signal_id, '')"}, {"coalesce(tenant_id, '')"}};

const std::vector<PartOfRun>& parts() {
  static const std::vector<PartOfRun> all = {
      {.path = "/api/v1/runs/{run_id}/events",
       .summary = "List a run's events, in their order",
       .view = "events",
       .told = "Events",
       .rows = "events WHERE true",
       .is_row = true,
       .place = "run_seq",
       .column = "run_seq",
       .key = kEventKey,
       .windows = {Window::kEvent, Window::kNode, Window::kTime}},
      {.path = "/api/v1/runs/{run_id}/nodes",
       .summary = "List a run's nodes, by their ids",
       .view = "nodes",
       .told = "Nodes",
       .rows = kNodeRows,
       .place = "coalesce(node_id, '')",
       .column = "node_id",
       .key = kNodeKey,
       .windows = {Window::kNode, Window::kStep, Window::kTime, Window::kState},
       .states = {"unfinished", "completed", "failed", "cancelled", "skipped"}},
      {.path = "/api/v1/runs/{run_id}/attempts",
       .summary = "List the executions of a run's nodes, by the nodes' ids",
       .view = "attempts",
       .told = "Attempts",
       .rows = kAttemptRows,
       .place = "coalesce(node_id, '')",
       .column = "node_id",
       .key = kAttemptKey,
       .windows = {Window::kNode, Window::kStep, Window::kTime, Window::kState},
       .states = {"unfinished", "completed", "failed", "cancelled", "lost"}},
      {.path = "/api/v1/runs/{run_id}/spans",
       .summary = "List a run's spans, those that are open, too, by their ids",
       .view = "spans",
       .told = "Spans",
       .rows = kSpanRows,
       .place = "span_id",
       .column = "span_id",
       .key = kSpanKey,
       .windows = {Window::kNode, Window::kTime, Window::kStatus}},
      {.path = "/api/v1/runs/{run_id}/artifacts",
       .summary = "List what a run wrote, in the order of time",
       .view = "artifacts",
       .told = "Artifacts",
       .rows = "events WHERE event_type = 'artifact_written'",
       .place = "epoch_us(timestamp)",
       .key = kArtifactKey,
       .windows = {Window::kNode, Window::kTime}},
      {.path = "/api/v1/runs/{run_id}/signals",
       .summary = "List what was asked of a run, by the ids of the signals",
       .view = "signals",
       .told = "Signals",
       .rows = "signals WHERE true",
       .place = "coalesce(signal_id, '')",
       .key = kSignalKey,
       .windows = {Window::kNode, Window::kState},
       .states = {"requested", "accepted", "rejected", "deferred"}},
  };
  return all;
}

/// What a request wants of a list.
struct ItemsWanted {
  std::string run_id;
  Page page;
  std::string rows;   ///< conditions on the rows that tell of items: all that can be said of these
  std::string items;  ///< and on the items of the view
  bool has_state = false;  ///< which only the view knows
};

/// "node_id = 'load'"; of "load*" those that begin so.
std::string node_sql(const std::string& node) {
  if (!node.ends_with('*')) return "node_id = " + sql_string(node);
  return "starts_with(node_id, " + sql_string(node.substr(0, node.size() - 1)) + ")";
}

ItemsWanted items_wanted(const PartOfRun& part, const Request& request, const Page& page) {
  ItemsWanted wanted{.run_id = request.segments[0], .page = page, .rows = {}, .items = {}};
  const auto add = [&](std::string_view name, std::string& to, const auto& condition) {
    const auto* value = request.parameter(name);
    if (value != nullptr) to += " AND " + condition(*value);
    return value != nullptr;
  };
  const auto column = [](std::string_view begin) {
    return [begin](const std::string& value) { return std::string(begin) + sql_string(value); };
  };
  const auto time = [](std::string_view begin) {
    return [begin](const std::string& value) { return std::string(begin) + time_sql(value); };
  };
  const auto step = [](std::string_view begin) {
    return [begin](const std::string& value) { return std::string(begin) + value; };
  };
  add("event_type", wanted.rows, column("event_type = "));
  add("level", wanted.rows, column("level = "));
  add("from", wanted.rows, time("timestamp >= "));
  add("to", wanted.rows, time("timestamp < "));
  add("node_id", wanted.rows, node_sql);
  add("from_step", wanted.rows, step("step_index >= "));
  add("to_step", wanted.rows, step("step_index <= "));
  if (part.view == "events") wanted.items = wanted.rows;
  if (part.view == "artifacts" || part.view == "signals") add("node_id", wanted.items, node_sql);
  wanted.has_state = add("state", wanted.items, column("state = "));
  wanted.has_state |= add("status", wanted.items, [](const std::string& status) {
    return status == "OPEN" ? "status IS NULL" : "status = " + sql_string(status);
  });
  return wanted;
}

std::string of_run(const ItemsWanted& wanted) { return "run_id = " + sql_string(wanted.run_id); }

/// The first columns of the keys of a page's items, in their order: enough of them for one item
/// more than the page has.
std::string which_sql(const PartOfRun& part, const ItemsWanted& wanted,
                      const std::vector<std::string>& after) {
  const auto rows = " FROM " + std::string(part.rows) + " AND " + of_run(wanted) + wanted.rows;
  const auto view = " FROM " + std::string(part.view) + " WHERE " + of_run(wanted) + wanted.items;
  const auto place = std::string(part.place), first = std::string(part.key[0].sql);
  auto sql = wanted.has_state
                 ? "SELECT DISTINCT " + first + " AS place" + view
                 : (part.is_row ? "SELECT " : "SELECT DISTINCT ") + place + " AS place" + rows;
  if (wanted.has_state && !wanted.rows.empty()) {
    sql += " AND " + first + " IN (SELECT " + place + rows + ")";
  }
  if (!after.empty()) sql += " AND " + (wanted.has_state ? first : place) + " >= " + after[0];
  // Of rows that are items, those after the place itself can be counted.
  if (!after.empty() && part.is_row) {
    sql += " AND " + key_sql(part.key) + " > (" + text::join(after) + ")";
  }
  return sql + " ORDER BY place LIMIT " + std::to_string(wanted.page.limit + 2);
}

/// The items of these places; see `which_sql`.
std::string what_sql(const PartOfRun& part, const ItemsWanted& wanted,
                     const std::vector<std::string>& after,
                     const std::vector<std::string>& places) {
  const auto key = std::string(part.key[0].sql);
  auto sql = "SELECT *, " + key_columns_sql(part.key) + " FROM " + std::string(part.view) +
             " WHERE " + of_run(wanted) + wanted.items + " AND " + key + " IN (" +
             text::join(places) + ")";
  // What DuckDB finds row groups by. A NULL is '' in the key, and in no range.
  if (!part.column.empty() && places.front() != "''") {
    sql +=
        " AND " + std::string(part.column) + " BETWEEN " + places.front() + " AND " + places.back();
  }
  if (!after.empty()) sql += " AND " + key_sql(part.key) + " > (" + text::join(after) + ")";
  sql += " ORDER BY ";
  for (std::size_t i = 0; i < part.key.size(); ++i) {
    sql += (i == 0 ? "weir_key" : ", weir_key") + std::to_string(i);
  }
  return sql + " LIMIT " + std::to_string(wanted.page.limit + 1);
}

Response list_part(const Api& api, const PartOfRun& part, const ItemsWanted& wanted,
                   const Caller& caller) {
  const auto after = literals_of(part.key, wanted.page.after);
  if (!after) return problem(after.error());
  const auto which = ask_store(api, caller, which_sql(part, wanted, *after), wanted.page.limit + 2);
  if (!which) return problem(which.error());
  if (which->rows.empty()) {
    const auto is_there = check_run(api, caller, wanted.run_id);
    return is_there ? list_answer(*which, part.key, wanted.page) : problem(is_there.error());
  }
  std::vector<std::string> places;
  for (const auto& row : which->rows) {
    const auto* text = row.front().string();
    places.push_back(text != nullptr ? sql_string(*text) : json::to_text(row.front()));
  }
  const auto items =
      ask_store(api, caller, what_sql(part, wanted, *after, places), wanted.page.limit + 1);
  return items ? list_answer(*items, part.key, wanted.page) : problem(items.error());
}

std::vector<Parameter> parameters_of(const PartOfRun& part) {
  std::vector<Parameter> all{{"run_id", "path", "string", "of the run"}};
  for (const auto window : part.windows) {
    switch (window) {
      case Window::kTime:
        all.push_back({"from", "query", "time", "only what was told of then or later"});
        all.push_back({"to", "query", "time", "only what was told of before then"});
        break;
      case Window::kStep:
        all.push_back({"from_step", "query", "integer", "only from this step_index on"});
        all.push_back({"to_step", "query", "integer", "only up to this step_index"});
        break;
      case Window::kNode:
        all.push_back({"node_id", "query", "string", "only of this node; load* begins so"});
        break;
      case Window::kState:
        all.push_back({"state", "query", "string", "only in this state", part.states});
        break;
      case Window::kStatus:
        all.push_back({"status",
                       "query",
                       "string",
                       "only with this status; OPEN: with none",
                       {"OK", "ERROR", "LOST", "OPEN"}});
        break;
      case Window::kEvent:
        all.push_back({"event_type", "query", "string", "only these"});
        all.push_back({"level",
                       "query",
                       "string",
                       "only of this level",
                       {"DEBUG", "INFO", "WARNING", "ERROR", "FATAL"}});
        break;
    }
  }
  return with_page(std::move(all));
}

Route part_route(const Api& api, const PartOfRun& part) {
  return {
      .method = http::verb::get,
      .path = part.path,
      .scope = Scope::kRead,
      .summary = part.summary,
      .parameters = parameters_of(part),
      .told = part.told,
      .answer = [&api, &part](Request& request, const Caller& caller) -> asio::awaitable<Response> {
        const auto page = page_of_request(request);
        if (!page) co_return problem(page.error());
        if (!RunId::parse(request.segments[0])) {
          co_return problem(404, "'" + request.segments[0] + "' is no run's id");
        }
        const auto* type = request.parameter("event_type");
        if (type != nullptr && !event::find_type(*type)) {
          co_return problem(400, "event_type: '" + *type + "' is no type's name");
        }
        std::function<Response()> work = [&api, &part, caller,
                                          wanted = items_wanted(part, request, *page)] {
          return list_part(api, part, wanted, caller);
        };
        co_return co_await on_workers(api.workers, std::move(work));
      }};
}

}  // namespace

std::vector<Route> part_routes(const Api& api) {
  std::vector<Route> routes;
  for (const auto& part : parts()) routes.push_back(part_route(api, part));
  return routes;
}

}  // namespace weir::server
