#include "server/openapi.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <mutex>

#include "base/file.h"
#include "base/json.h"
#include "server/schemas.h"

namespace weir::server {
namespace {

constexpr const char* kOk = "{\"status\":\"ok\"}\n";

/// Errors: kExhausted, kIo.
Result<void> try_to_write(const log::StoreDirectory& store) {
  const auto path = store.log() / "ready";  // no segment's name
  auto written = write_file_durably(path, "ready\n");
  std::error_code error;
  std::filesystem::remove(path, error);
  return written;
}

json::Object object_of(std::initializer_list<std::pair<std::string_view, json::Value>> members) {
  json::Object object;
  for (const auto& [key, value] : members) object.set(key, value);
  return object;
}

json::Object reference(std::string_view to) {
  return object_of({{"$ref", "#/components/" + std::string(to)}});
}

json::Value parameter_json(const Parameter& parameter) {
  auto schema = object_of({{"type", parameter.type == "time" ? "string" : parameter.type}});
  if (parameter.type == "integer") schema.set("minimum", std::int64_t{0});
  if (!parameter.values.empty()) {
    schema.set("enum", json::Array(parameter.values.begin(), parameter.values.end()));
  }
  const auto doc = std::string(parameter.doc) +
                   (parameter.type == "time" ? ": RFC 3339, or 2026-01-05 03:00, in UTC" : "");
  return object_of({{"name", parameter.name},
                    {"in", parameter.in},
                    {"required", parameter.in == "path"},
                    {"description", doc},
                    {"schema", std::move(schema)}});
}

/// Of a body of this media type: JSON has the named schema, everything else is text or bytes.
json::Object content_of(std::string_view type, std::string_view schema) {
  if (type.ends_with("json") && !schema.empty()) {
    return object_of({{"schema", reference("schemas/" + std::string(schema))}});
  }
  return object_of({{"schema", object_of({{"type", "string"}})}});
}

/// "get_api_v1_runs_run_id"
std::string operation_id(const Route& route) {
  std::string id(http::to_string(route.method));
  id += route.path;
  std::ranges::transform(id, id.begin(), [](unsigned char c) {
    return std::isalnum(c) != 0 ? static_cast<char>(std::tolower(c)) : '_';
  });
  id.erase(std::ranges::unique(id, [](char a, char b) { return a == '_' && b == '_'; }).begin(),
           id.end());
  if (id.ends_with('_')) id.pop_back();
  return id;
}

json::Object responses_of(const Route& route) {
  json::Object content;
  content.set(route.gives, content_of(route.gives, route.told));
  for (const auto type : route.also_gives) content.set(type, content_of(type, route.told));
  json::Object responses;
  responses.set(std::to_string(route.status),
                object_of({{"description", "done"}, {"content", std::move(content)}}));
  const auto wrong = [&](std::string_view status) {
    responses.set(status, reference(route.complain ? "responses/RpcStatus" : "responses/Problem"));
  };
  wrong("400");
  if (route.scope) {
    for (const auto* status : {"401", "403", "429"}) wrong(status);
  }
  if (route.path.find('{') != std::string_view::npos) wrong("404");
  if (!route.takes.empty()) {
    for (const auto* status : {"413", "415"}) wrong(status);
  }
  for (const auto status : route.also_fails) wrong(std::to_string(status));
  if (route.tells_what_failed) {
    json::Object told;
    told.set(route.gives, content_of(route.gives, route.told));
    told.set("application/problem+json", content_of("json", "Problem"));
    responses.set("400", object_of({{"description", "nothing of it was taken"},
                                    {"content", std::move(told)}}));
  }
  wrong("503");
  return responses;
}

json::Object operation_of(const Route& route) {
  auto operation = object_of({{"operationId", operation_id(route)}, {"summary", route.summary}});
  if (!route.parameters.empty()) {
    json::Array parameters;
    for (const auto& parameter : route.parameters) parameters.push_back(parameter_json(parameter));
    operation.set("parameters", std::move(parameters));
  }
  if (!route.takes.empty()) {
    json::Object content;
    for (const auto type : route.takes) {
      content.set(type, content_of(type, route.asked));
    }
    operation.set("requestBody", object_of({{"required", true}, {"content", std::move(content)}}));
  }
  operation.set("responses", responses_of(route));
  if (route.scope) {
    operation.set("security", json::Array{object_of({{"key", json::Array()}})});
    operation.set("x-weir-scope", to_string(*route.scope));
  } else {
    operation.set("security", json::Array());
  }
  return operation;
}

json::Object components(const Table& columns) {
  json::Object complaint, rpc_complaint;
  complaint.set("application/problem+json", content_of("json", "Problem"));
  rpc_complaint.set("application/json", content_of("json", "RpcStatus"));
  rpc_complaint.set("application/x-protobuf", content_of("", ""));
  rpc_complaint.set("application/problem+json", content_of("json", "Problem"));
  return object_of(
      {{"schemas", schemas_of(columns)},
       {"responses",
        object_of({{"Problem", object_of({{"description", "what went wrong (RFC 9457)"},
                                          {"content", std::move(complaint)}})},
                   {"RpcStatus", object_of({{"description", "what went wrong, as OTLP says it"},
                                            {"content", std::move(rpc_complaint)}})}})},
       {"securitySchemes",
        object_of({{"key", object_of({{"type", "http"},
                                      {"scheme", "bearer"},
                                      {"description", "weir key create NAME"}})}})}});
}

}  // namespace

std::string openapi(const std::vector<Route>& routes, const Table& columns) {
  json::Object paths;
  for (const auto& route : routes) {
    if (route.path.starts_with("/jaeger/")) continue;  // Jaeger's own: it describes them
    const auto* before = paths.find(route.path);
    auto path = before == nullptr ? json::Object() : *before->object();
    std::string method(http::to_string(route.method));
    std::ranges::transform(method, method.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    path.set(method, operation_of(route));
    paths.set(route.path, std::move(path));
  }
  const auto document =
      object_of({{"openapi", "3.1.0"},
                 {"info", object_of({{"title", "Weir"},
                                     {"version", "1"},
                                     {"description", "The flight recorder for pipelines"}})},
                 {"paths", std::move(paths)},
                 {"components", components(columns)}});
  return json::to_pretty_text(document) + "\n";
}

Route openapi_route(const Api& api, const std::vector<Route>& routes) {
  Route route{.method = http::verb::get,
              .path = "/api/v1/openapi.json",
              .scope = {},
              .summary = "Describe what can be asked",
              .told = "OpenApi"};
  // It is made when it is asked for: then the store is open.
  struct Description {
    std::vector<Route> routes{};
    std::mutex mutex{};
    std::string text{};  // guarded by mutex
  };
  const auto description = std::make_shared<Description>();
  description->routes = routes;
  description->routes.push_back(route);
  route.answer = [&api, description](Request&, const Caller&) -> asio::awaitable<Response> {
    std::function<Response()> work = [&api, description] {
      const std::lock_guard lock(description->mutex);
      if (description->text.empty()) {
        constexpr std::uint64_t kMostColumns = 10'000;
        const auto columns = ask_store(api, {}, columns_sql(), kMostColumns);
        if (!columns) return problem(columns.error());
        description->text = openapi(description->routes, *columns);
      }
      return Response::json(description->text);
    };
    co_return co_await on_workers(api.workers, std::move(work));
  };
  return route;
}

std::vector<Route> health_routes(const Api& api) {
  const auto ok = [](Request&, const Caller&) -> asio::awaitable<Response> {
    co_return Response::json(kOk);
  };
  return {{.method = http::verb::get,
           .path = "/healthz",
           .scope = {},
           .summary = "Tell whether the server lives",
           .told = "Health",
           .answer = ok},
          {.method = http::verb::get,
           .path = "/readyz",
           .scope = {},
           .summary = "Tell whether it takes requests, and can write",
           .told = "Health",
           .answer = [&api](Request&, const Caller&) -> asio::awaitable<Response> {
             if (api.stop.stop_requested()) co_return problem(503, "the server stops");
             if (!api.inbox.statistics().is_failing) co_return Response::json(kOk);
             // Who is not ready gets nothing to take, and would never find out that it can.
             std::function<Response()> work = [&api] {
               const auto written = try_to_write(api.store);
               return written ? Response::json(kOk) : problem(503, written.error().message);
             };
             co_return co_await on_workers(api.workers, std::move(work));
           }}};
}

}  // namespace weir::server
