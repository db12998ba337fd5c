#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "event/decoder.h"

namespace weir::project {

/// How often each rule of the redaction was applied, as events say it: the sum of their
/// `attributes.redacted`.
class RedactionCounts {
 public:
  using ByRule = std::map<std::string, std::uint64_t, std::less<>>;

  /// More are not counted: a policy has fewer, but attributes can be anybody's.
  static constexpr std::size_t kMaxRules = 256;

  void apply(const event::EventView& event);

  [[nodiscard]] const ByRule& by_rule() const { return by_rule_; }

 private:
  ByRule by_rule_;
};

}  // namespace weir::project
