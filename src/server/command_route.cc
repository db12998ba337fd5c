#include "server/command_route.h"

#include <algorithm>
#include <boost/beast/core/string.hpp>

#include "base/json.h"
#include "base/text.h"
#include "ingest/foreign_event.h"
#include "record/w3c.h"
#include "server/page.h"

/// What commands are given of a request.
namespace weir::server {

Result<json::Object> body_of(const Request& request,
                             std::initializer_list<std::string_view> members) {
  if (request.body.empty()) return json::Object();
  WEIR_TRY(auto value, json::parse(request.body));
  if (value.object() == nullptr) return fail(ErrorCode::kInvalidInput, "a JSON object is expected");
  for (const auto& member : *value.object()) {
    if (std::ranges::find(members, member.key) != members.end()) continue;
    const std::vector<std::string> known(members.begin(), members.end());
    return fail(ErrorCode::kInvalidInput, "'" + member.key + "' is not expected" +
                                              (known.empty() ? "" : ": " + text::join(known)));
  }
  return std::move(*value.object());
}

record::Variables trace_of(const Request& request) {
  std::vector<record::Header> headers;
  for (const auto& field : request.headers) {
    for (const std::string_view name : {"traceparent", "tracestate", "baggage"}) {
      if (boost::beast::iequals(std::string_view(field.name_string()), name)) {
        headers.push_back({name, std::string_view(field.value())});
      }
    }
  }
  auto variables = record::to_environment(record::from_headers(headers));
  // A trace that begins here has no span above it.
  const auto parents = std::ranges::count(headers, "traceparent", &record::Header::name);
  const auto parent = std::ranges::find(headers, "traceparent", &record::Header::name);
  if (parents != 1 || !record::Traceparent::parse(parent->value)) {
    for (const auto* name : {"TRACEPARENT", "TRACESTATE"}) variables[name].clear();
  }
  std::erase_if(variables,
                [](const auto& variable) { return variable.first.starts_with("WEIR_"); });
  return variables;
}

std::string format_of(const Request& request) {
  const auto* format = request.parameter("format");
  return format == nullptr ? "json" : *format;
}

std::string_view type_of(std::string_view format) {
  if (format == "html") return "text/html; charset=utf-8";
  if (format == "md") return "text/markdown; charset=utf-8";
  return format == "json" ? "application/json" : "text/plain; charset=utf-8";
}

namespace {

/// "--NAME=VALUE" if the body has it. Errors: kInvalidInput of another type.
Result<void> add_text(const json::Object& body, std::string_view member, std::string_view option,
                      std::vector<std::string>& words) {
  const auto* value = body.find(member);
  if (value == nullptr || value->is_null()) return {};
  if (value->string() == nullptr) {
    return fail(ErrorCode::kInvalidInput, "'" + std::string(member) + "': a text is expected");
  }
  if (value->string()->empty()) return {};  // an option would take the next word for its value
  words.push_back(std::string(option) + "=" + *value->string());
  return {};
}

Result<void> add_object(const json::Object& body, std::string_view member, std::string_view option,
                        std::vector<std::string>& words) {
  const auto* value = body.find(member);
  if (value == nullptr || value->is_null()) return {};
  if (value->object() == nullptr) {
    return fail(ErrorCode::kInvalidInput, "'" + std::string(member) + "': an object is expected");
  }
  words.push_back(std::string(option) + "=" + json::to_text(*value));
  return {};
}

/// Those of the query that have a value, as options of their names.
void add_query(const Request& request, std::initializer_list<std::string_view> names,
               std::vector<std::string>& words) {
  for (const auto name : names) {
    const auto* value = request.parameter(name);
    if (value != nullptr && !value->empty())
      words.push_back("--" + std::string(name) + "=" + *value);
  }
}

Result<CommandHost::Given> signal_words(const Api& api, const Request& request,
                                        const Caller& caller) {
  WEIR_TRY(check_run(api, caller, request.segments[0]));
  WEIR_TRY(const auto body,
           body_of(request, {"type", "node_id", "reason", "signal_id", "payload", "wait_seconds"}));
  const auto* type = body.find("type");
  if (type == nullptr || type->string() == nullptr) {
    return fail(ErrorCode::kInvalidInput, "'type' is missing: a signal's, as \"pause\"");
  }
  std::vector<std::string> words = {"signal", "--json"};
  WEIR_TRY(add_text(body, "reason", "--reason", words));
  WEIR_TRY(add_text(body, "signal_id", "--id", words));
  WEIR_TRY(add_object(body, "payload", "--payload", words));
  const auto key = request.header("Idempotency-Key");
  if (body.find("signal_id") == nullptr && !key.empty())
    words.push_back("--id=" + std::string(key));
  std::vector<std::string> ours;
  if (const auto* wait = body.find("wait_seconds")) {
    if (wait->integer() == nullptr || *wait->integer() < 0 || *wait->integer() > 60) {
      return fail(ErrorCode::kInvalidInput, "'wait_seconds': a number from 0 to 60 is expected");
    }
    ours.push_back("--wait=" + std::to_string(*wait->integer()));
  }
  words.insert(words.end(), {"--", request.segments[0], *type->string()});
  if (const auto* node = body.find("node_id"); node != nullptr && !node->is_null()) {
    if (node->string() == nullptr)
      return fail(ErrorCode::kInvalidInput, "'node_id': a text is expected");
    words.push_back(*node->string());
  }
  return CommandHost::Given{.words = std::move(words), .ours = std::move(ours)};
}

/// The same for whoever asks again with the same key: one of version 8, whose bits are ours.
RunId run_id_of(std::string_view pipeline, std::string_view key, const Caller& caller) {
  return ingest::foreign_run_id(
      "run", json::to_text(json::Array{caller.tenant_id, std::string(pipeline), std::string(key)}));
}

Result<CommandHost::Given> run_words(const Api&, const Request& request, const Caller& caller) {
  WEIR_TRY(const auto body, body_of(request, {"input", "params", "execution_mode"}));
  std::vector<std::string> words = {"run", "--input=-"};
  WEIR_TRY(add_text(body, "execution_mode", "--mode", words));
  std::string input = "{}";
  if (const auto* given = body.find("input"); given != nullptr && !given->is_null()) {
    if (given->object() == nullptr)
      return fail(ErrorCode::kInvalidInput, "'input': an object is expected");
    input = json::to_text(*given);
  }
  if (const auto* params = body.find("params"); params != nullptr && !params->is_null()) {
    if (params->object() == nullptr)
      return fail(ErrorCode::kInvalidInput, "'params': an object is expected");
    for (const auto& [name, value, position] : *params->object()) {
      static_cast<void>(position);
      if (name.contains('=') || name.starts_with('@'))
        return fail(ErrorCode::kInvalidInput, "'" + name + "': no parameter is named so");
      words.push_back("--set=" + name + "=" + json::to_text(value));
    }
  }
  const auto key = request.header("Idempotency-Key");
  words.insert(words.end(), {"--", request.segments[0]});
  return CommandHost::Given{
      .words = std::move(words),
      .begins = key.empty() ? std::string() : run_id_of(request.segments[0], key, caller).text(),
      .input = std::move(input)};
}

std::string run_answer(const std::string& printed) {
  json::Object answer;
  answer.set("run_id", printed.substr(0, printed.find('\n')));
  return json::to_text(answer) + "\n";
}

/// Of a run of a million nodes, those that somebody can look at.
Result<CommandHost::Given> state_words(const Api& api, const Request& request,
                                       const Caller& caller) {
  WEIR_TRY(const auto page, page_of_request(request));
  WEIR_TRY(check_run(api, caller, request.segments[0]));
  std::vector<std::string> words = {"show", "--json", "--nodes=" + std::to_string(page.limit)};
  if (const auto* step = request.parameter("from_step")) words.push_back("--from-step=" + *step);
  words.insert(words.end(), {"--", request.segments[0]});
  return CommandHost::Given{.words = std::move(words)};
}

/// Those that do something.
std::vector<CommandRoute> doing_commands() {
  const Parameter run{"run_id", "path", "string", "of the run"};
  const Parameter key{"Idempotency-Key", "header", "string",
                      "asked twice with the same one, it is done once"};
  const Parameter trace{"traceparent", "header", "string",
                        "W3C Trace Context: the trace in which it is done"};
  return {{.method = http::verb::post,
           .path = "/api/v1/pipelines/{pipeline_id}/runs",
           .summary = "Run a pipeline of the registry: {input, params, execution_mode}",
           .parameters = {{"pipeline_id", "path", "string", "of the registry"}, key, trace},
           .status = 202,
           .asked = "RunAsked",
           .told = "RunBegun",
           .not_found = "the registry has no pipeline",
           .words = run_words,
           .body = run_answer},
          {.method = http::verb::post,
           .path = "/api/v1/runs/{run_id}/signals",
           .summary = "Ask something of a run: {type, node_id, reason, signal_id, payload, "
                      "wait_seconds}",
           .parameters = {run, key, trace},
           .failed = 409,
           .asked = "SignalAsked",
           .told = "SignalVerdict",
           .words = signal_words},
          {.method = http::verb::post,
           .path = "/api/v1/runs/{run_id}/resume",
           .summary = "Go on with a run whose process was lost",
           .parameters = {run, trace},
           .status = 202,
           .failed = 409,
           .asked = "ResumeAsked",
           .told = "RunBegun",
           .words = [](const Api& api, const Request& request,
                       const Caller& caller) -> Result<CommandHost::Given> {
             WEIR_TRY(check_run(api, caller, request.segments[0]));
             WEIR_TRY(body_of(request, {}));
             return CommandHost::Given{.words = {"resume", "--", request.segments[0]}};
           },
           .body = run_answer}};
}

/// Those that read much.
std::vector<CommandRoute> reading_commands() {
  const Parameter run{"run_id", "path", "string", "of the run"};
  const Parameter format{
      "format", "query", "string", "json if it is absent", {"json", "text", "html"}};
  return {
      {.method = http::verb::get,
       .path = "/api/v1/runs/{run_id}/state",
       .summary = "Show a run as its events tell, its nodes and what was asked of it",
       .parameters = {run,
                      {"limit", "query", "integer", "how many nodes at the most: 100, up to 1000"},
                      {"from_step", "query", "integer", "only nodes from this step_index on"}},
       .told = "RunState",
       .words = state_words},
      {.method = http::verb::get,
       .path = "/api/v1/runs/{run_id}/compare/{other}",
       .summary = "Compare two runs",
       .parameters = {run, {"other", "path", "string", "the other run"}, format},
       .has_two_answers = true,
       .told = "Comparison",
       .also_gives = {"text/plain", "text/html"},
       .words = [](const Api& api, const Request& request,
                   const Caller& caller) -> Result<CommandHost::Given> {
         for (const auto& id : request.segments) WEIR_TRY(check_run(api, caller, id));
         return CommandHost::Given{.words = {"compare", "--format=" + format_of(request), "--",
                                             request.segments[0], request.segments[1]}};
       }},
      {.method = http::verb::get,
       .path = "/api/v1/reports/{kind}",
       .summary = "Report: summary, daily, agents, errors or metrics",
       .parameters =
           {{"kind", "path", "string", "of the report"},
            {"day", "query", "string", "of daily: YYYY-MM-DD"},
            {"since", "query", "string", "runs begun then or later: 7d, 2026-01-05"},
            {"until", "query", "string", "runs begun before then"},
            {"pipeline", "query", "string", "only this pipeline"},
            {"limit", "query", "integer", "of errors"},
            {"format", "query", "string", "json if it is absent", {"json", "text", "md", "html"}}},
       .told = "Report",
       .also_gives = {"text/plain", "text/markdown", "text/html"},
       .words = [](const Api&, const Request& request,
                   const Caller&) -> Result<CommandHost::Given> {
         std::vector<std::string> words = {"report", "--format=" + format_of(request)};
         add_query(request, {"since", "until", "pipeline", "limit"}, words);
         words.insert(words.end(), {"--", request.segments[0]});
         if (const auto* day = request.parameter("day")) words.push_back(*day);
         return CommandHost::Given{.words = std::move(words)};
       }},
      {.method = http::verb::get,
       .path = "/api/v1/status",
       .summary = "Say what runs now, how far it is, and what waits for a person",
       .told = "Status",
       .words = [](const Api&, const Request&, const Caller&) -> Result<CommandHost::Given> {
         return CommandHost::Given{.words = {"status", "--json"}};
       }},
  };
}

}  // namespace

std::vector<CommandRoute> command_table() {
  auto all = doing_commands();
  for (auto& command : reading_commands()) all.push_back(std::move(command));
  return all;
}

}  // namespace weir::server
