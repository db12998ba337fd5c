#include "tool/json_rpc.h"

namespace weir::tool::rpc {
namespace {

/// JSON-RPC 2.0, section 5.1: for what is the server's own.
constexpr int kServerError = -32000;

json::Object message(std::string_view method) {
  json::Object object;
  object.set("jsonrpc", "2.0");
  if (!method.empty()) object.set("method", method);
  return object;
}

json::Object answer(std::int64_t id) {
  auto object = message("");
  object.set("id", id);
  return object;
}

const json::Object* object_in(const json::Object& object, std::string_view key) {
  const auto* value = object.find(key);
  return value == nullptr ? nullptr : value->object();
}

std::string text_in(const json::Object& object, std::string_view key) {
  const auto* value = object.find(key);
  return value == nullptr || value->string() == nullptr ? "" : *value->string();
}

std::optional<std::int64_t> number_in(const json::Object& object, std::string_view key) {
  const auto* value = object.find(key);
  if (value == nullptr || value->integer() == nullptr) return {};
  return *value->integer();
}

std::unexpected<Error> wrong(std::string message) {
  return fail(ErrorCode::kInvalidInput, std::move(message));
}

Result<Message> parse_output(const json::Object& result, Message message) {
  const auto* output = object_in(result, "output");
  if (output == nullptr) return wrong("'result' needs 'output', an object");
  message.kind = Message::Kind::kOutput;
  message.output.payload.update(*output);  // of a key given twice, the last value
  message.output.usage.rows = number_in(result, "rows");
  if (const auto* lineage = result.find("lineage")) message.lineage = *lineage;
  return message;
}

Message parse_failure(const json::Object& error, Message message) {
  message.kind = Message::Kind::kFailure;
  message.failure.type = "PluginError";
  message.failure.message = text_in(error, "message");
  if (const auto* data = object_in(error, "data")) {
    if (auto type = text_in(*data, "type"); !type.empty()) message.failure.type = std::move(type);
    const auto* retryable = data->find("retryable");
    if (retryable != nullptr && retryable->boolean() != nullptr) {
      message.failure.retryable = *retryable->boolean();
    }
  }
  return message;
}

Result<Message> parse_notification(std::string_view method, const json::Object* parameters) {
  Message message;
  if (parameters == nullptr) return message;
  if (method == "log") {
    message.kind = Message::Kind::kLog;
    message.text = text_in(*parameters, "message");
    message.level = level_from(text_in(*parameters, "level"));
  } else if (method == "provider_call") {
    WEIR_TRY(message.provider_call, provider_call_from(*parameters));
    message.kind = Message::Kind::kProviderCall;
  } else if (method == "event") {
    message.own_event = own_event_from(*parameters);
    message.kind = Message::Kind::kEvent;
  }
  return message;
}

}  // namespace

std::string call_line(std::int64_t id, std::string_view tool_id, const Call& call) {
  json::Object environment;
  if (call.environment) {
    for (const auto& [name, value] : call.environment()) environment.set(name, value);
  }
  json::Object parameters;
  parameters.set("tool", tool_id);
  parameters.set("payload", call.payload);
  parameters.set("with", call.with);
  parameters.set("run_id", call.run_id);
  parameters.set("node_id", call.node_id);
  parameters.set("folder", call.folder.string());
  if (!call.idempotency_key.empty()) parameters.set("idempotency_key", call.idempotency_key);
  parameters.set("environment", std::move(environment));
  auto line = message("call");
  line.set("id", id);
  line.set("params", std::move(parameters));
  return json::to_text(line);
}

std::string cancel_line(std::int64_t id) {
  json::Object parameters;
  parameters.set("id", id);
  auto line = message("cancel");
  line.set("params", std::move(parameters));
  return json::to_text(line);
}

std::string output_line(std::int64_t id, const Output& output) {
  json::Object result;
  result.set("output", output.payload);
  if (output.usage.rows) result.set("rows", *output.usage.rows);
  if (!output.lineage.empty()) result.set("lineage", output.lineage);
  auto line = answer(id);
  line.set("result", std::move(result));
  return json::to_text(line);
}

std::string failure_line(std::int64_t id, const Failure& failure) {
  json::Object data;
  data.set("type", failure.type);
  if (failure.retryable) data.set("retryable", *failure.retryable);
  json::Object error;
  error.set("code", kServerError);
  error.set("message", failure.message);
  error.set("data", std::move(data));
  auto line = answer(id);
  line.set("error", std::move(error));
  return json::to_text(line);
}

std::string log_line(const LogLine& line) {
  json::Object parameters;
  parameters.set("level", event::to_string(line.level));
  parameters.set("message", line.message);
  auto object = message("log");
  object.set("params", std::move(parameters));
  return json::to_text(object);
}

std::string provider_call_line(const ProviderCallReport& report) {
  auto object = message("provider_call");
  object.set("params", to_object(report));
  return json::to_text(object);
}

std::string event_line(const OwnEvent& event) {
  auto object = message("event");
  object.set("params", to_object(event));
  return json::to_text(object);
}

Result<Message> parse_message(std::string_view line) {
  WEIR_TRY(const auto value, json::parse(line));
  const auto* object = value.object();
  if (object == nullptr) return wrong("a message is an object");
  Message message;
  if (object->find("method") != nullptr) {
    return parse_notification(text_in(*object, "method"), object_in(*object, "params"));
  }
  const auto id = number_in(*object, "id");
  if (!id) return wrong("an answer needs 'id', the call's");
  message.id = *id;
  if (const auto* error = object_in(*object, "error")) return parse_failure(*error, message);
  const auto* result = object_in(*object, "result");
  if (result == nullptr) return wrong("an answer needs 'result' or 'error', an object");
  return parse_output(*result, std::move(message));
}

Result<Request> parse_request(std::string_view line) {
  WEIR_TRY(auto value, json::parse(line));
  const auto* object = value.object();
  const auto* parameters = object == nullptr ? nullptr : object_in(*object, "params");
  if (parameters == nullptr) return wrong("a request needs 'params', an object");
  Request request;
  if (text_in(*object, "method") == "cancel") {
    request.cancelled = number_in(*parameters, "id").value_or(0);
    return request;
  }
  const auto id = number_in(*object, "id");
  if (text_in(*object, "method") != "call" || !id) return wrong("a request is a call with an id");
  request.id = *id;
  request.tool_id = text_in(*parameters, "tool");
  request.run_id = text_in(*parameters, "run_id");
  request.node_id = text_in(*parameters, "node_id");
  request.folder = text_in(*parameters, "folder");
  request.idempotency_key = text_in(*parameters, "idempotency_key");
  if (const auto* payload = object_in(*parameters, "payload")) request.payload = *payload;
  if (const auto* with = object_in(*parameters, "with")) request.with = *with;
  return request;
}

}  // namespace weir::tool::rpc
