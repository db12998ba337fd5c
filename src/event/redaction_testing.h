#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "base/json.h"
#include "event/redaction.h"

/// For the tests of redaction: what is left of a text.
namespace weir::event::testing_support {

inline Redactor redactor(const RedactionPolicy& policy = {}) {
  auto made = Redactor::make(policy);
  WEIR_CHECK(made.has_value());
  return *std::move(made);
}

inline std::string text_after(const Redactor& redactor, std::string_view text,
                              TextKind kind = TextKind::kMessage) {
  RedactionCounts counts;
  std::string out = "untouched";
  if (redactor.redact_text(text, kind, out, counts)) return out;
  EXPECT_EQ(out, "untouched");
  EXPECT_EQ(counts.total(), 0U);
  return std::string(text);
}

inline std::string json_after(const Redactor& redactor, std::string_view json,
                              TextKind kind = TextKind::kMessage) {
  RedactionCounts counts;
  std::string out = "untouched";
  if (!redactor.redact_json(json, kind, out, counts)) return std::string(json);
  EXPECT_TRUE(json::parse(out)) << out;
  return out;
}

inline std::string repeat(std::string_view text, std::size_t times) {
  std::string result;
  for (std::size_t i = 0; i < times; ++i) result += text;
  return result;
}

}  // namespace weir::event::testing_support
