#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event/redaction.h"
#include "event/redaction_find.h"
#include "event/redaction_names.h"

/// A policy made ready for use. Internal to redaction.
namespace weir::event::redaction {

class CompiledPolicy {
 public:
  /// Errors: kInvalidInput, naming the rule.
  [[nodiscard]] static Result<std::unique_ptr<const CompiledPolicy>> make(
      const RedactionPolicy& policy);

  CompiledPolicy(const CompiledPolicy&) = delete;  // the finders point to `names_`
  CompiledPolicy& operator=(const CompiledPolicy&) = delete;

  [[nodiscard]] const std::vector<RedactionRule>& rules() const { return rules_; }
  [[nodiscard]] const NameMatcher& names() const { return names_; }
  [[nodiscard]] const std::vector<PathRule>& paths() const { return paths_; }
  [[nodiscard]] bool applies(RedactionRuleIndex rule, TextKind kind) const {
    return finder(kind).applies(rule);
  }

  /// What stands in the place of `value`.
  [[nodiscard]] std::string mask(RedactionRuleIndex rule, std::string_view value) const;

  /// Masks what patterns find. False: nothing, and `out` as it was.
  bool mask_text(std::string_view text, TextKind kind, std::string& out,
                 RedactionCounts& counts) const;

 private:
  CompiledPolicy() = default;

  [[nodiscard]] Result<RedactionRuleIndex> add_rule(const std::string& name, RedactionKind kind);
  [[nodiscard]] Result<void> add_key(const RedactionKey& key);
  [[nodiscard]] Result<void> add_pattern(const RedactionPattern& pattern);
  [[nodiscard]] Result<void> add_literals(const std::vector<std::string>& literals);
  [[nodiscard]] Result<void> switch_rules(const std::vector<std::string>& names, bool enabled);
  void make_finders(const RedactionPolicy& policy);

  [[nodiscard]] const Finder& finder(TextKind kind) const {
    return finders_[static_cast<std::size_t>(kind)];
  }
  bool mask_once(std::string_view text, const Finder& built_in, std::string& out,
                 RedactionCounts& counts) const;
  bool mask_literals(std::string_view text, std::string& out, RedactionCounts& counts) const;
  bool mask_patterns(std::string_view text, const Finder& rules, std::string& out,
                     RedactionCounts& counts) const;
  template <class Find>
  bool mask_all(std::string_view text, Find find, std::string& out, RedactionCounts& counts) const;

  std::vector<RedactionRule> rules_;
  NameMatcher names_;
  std::vector<PathRule> paths_;
  std::vector<Pattern> patterns_;
  std::vector<std::string> literals_;  // the longest first
  RedactionRuleIndex literal_rule_ = 0;
  std::vector<Finder> finders_;  // one a TextKind
  std::string pseudonym_key_;
};

}  // namespace weir::event::redaction
