#pragma once

#include <array>
#include <bitset>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "event/redaction_names.h"
#include "event/redaction_rules.h"
#include "event/redaction_scan.h"

/// From a text to what must be masked in it. Internal to redaction.
namespace weir::event::redaction {

/// A policy's pattern.
struct Pattern {
  std::string prefix;
  std::bitset<256> alphabet;
  std::size_t min_length = 0;
  std::size_t max_length = 0;
  RedactionRuleIndex rule = 0;
};

/// The pattern's first match in `text`. Linear: a run of the alphabet is read once for each prefix
/// in it, of max_length + 1 characters at most.
[[nodiscard]] std::optional<Match> find_pattern(std::string_view text, const Pattern& pattern);

/// The rules that apply in a text of one kind.
using RuleSet = std::bitset<256>;

/// Finds what the built-in rules mask. Immutable; `names` must outlive it.
class Finder {
 public:
  Finder(RuleSet rules, const NameMatcher& names);

  /// Something to mask in `text`, before which there is nothing: to mask all, it is called again
  /// with what follows the match as a text of its own.
  [[nodiscard]] std::optional<Match> find(std::string_view text) const;

  [[nodiscard]] bool applies(RedactionRuleIndex rule) const { return rules_.test(rule); }

 private:
  [[nodiscard]] std::optional<Match> find_in_block(std::string_view text, std::size_t offset,
                                                   const Triggers& triggers, std::uint64_t left,
                                                   std::size_t& masked_end) const;
  [[nodiscard]] bool is_clean_sign(std::string_view text, std::size_t at) const;
  [[nodiscard]] std::optional<Match> match_letter(std::string_view text, std::size_t at,
                                                  const Triggers& triggers,
                                                  std::uint64_t bit) const;
  [[nodiscard]] std::optional<Match> match_sign(std::string_view text, std::size_t at) const;
  [[nodiscard]] std::optional<Match> match_at(std::string_view text, std::size_t at) const;
  [[nodiscard]] std::optional<Match> match_dashes(std::string_view text, std::size_t at) const;

  [[nodiscard]] bool on(BuiltIn rule) const { return rules_.test(index_of(rule)); }
  [[nodiscard]] std::optional<Match> if_on(std::optional<Match> match) const {
    return match && rules_.test(match->rule) ? match : std::nullopt;
  }

  RuleSet rules_;
  Triggers wanted_;
  const NameMatcher* names_;
};

}  // namespace weir::event::redaction
