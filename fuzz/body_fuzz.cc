// Bodies of requests that are questions, runs and signals: what is taken is what it says, within
// the limits, and the rest is refused by its name.

#include <chrono>

#include "base/json.h"
#include "fuzz/input.h"
#include "server/command_route.h"
#include "server/sql_question.h"

namespace weir::server {
namespace {

constexpr std::uint64_t kMostRows = 1'000'000;

void check_question(std::string_view body) {
  const auto question = parse_question(body);
  if (!question) {
    WEIR_CHECK(question.error().code == ErrorCode::kInvalidInput);
    return WEIR_CHECK(!question.error().message.empty());
  }
  const auto value = json::parse(body);
  WEIR_CHECK(value && value->object() != nullptr);
  WEIR_CHECK(!question->sql.empty() && question->tenant_id.empty());
  WEIR_CHECK(question->max_rows > 0 && question->max_rows <= kMostRows);
  WEIR_CHECK(question->timeout.count() > 0 && question->timeout <= std::chrono::minutes(5));
}

void check_members(std::string_view body) {
  Request request;
  request.body = body;
  const auto object = body_of(request, {"type", "node_id", "payload"});
  if (!object) return WEIR_CHECK(object.error().code == ErrorCode::kInvalidInput);
  for (const auto& member : *object) {
    WEIR_CHECK(member.key == "type" || member.key == "node_id" || member.key == "payload");
  }
}

}  // namespace
}  // namespace weir::server

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  weir::server::check_question(body);
  weir::server::check_members(body);
  return 0;
}
