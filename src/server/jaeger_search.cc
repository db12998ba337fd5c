#include "server/jaeger_search.h"

#include <algorithm>
#include <chrono>
#include <unordered_map>

#include "project/span_folds.h"
#include "store/database.h"
#include "store/history.h"

namespace weir::server {
namespace {

using store::sql_string;

/// Traces whose events are read at once.
constexpr std::size_t kTracesAtOnce = 10;
/// Of which it is found out whether they are what is looked for.
constexpr std::size_t kMostCandidates = 2000;
/// Of all traces that are read at once together.
constexpr std::uint64_t kMostRuns = 1'000'000;
/// Names of services, of operations, and pairs of services.
constexpr std::uint64_t kMostNames = 10'000;
constexpr std::chrono::seconds kLongestSearch{30};
/// Events of which spans are made, in SQL.
constexpr std::string_view kOfSpans =
    "event_type IN ('pipeline_started', 'pipeline_completed', 'pipeline_failed', "
    "'pipeline_cancelled', 'pipeline_node_started', 'pipeline_node_completed', "
    "'pipeline_node_failed', 'pipeline_node_cancelled', 'span')";

/// What project::SpanFold calls its spans and how, in SQL.
constexpr std::string_view kOperations = R"(
SELECT DISTINCT name, kind FROM (
  SELECT
    CASE
      WHEN event_type = 'span' AND source = 'otlp' AND parent_span_id IS NULL THEN pipeline_name
      WHEN event_type = 'span' AND source = 'otlp' THEN tool_id
      WHEN event_type = 'span' THEN coalesce(operation, node_id, 'span')
      WHEN event_type LIKE 'pipeline_node_%' THEN 'stage.' || node_id
      WHEN event_type LIKE 'provider_call_%' THEN operation || ' ' || coalesce(model_id, provider)
      WHEN event_type = 'agent_run' THEN 'invoke_agent ' || agent_id
      WHEN event_type LIKE 'tool_%' THEN 'execute_tool ' || coalesce(tool_id, '')
      ELSE 'RUN ' || pipeline_id
    END AS name,
    CASE
      WHEN event_type = 'span' AND source = 'otlp' THEN coalesce(attributes -> 'otlp' ->> 'kind', '')
      WHEN event_type LIKE 'provider_call_%' THEN 'client'
      WHEN event_type IN ('pipeline_started', 'pipeline_completed', 'pipeline_failed', 'pipeline_cancelled')
        THEN 'server'
      ELSE 'internal'
    END AS kind
  FROM logs
  WHERE pipeline_id = $SERVICE AND (
    $OF_SPANS OR event_type IN ('tool_started', 'tool_completed', 'tool_failed', 'provider_call_started',
      'provider_call_completed', 'provider_call_failed', 'agent_run')))
WHERE name IS NOT NULL
ORDER BY name, kind)";

std::string filled(std::string_view sql, const std::string& service) {
  std::string text(sql);
  const auto put = [&](std::string_view name, std::string_view value) {
    if (const auto at = text.find(name); at != std::string::npos) {
      text.replace(at, name.size(), value);
    }
  };
  put("$OF_SPANS", kOfSpans);
  put("$SERVICE", sql_string(service));
  return text;
}

std::string column_text(const json::Value& value) {
  return value.is_null() ? std::string() : tag_text(value);
}

/// A run without a trace is one of its own, which is called as the run is: project::SpanFold.
constexpr std::string_view kTraceOfRun =
    "coalesce(max(trace_id), replace(run_id::VARCHAR, '-', ''))";

/// 32 digits as a run's id has them.
std::string dashed(std::string id) {
  for (const std::size_t at : {20UZ, 16UZ, 12UZ, 8UZ}) id.insert(at, "-");
  return id;
}

/// All runs of these traces. Errors: those of the store.
Result<std::vector<RunId>> runs_of(const Api& api, const std::vector<std::string>& traces,
                                   const Caller& caller) {
  std::vector<RunId> runs;
  if (traces.empty()) return runs;
  std::string ids, run_ids;
  for (const auto& trace : traces) {
    ids += (ids.empty() ? "" : ", ") + sql_string(trace);
    run_ids += (run_ids.empty() ? "" : ", ") + sql_string(dashed(trace));
  }
  WEIR_TRY(const auto table,
           ask_store(api, caller,
                     "SELECT " + std::string(kTraceOfRun) +
                         " AS trace, run_id FROM logs WHERE trace_id IN (" + ids +
                         ") OR run_id IN (" + run_ids + ") GROUP BY run_id, tenant_id",
                     kMostRuns));
  runs.reserve(table.rows.size());
  for (const auto& row : table.rows) {
    if (const auto id = RunId::parse(column_text(row[1]))) runs.push_back(*id);
  }
  return runs;
}

/// Traces in which the service has been in the time, the newest first.
Result<std::vector<std::string>> candidates(const Api& api, const TraceQuery& query,
                                            const Caller& caller) {
  const auto most = query.takes_all() ? query.limit : kMostCandidates;
  const auto time = [](Timestamp at) { return "TIMESTAMP " + sql_string(weir::to_string(at)); };
  WEIR_TRY(
      const auto table,
      ask_store(api, caller,
                "SELECT trace FROM (SELECT " + std::string(kTraceOfRun) +
                    " AS trace, min(CASE WHEN event_type = 'span' THEN "
                    "weir_begin_of_span(timestamp, duration_ms) ELSE timestamp END) AS began, "
                    "max(timestamp) AS ended FROM logs WHERE pipeline_id = " +
                    sql_string(query.service) + " AND " + std::string(kOfSpans) +
                    " GROUP BY run_id, tenant_id) WHERE began <= " + time(query.until) +
                    " AND ended >= " + time(query.since) +
                    " GROUP BY trace ORDER BY max(began) DESC, trace LIMIT " + std::to_string(most),
                most));
  std::vector<std::string> traces;
  traces.reserve(table.rows.size());
  for (const auto& row : table.rows) traces.push_back(column_text(row[0]));
  return traces;
}

using Traces = std::unordered_map<std::string, JaegerTrace>;

/// What one search may take of memory and time.
class SearchBudget {
 public:
  void hold(std::size_t bytes) { held_ = bytes; }
  void replace(std::size_t before, std::size_t after) { held_ = held_ - before + after; }
  /// Errors: kExhausted, kUnavailable.
  [[nodiscard]] Result<void> check() const {
    if (held_ > FoundTraces::kMostBytes) {
      return fail(ErrorCode::kExhausted,
                  "these traces have more than 128 MiB: ask for fewer, or for one by its id");
    }
    if (std::chrono::steady_clock::now() > until_) {
      return fail(ErrorCode::kUnavailable,
                  "the search took more than 30 s: ask for fewer traces, or for a shorter time");
    }
    return {};
  }

