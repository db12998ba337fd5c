#include "tool/payload.h"

#include "base/utf8.h"
#include "tool/lineage.h"

namespace weir::tool {

std::unexpected<Failure> fail_with(std::string type, std::string message) {
  return std::unexpected(Failure{
      .type = std::move(type), .message = std::move(message), .exit_code = {}, .usage = {}});
}

std::unexpected<Failure> fail_for_limit(std::string_view type, std::string message) {
  auto failed = fail_with(std::string(type), std::move(message));
  failed.error().category = kSandbox;
  return failed;
}

std::expected<json::Object, Failure> read_payload(std::string_view printed) {
  if (const auto invalid = utf8::first_invalid(printed)) {
    return fail_with("OutputNotUtf8",
                     "its output is not UTF-8 at byte " + std::to_string(*invalid));
  }
  json::Object payload;
  if (printed.find_first_not_of(" \t\r\n") == std::string_view::npos) return payload;
  const auto value = json::parse(printed);
  if (!value) return fail_with("OutputNotJson", "its output, " + value.error().message);
  if (value->object() == nullptr) {
    return fail_with("OutputNotJson",
                     "its output is " + std::string(value->kind()) + ", not a JSON object");
  }
  payload.update(*value->object());
  return payload;
}

std::expected<Output, Failure> read_output(std::string_view printed, const Usage& usage,
                                           const Call& call) {
  auto payload = read_payload(printed);
  if (!payload) return std::unexpected(std::move(payload).error());
  Output output{.payload = {}, .usage = usage};
  const auto* said = payload->find(kLineageMember);
  if (said == nullptr) {
    output.payload = *std::move(payload);
    return output;
  }
  for (const auto& member : *payload) {
    if (member.key != kLineageMember) output.payload.append(member);
  }
  take_lineage(*said, call, output);
  return output;
}

}  // namespace weir::tool
