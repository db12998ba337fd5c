#include "base/json.h"
#include "tool/supervisor.h"

namespace weir::tool {
namespace {

std::optional<std::int64_t> number(const json::Object& object, std::string_view key) {
  const auto* value = object.find(key);
  if (value == nullptr || value->integer() == nullptr) return {};
  return *value->integer();
}

std::string word(const json::Object& object, std::string_view key) {
  const auto* value = object.find(key);
  return value == nullptr || value->string() == nullptr ? "" : *value->string();
}

std::optional<int> to_int(const std::optional<std::int64_t>& value) {
  if (!value) return {};
  return static_cast<int>(*value);
}

}  // namespace

std::string to_json(const Report& report) {
  json::Object object;
  const auto set = [&](std::string_view key, const auto& value) {
    if (value) object.set(key, *value);
  };
  object.set("started", report.started);
  if (!report.violation.empty()) object.set("violation", report.violation);
  if (!report.message.empty()) object.set("message", report.message);
  set("exit_code", report.exit_code);
  set("signal", report.signal);
  set("cpu_ms", report.usage.cpu_ms);
  set("memory_bytes", report.usage.memory_bytes);
  set("read_bytes", report.usage.read_bytes);
  set("written_bytes", report.usage.written_bytes);
  if (!report.refused_files.empty()) {
    object.set("refused_files",
               json::Array(report.refused_files.begin(), report.refused_files.end()));
  }
  return json::to_text(object);
}

Result<Report> report_from_json(std::string_view text) {
  WEIR_TRY(const auto value, json::parse(text));
  const auto* object = value.object();
  if (object == nullptr) return fail(ErrorCode::kInvalidInput, "a report is an object");
  const auto* started = object->find("started");
  const auto* cpu = object->find("cpu_ms");
  Report report{
      .violation = word(*object, "violation"),
      .message = word(*object, "message"),
      .started = started != nullptr && started->boolean() != nullptr && *started->boolean(),
      .exit_code = to_int(number(*object, "exit_code")),
      .signal = to_int(number(*object, "signal"))};
  if (cpu != nullptr) {
    if (const auto* real = std::get_if<double>(&cpu->variant())) report.usage.cpu_ms = *real;
  }
  report.usage.memory_bytes = number(*object, "memory_bytes");
  report.usage.read_bytes = number(*object, "read_bytes");
  report.usage.written_bytes = number(*object, "written_bytes");
  const auto* refused = object->find("refused_files");
  if (refused == nullptr || refused->array() == nullptr) return report;
  for (const auto& file : *refused->array()) {
    if (file.string() != nullptr) report.refused_files.push_back(*file.string());
  }
  return report;
}

}  // namespace weir::tool
