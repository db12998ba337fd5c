// Expressions: whatever is read is evaluated to true, false or an error, always the same; its
// references read back from their texts; and so does every text with references in it.

#include "base/result.h"
#include "pipeline/expression.h"

namespace weir::pipeline {
namespace {

void check_reference(const Reference& reference) {
  const auto again = parse_reference(to_string(reference));
  WEIR_CHECK(again && again->reference == reference);
}

void check_expression(std::string_view text, const Scope& scope) {
  const auto expression = Expression::parse(text);
  if (!expression) {
    WEIR_CHECK(expression.error().message.starts_with("character "));
    return;
  }
  for (const auto& reference : expression->references()) check_reference(reference);
  WEIR_CHECK(expression->evaluate(scope) == expression->evaluate(scope));
  // In parentheses it means the same, and its negation the opposite, as far as they are not too
  // long or deep.
  const auto negated = Expression::parse("not (" + std::string(text) + ")");
  if (!negated) return;
  const auto value = expression->evaluate(scope), opposite = negated->evaluate(scope);
  WEIR_CHECK(value.has_value() == opposite.has_value());
  WEIR_CHECK(!value || *value != *opposite);
}

void check_text(std::string_view text, const Scope& scope) {
  const auto pieces = parse_text(text);
  const auto resolved = resolve(json::Value(text), scope);
  if (!pieces) {
    WEIR_CHECK(!resolved);
    return;
  }
  bool has_references = false;
  for (const auto& piece : *pieces) {
    if (const auto* reference = std::get_if<Reference>(&piece)) {
      has_references = true;
      check_reference(*reference);
    }
  }
  WEIR_CHECK(resolved || has_references);
}

void check(std::string_view input) {
  static const auto kValues =
      *json::parse(R"({"a": 1, "b": {"k": [true, "x"]}, "c": "text", "d": 0.5, "e": null})");
  const Scope scope{.params = kValues.object(),
                    .input = kValues.object(),
                    .item = &kValues,
                    .node_output = [](std::string_view) { return kValues.object(); },
                    .secret = [](const std::string& name) { return std::optional(name); }};
  check_expression(input, scope);
  check_text(input, scope);
}

}  // namespace
}  // namespace weir::pipeline

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  weir::pipeline::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