 private:
  const std::chrono::steady_clock::time_point until_ =
      std::chrono::steady_clock::now() + kLongestSearch;
  std::size_t held_ = 0;
};

/// Reads the events of these runs, and writes their spans.
Result<Traces> read_traces(const Api& api, const std::vector<RunId>& runs, const TraceQuery& query,
                           JaegerVersion version, const Caller& caller, SearchBudget& budget) {
  Traces traces;
  const auto now = api.recorder.clock().now();
  const auto put = [&](project::Span&& span) {
    const auto& trace_id = span.context.trace_id;
    auto& trace = traces.try_emplace(trace_id, version, now).first->second;
    trace.matches = trace.matches || query.matches(span);
    const auto before = trace.bytes();
    trace.add(std::move(span));
    budget.replace(before, trace.bytes());
  };
  project::SpanFolds folds;
  const auto read =
      store::read_runs(api.store, runs, [&](const event::EventView& event) -> Result<void> {
        if (api.stop.stop_requested()) return fail(ErrorCode::kCancelled, "the server stops");
        const auto tenant = event.text(event::Field::kTenantId);
        if (caller.tenant_id.empty() || tenant == caller.tenant_id) folds.apply(event, put);
        return budget.check();
      });
  if (!read) return std::unexpected(read.error());
  folds.finish(put);
  WEIR_TRY(budget.check());
  return traces;
}

}  // namespace

Result<std::vector<std::string>> jaeger_services(const Api& api, const Caller& caller) {
  WEIR_TRY(const auto table, ask_store(api, caller,
                                       "SELECT DISTINCT pipeline_id FROM logs WHERE " +
                                           std::string(kOfSpans) + " ORDER BY 1",
                                       kMostNames));
  std::vector<std::string> names;
  names.reserve(table.rows.size());
  for (const auto& row : table.rows) names.push_back(column_text(row[0]));
  return names;
}

Result<std::vector<Operation>> jaeger_operations(const Api& api, const std::string& service,
                                                 const Caller& caller) {
  WEIR_TRY(const auto table, ask_store(api, caller, filled(kOperations, service), kMostNames));
  std::vector<Operation> all;
  all.reserve(table.rows.size());
  for (const auto& row : table.rows) all.push_back({column_text(row[0]), column_text(row[1])});
  return all;
}

Result<FoundTraces> find_traces(const Api& api, const TraceQuery& query, JaegerVersion version,
                                const Caller& caller) {
  FoundTraces found;
  SearchBudget budget;
  const bool is_named = !query.trace_ids.empty();
  auto traces = query.trace_ids;
  if (!is_named) {
    WEIR_TRY(traces, candidates(api, query, caller));
  }
  for (std::size_t at = 0; at < traces.size() && found.count < query.limit; at += kTracesAtOnce) {
    budget.hold(found.text.size());
    WEIR_TRY(budget.check());
    const auto last = std::min(traces.size(), at + kTracesAtOnce);
    const std::vector<std::string> some(traces.begin() + static_cast<std::ptrdiff_t>(at),
                                        traces.begin() + static_cast<std::ptrdiff_t>(last));
    WEIR_TRY(const auto runs, runs_of(api, some, caller));
    WEIR_TRY(auto read, read_traces(api, runs, query, version, caller, budget));
    for (const auto& id : some) {
      const auto trace = read.find(id);
      if (trace == read.end() || found.count == query.limit) continue;
      if (is_named || trace->second.matches) found.add(id, trace->second);
    }
  }
  return found;
}

Result<Table> calls_between_services(const Api& api, std::int64_t since_ms, std::int64_t until_ms,
                                     const Caller& caller) {
  const auto time = [](std::int64_t at) {
    return "make_timestamp(" + std::to_string(at * 1000) + ")";
  };
  return ask_store(
      api, caller,
      "SELECT parent.pipeline_id, child.pipeline_id, count(DISTINCT child.span_id) FROM "
      "logs AS child JOIN logs AS parent ON parent.trace_id = child.trace_id AND "
      "parent.span_id = child.parent_span_id AND parent.tenant_id IS NOT DISTINCT FROM "
      "child.tenant_id AND parent.pipeline_id <> child.pipeline_id WHERE "
      "child.event_type IN ('pipeline_started', 'span') AND parent.event_type IN "
      "('pipeline_started', 'pipeline_node_started', 'span') AND child.timestamp BETWEEN " +
          time(since_ms) + " AND " + time(until_ms) + " GROUP BY 1, 2 ORDER BY 1, 2",
      kMostNames);
}

}  // namespace weir::server
