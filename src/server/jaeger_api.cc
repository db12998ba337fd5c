#include <algorithm>
#include <charconv>
#include <set>

#include "base/json.h"
#include "server/api.h"
#include "server/jaeger_query.h"
#include "server/jaeger_search.h"

/// The query API of Jaeger, for its own pages and for Grafana: traces are runs, their spans are
/// made of events when somebody asks.
namespace weir::server {
namespace {

Response envelope(json::Value data, std::size_t total) {
  json::Object body;
  body.append({"data", std::move(data)});
  body.append({"total", static_cast<std::int64_t>(total)});
  body.append({"limit", std::int64_t{0}});
  body.append({"offset", std::int64_t{0}});
  body.append({"errors", json::Value()});
  return Response::json(json::to_text(body));
}

Response v1_problem(unsigned status, std::string_view message) {
  json::Object error, body;
  error.append({"code", std::int64_t{status}});
  error.append({"msg", message});
  body.append({"data", json::Value()});
  body.append({"total", std::int64_t{0}});
  body.append({"limit", std::int64_t{0}});
  body.append({"offset", std::int64_t{0}});
  body.append({"errors", json::Array{std::move(error)}});
  return {.status = status, .body = json::to_text(body)};
}

Response v3_problem(unsigned status, std::string_view message) {
  json::Object error, body;
  error.append({"httpCode", std::int64_t{status}});
  error.append({"message", message});
  body.append({"error", std::move(error)});
  return {.status = status, .body = json::to_text(body)};
}

Response jaeger_problem(JaegerVersion version, unsigned status, std::string_view message) {
  return version == JaegerVersion::kV1 ? v1_problem(status, message) : v3_problem(status, message);
}

/// An error of the store, for whoever is elsewhere.
Response store_problem(const Api& api, JaegerVersion version, const Error& error) {
  return jaeger_problem(version, status_of(error.code), without_place(api, error.message));
}

Response traces_answer(const FoundTraces& found, JaegerVersion version) {
  if (version == JaegerVersion::kV3) {
    return Response::json(R"({"result":{"resourceSpans":[)" + found.text + "]}}");
  }
  return Response::json(R"({"data":[)" + found.text + R"(],"total":)" +
                        std::to_string(found.count) + R"(,"limit":0,"offset":0,"errors":null})");
}

Response search(const Api& api, const Request& request, JaegerVersion version,
                const Caller& caller) {
  const auto now = api.recorder.clock().now();
  const auto query =
      version == JaegerVersion::kV1 ? parse_v1_query(request, now) : parse_v3_query(request, now);
  if (!query) return jaeger_problem(version, 400, query.error().message);
  const auto found = find_traces(api, *query, version, caller);
  if (!found) return store_problem(api, version, found.error());
  if (version == JaegerVersion::kV3 && found->count == 0) {
    return v3_problem(404, "No traces found");
  }
  return traces_answer(*found, version);
}

/// Grafana reads the first trace of the answer without asking whether there is one: what is not
/// found is 404, and never an empty list.
Response show_trace(const Api& api, const Request& request, JaegerVersion version,
                    const Caller& caller) {
  const auto id = parse_trace_id(request.segments[0]);
  if (!id) return jaeger_problem(version, 400, "a trace id has up to 32 hexadecimal digits");
  const auto found = find_traces(api, {.trace_ids = {*id}}, version, caller);
  if (!found) return store_problem(api, version, found.error());
  if (found->count == 0) return jaeger_problem(version, 404, "trace not found");
  return traces_answer(*found, version);
}

Response list_services(const Api& api, const Caller& caller, JaegerVersion version) {
  const auto names = jaeger_services(api, caller);
  if (!names) return store_problem(api, version, names.error());
  json::Array list(names->begin(), names->end());
  if (version == JaegerVersion::kV1) return envelope(std::move(list), names->size());
  json::Object body;
  body.append({"services", std::move(list)});
  return Response::json(json::to_text(body));
}

json::Object operation_json(const Operation& operation) {
  json::Object object;
  object.append({"name", operation.name});
  object.append({"spanKind", operation.kind});
  return object;
}

/// `how` is of the three ways in which it is asked.
enum class OperationList : std::uint8_t { kNames, kV1, kV3 };
Response list_operations(const Api& api, const std::string& service, const std::string& kind,
                         OperationList how, const Caller& caller) {
  const auto version = how == OperationList::kV3 ? JaegerVersion::kV3 : JaegerVersion::kV1;
  if (service.empty()) return jaeger_problem(version, 400, "parameter 'service' is required");
  const auto operations = jaeger_operations(api, service, caller);
  if (!operations) return store_problem(api, version, operations.error());
  json::Array list;
  std::set<std::string> names;
  for (const auto& operation : *operations) {
    if (!kind.empty() && operation.kind != kind) continue;
    if (how != OperationList::kNames) {
      list.emplace_back(operation_json(operation));
    } else if (names.insert(operation.name).second) {
      list.emplace_back(operation.name);
    }
  }
  const auto count = list.size();
  if (how != OperationList::kV3) return envelope(std::move(list), count);
  json::Object body;
  body.append({"operations", std::move(list)});
  return Response::json(json::to_text(body));
}

std::string parameter_or(const Request& request, std::string_view name) {
  const auto* value = request.parameter(name);
  return value == nullptr ? std::string() : *value;
}

/// Milliseconds since 1970, or of a length. Nothing: it is no number.
std::optional<std::int64_t> milliseconds_in(const Request& request, std::string_view name,
                                            std::int64_t usual) {
  const auto text = parameter_or(request, name);
  if (text.empty()) return usual;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  constexpr std::int64_t kMost = 100'000'000'000'000;  // some millennia
  const bool is_good = error == std::errc() && end == text.data() + text.size() && number >= 0;
  return is_good && number < kMost ? std::optional(number) : std::nullopt;
}

Response list_dependencies(const Api& api, const Request& request, const Caller& caller) {
  constexpr std::int64_t kDayMs = 86'400'000;
  const auto now = api.recorder.clock().now().time_since_epoch().count() / 1000;
  const auto end = milliseconds_in(request, "endTs", now);
  const auto lookback = milliseconds_in(request, "lookback", kDayMs);
  if (!end || !lookback) {
    return v1_problem(400, "endTs and lookback are milliseconds, endTs since 1970");
  }
  const auto table = calls_between_services(api, *end - std::min(*end, *lookback), *end, caller);
  if (!table) return store_problem(api, JaegerVersion::kV1, table.error());
  json::Array list;
  for (const auto& row : table->rows) {
    json::Object one;
    one.append({"parent", row[0]});
    one.append({"child", row[1]});
    one.append({"callCount", row[2]});
    list.emplace_back(std::move(one));
  }
  const auto count = list.size();
  return envelope(std::move(list), count);
}

using Work = Response (*)(const Api& api, const Request& request, const Caller& caller);

Route route_of(const Api& api, std::string_view path, std::string_view summary,
               std::vector<Parameter> parameters, Work work) {
  const auto version = path.contains("/v3/") ? JaegerVersion::kV3 : JaegerVersion::kV1;
  return {
      .method = http::verb::get,
      .path = path,
      .scope = Scope::kRead,
      .summary = summary,
      .parameters = std::move(parameters),
      .answer = [&api, work](Request& request, const Caller& caller) -> asio::awaitable<Response> {
        std::function<Response()> task = [&api, &request, &caller, work] {
          return work(api, request, caller);
        };
        co_return co_await on_workers(api.workers, std::move(task));
      },
      .complain = [version](
                      const Request&, unsigned status,
                      std::string_view detail) { return jaeger_problem(version, status, detail); }};
}

std::vector<Route> v1_routes(const Api& api) {
  const Parameter service{"service", "query", "string", "a pipeline, or a service of OTLP"};
  return {
      route_of(api, "/jaeger/api/services", "List the services of Jaeger: pipelines", {},
               [](const Api& to, const Request&, const Caller& caller) {
                 return list_services(to, caller, JaegerVersion::kV1);
               }),
      route_of(api, "/jaeger/api/services/{service}/operations",
               "List the names of a service's spans",
               {{"service", "path", "string", "a pipeline, or a service of OTLP"}},
               [](const Api& to, const Request& request, const Caller& caller) {
                 return list_operations(to, request.segments[0], "", OperationList::kNames, caller);
               }),
      route_of(api, "/jaeger/api/operations", "List the names of a service's spans, with kinds",
               {service, {"spanKind", "query", "string", "only of this kind"}},
               [](const Api& to, const Request& request, const Caller& caller) {
                 return list_operations(to, parameter_or(request, "service"),
                                        parameter_or(request, "spanKind"), OperationList::kV1,
                                        caller);
               }),
      route_of(api, "/jaeger/api/traces", "Look for traces, the newest first",
               {service,
                {"operation", "query", "string", "the name of a span"},
                {"tags", "query", "string", "attributes of it, a JSON object of texts"},
                {"tag", "query", "string", "one attribute, key:value"},
                {"start", "query", "integer", "in microseconds since 1970; two days ago if absent"},
                {"end", "query", "integer", "in microseconds since 1970; now if absent"},
                {"minDuration", "query", "string", "of the span: 1.2s, 100ms, 500us"},
                {"maxDuration", "query", "string", "of the span"},
                {"limit", "query", "integer", "how many at the most: 100 if absent, up to 1500"},
                {"traceID", "query", "string", "these alone; may be given more than once"}},
               [](const Api& to, const Request& request, const Caller& caller) {
                 return search(to, request, JaegerVersion::kV1, caller);
               }),
      route_of(api, "/jaeger/api/traces/{trace_id}", "Show a trace",
               {{"trace_id", "path", "string", "16 or 32 hexadecimal digits"}},
               [](const Api& to, const Request& request, const Caller& caller) {
                 return show_trace(to, request, JaegerVersion::kV1, caller);
               }),
      route_of(api, "/jaeger/api/dependencies", "List which services call which",
               {{"endTs", "query", "integer", "in milliseconds since 1970; now if absent"},
                {"lookback", "query", "integer", "in milliseconds; a day if absent"}},
               list_dependencies),
  };
}

std::vector<Route> v3_routes(const Api& api) {
  return {
      route_of(api, "/jaeger/api/v3/services", "List the services of Jaeger: pipelines (v3)", {},
               [](const Api& to, const Request&, const Caller& caller) {
                 return list_services(to, caller, JaegerVersion::kV3);
               }),
      route_of(api, "/jaeger/api/v3/operations", "List the names of a service's spans (v3)",
               {{"service", "query", "string", "a pipeline, or a service of OTLP"},
                {"span_kind", "query", "string", "only of this kind"}},
               [](const Api& to, const Request& request, const Caller& caller) {
                 return list_operations(to, parameter_or(request, "service"),
                                        parameter_or(request, "span_kind"), OperationList::kV3,
                                        caller);
               }),
      route_of(api, "/jaeger/api/v3/traces", "Look for traces, as OTLP (v3)",
               {{"query.service_name", "query", "string", "a pipeline, or a service of OTLP"},
                {"query.operation_name", "query", "string", "the name of a span"},
                {"query.start_time_min", "query", "string", "RFC 3339"},
                {"query.start_time_max", "query", "string", "RFC 3339"},
                {"query.duration_min", "query", "string", "of the span: 1.2s, 100ms, 500us"},
                {"query.duration_max", "query", "string", "of the span"},
                {"query.num_traces", "query", "integer", "how many at the most"}},
               [](const Api& to, const Request& request, const Caller& caller) {
                 return search(to, request, JaegerVersion::kV3, caller);
               }),
      route_of(api, "/jaeger/api/v3/traces/{trace_id}", "Show a trace, as OTLP (v3)",
               {{"trace_id", "path", "string", "16 or 32 hexadecimal digits"}},
               [](const Api& to, const Request& request, const Caller& caller) {
                 return show_trace(to, request, JaegerVersion::kV3, caller);
               }),
  };
}

}  // namespace

std::vector<Route> jaeger_routes(const Api& api) {
  auto routes = v1_routes(api);
  for (auto& route : v3_routes(api)) routes.push_back(std::move(route));
  return routes;
}

}  // namespace weir::server
