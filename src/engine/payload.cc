#include "engine/payload.h"

namespace weir::engine {

OutputPointer keep_output(json::Object output) {
  static const json::Object empty;
  if (output.empty()) return {OutputPointer(), &empty};
  return std::make_shared<const json::Object>(std::move(output));
}

bool may_stand_in_event(std::string_view output, const event::Redactor& redactor) {
  if (output.size() > kMaxInlineOutput) return false;
  if (output == "{}") return true;  // of many nodes; the search costs as much as the rest
  std::string masked;
  event::RedactionCounts counts;
  return !redactor.redact_json(output, event::TextKind::kNodeOutput, masked, counts);
}

const event::Redactor& default_redactor() {
  static const auto redactor = event::Redactor::make({});
  WEIR_CHECK(redactor);
  return *redactor;
}

}  // namespace weir::engine
