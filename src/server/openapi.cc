#include "server/openapi.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "base/json.h"
#include "ingest/rejections.h"

namespace weir::server {
namespace {

json::Object object_of(std::initializer_list<std::pair<std::string_view, json::Value>> members) {
  json::Object object;
  for (const auto& [key, value] : members) object.set(key, value);
  return object;
}

json::Object reference(std::string_view to) {
  return object_of({{"$ref", "#/components/" + std::string(to)}});
}

json::Value parameter_json(const Parameter& parameter) {
  return object_of({{"name", parameter.name},
                    {"in", parameter.in},
                    {"required", parameter.in == "path"},
                    {"description", parameter.doc},
                    {"schema", object_of({{"type", parameter.type}})}});
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
  content.set(route.gives,
              object_of({{"schema", route.schema.empty()
                                        ? json::Object()
                                        : reference("schemas/" + std::string(route.schema))}}));
  json::Object responses;
  responses.set(std::to_string(route.status),
                object_of({{"description", "done"}, {"content", std::move(content)}}));
  const auto wrong = [&](std::string_view status) {
    responses.set(status, reference("responses/Problem"));
  };
  if (!route.parameters.empty() || !route.takes.empty()) wrong("400");
  if (route.scope) {
    for (const auto* status : {"401", "403", "429"}) wrong(status);
  }
  if (route.path.find('{') != std::string_view::npos) wrong("404");
  if (!route.takes.empty()) {
    for (const auto* status : {"413", "415"}) wrong(status);
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
      content.set(type, object_of({{"schema", json::Object()}}));
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

json::Object type_of(std::string_view name) { return object_of({{"type", name}}); }

json::Object list_of(const json::Object& items) {
  return object_of({{"type", "array"}, {"items", items}});
}

json::Object members_of(std::initializer_list<std::pair<std::string_view, json::Value>> members) {
  json::Array required;
  for (const auto& [key, value] : members) required.emplace_back(key);
  return object_of(
      {{"type", "object"}, {"required", std::move(required)}, {"properties", object_of(members)}});
}

/// What became of events that were sent: some of the rejected with their reasons, and where all of
/// them stand, by pairs of the first and the last of those that follow each other.
json::Object schemas_of_taken() {
  const auto count = type_of("integer");
  const auto text = type_of("string");
  auto pair = list_of(count);
  pair.set("minItems", std::int64_t{2});
  pair.set("maxItems", std::int64_t{2});
  const auto places = list_of(pair);
  auto errors = list_of(members_of({{"index", count}, {"reason", text}}));
  errors.set("maxItems", static_cast<std::int64_t>(ingest::Rejections::kMaxNamed));
  auto failed =
      list_of(members_of({{"index", count}, {"reason", text}, {"retriable", type_of("boolean")}}));
  failed.set("maxItems", static_cast<std::int64_t>(ingest::Rejections::kMaxNamed));
  const auto summary = members_of({{"received", count},
                                   {"successful", count},
                                   {"failed", count},
                                   {"retriable", count},
                                   {"non_retriable", count}});
  return object_of({{"EventsTaken", members_of({{"stored", count},
                                                {"duplicates", count},
                                                {"rejected", count},
                                                {"errors", errors},
                                                {"rejected_indices", places}})},
                    {"LineageTaken", members_of({{"status", text},
                                                 {"summary", summary},
                                                 {"failed_events", failed},
                                                 {"rejected_indices", places}})}});
}

json::Object components() {
  const auto text = type_of("string");
  json::Object members;
  for (const auto* name : {"type", "title", "detail"}) members.set(name, text);
  members.set("status", type_of("integer"));
  auto schemas = schemas_of_taken();
  schemas.set("Problem", object_of({{"type", "object"}, {"properties", std::move(members)}}));
  json::Object content;
  content.set("application/problem+json", object_of({{"schema", reference("schemas/Problem")}}));
  return object_of(
      {{"schemas", std::move(schemas)},
       {"responses",
        object_of({{"Problem", object_of({{"description", "what went wrong (RFC 9457)"},
                                          {"content", std::move(content)}})}})},
       {"securitySchemes",
        object_of({{"key", object_of({{"type", "http"},
                                      {"scheme", "bearer"},
                                      {"description", "weir key create NAME"}})}})}});
}

}  // namespace

std::string openapi(const std::vector<Route>& routes) {
  json::Object paths;
  for (const auto& route : routes) {
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
                 {"components", components()}});
  return json::to_pretty_text(document) + "\n";
}

Route openapi_route(const std::vector<Route>& routes) {
  Route route{.method = http::verb::get,
              .path = "/api/v1/openapi.json",
              .scope = {},
              .summary = "Describe what can be asked"};
  auto all = routes;
  all.push_back(route);
  const auto text = std::make_shared<const std::string>(openapi(all));
  route.answer = [text](Request&, const Caller&) -> asio::awaitable<Response> {
    co_return Response::json(*text);
  };
  return route;
}

std::vector<Route> health_routes(const Api& api) {
  const auto ok = [](Request&, const Caller&) -> asio::awaitable<Response> {
    co_return Response::json("{\"status\":\"ok\"}\n");
  };
  return {{.method = http::verb::get,
           .path = "/healthz",
           .scope = {},
           .summary = "Tell whether the server lives",
           .answer = ok},
          {.method = http::verb::get,
           .path = "/readyz",
           .scope = {},
           .summary = "Tell whether it takes requests",
           .answer = [&api](Request&, const Caller&) -> asio::awaitable<Response> {
             if (api.stop.stop_requested()) co_return problem(503, "the server stops");
             co_return Response::json("{\"status\":\"ok\"}\n");
           }}};
}

}  // namespace weir::server
