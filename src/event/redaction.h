#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

/// Redaction: what a text must not say is taken out of it before anything is written.
namespace weir::event {

namespace redaction {
class CompiledPolicy;
}

enum class RedactionKind : std::uint8_t { kSecret, kPersonal };

/// Where a text stands. Secrets are masked everywhere, personal data where the policy says.
enum class TextKind : std::uint8_t { kField, kNodeInput, kNodeOutput, kMessage };
inline constexpr std::size_t kTextKindCount = 4;

/// The place of a rule in `Redactor::rules()`.
using RedactionRuleIndex = std::uint8_t;

/// A user's rule: the whole value of a key is masked.
///
/// `key` is a word, which is met by every key that ends in it whatever the case and the separators
/// ("api_key": "x-api-key", "stripeApiKey", "API KEY"; a word under five letters must begin where a
/// word of the key does), or a path of such words with dots ("customer.address.*", where * is any
/// key), which is met where the last keys of a JSON path meet its words, each one whole.
struct RedactionKey {
  std::string name;
  std::string key;
  RedactionKind kind = RedactionKind::kSecret;
};

/// A user's rule: `prefix`, then `min_length` to `max_length` characters of `alphabet`, which is
/// written as in a regular expression's brackets ("A-Za-z0-9_-"). No letter or digit stands before
/// it, and no more of the alphabet after it.
struct RedactionPattern {
  std::string name;
  std::string prefix;
  std::string alphabet;
  std::size_t min_length = 1;
  std::size_t max_length = 256;
  RedactionKind kind = RedactionKind::kSecret;
};

struct RedactionPolicy {
  /// Built-in rules by name: `enable` those that are off (ip_address), `disable` others.
  std::vector<std::string> enable;
  std::vector<std::string> disable;
  /// Where personal data is masked.
  std::vector<TextKind> personal_in = {TextKind::kNodeInput, TextKind::kNodeOutput,
                                       TextKind::kMessage};
  std::vector<RedactionKey> keys;
  std::vector<RedactionPattern> patterns;
  /// Secrets of which the value itself is known: each is masked wherever it occurs, as
  /// "secret_value". At least kMinLiteral bytes long.
  std::vector<std::string> literals{};
  /// Empty: "[REDACTED:rule]". Otherwise "[rule:h]", h being the first 16 hexadecimal digits of
  /// HMAC-SHA-256(pseudonym_key, value): equal values stay equal, so that they can be joined.
  std::string pseudonym_key;
};

/// Names are [a-z][a-z0-9_]*, at most kMaxRuleName long: they stand in masks.
struct RedactionRule {
  std::string name;
  RedactionKind kind = RedactionKind::kSecret;
  bool enabled = true;
};

/// How often each rule was applied. Allocates with the first one.
class RedactionCounts {
 public:
  void add(RedactionRuleIndex rule, std::uint64_t times = 1);
  void add(const RedactionCounts& other);
  [[nodiscard]] std::uint64_t of(RedactionRuleIndex rule) const {
    return rule < by_rule_.size() ? by_rule_[rule] : 0;
  }
  [[nodiscard]] std::uint64_t total() const;
  void clear() { by_rule_.clear(); }

 private:
  std::vector<std::uint64_t> by_rule_;
};

/// Masks secrets and personal data in texts, JSON and values with a key.
///
/// Threads  Immutable: every function may be called from any number of threads at once.
/// Time     Linear in the text, whatever it is. The functions that find nothing do not allocate.
/// Result   True and `out` replaced, or false and `out` as it was: the text is clean. What is
///          masked is clean: a second time changes nothing, of all texts that were tried
///          (kMaxPasses in redaction_policy.cc).
class Redactor {
 public:
  static constexpr std::size_t kMaxRuleName = 48;
  /// The limits of a policy: each rule of a user costs a search in every text.
  static constexpr std::size_t kMaxKeys = 128;
  static constexpr std::size_t kMaxPatterns = 64;
  static constexpr std::size_t kMaxPatternLength = 4096;
  /// A shorter literal is a word that stands everywhere.
  static constexpr std::size_t kMinLiteral = 6;
  static constexpr std::size_t kMaxLiterals = 256;

  /// Errors: kInvalidInput, naming the rule.
  [[nodiscard]] static Result<Redactor> make(const RedactionPolicy& policy);

  Redactor(Redactor&&) noexcept;
  Redactor& operator=(Redactor&&) noexcept;
  ~Redactor();

  bool redact_text(std::string_view text, TextKind kind, std::string& out,
                   RedactionCounts& counts) const;

  /// `json` is one JSON value; `out` is one too, with the same whitespace. Masked are patterns in
  /// its strings, and the values of keys that say that they are secret: strings, numbers, lists and
  /// objects, each becoming one string. Text that is not JSON is redacted as text.
  bool redact_json(std::string_view json, TextKind kind, std::string& out,
                   RedactionCounts& counts) const;

  /// A value whose key is known: masked whole when the key names a secret, otherwise `redact_text`.
  bool redact_value(std::string_view key, std::string_view value, TextKind kind, std::string& out,
                    RedactionCounts& counts) const;

  /// Whether values of that name are secret: password, apiKey, X-Auth-Token, … and the policy's.
  [[nodiscard]] bool names_secret(std::string_view key) const;

  /// All rules, the built-in ones first.
  [[nodiscard]] std::span<const RedactionRule> rules() const;

 private:
  explicit Redactor(std::unique_ptr<const redaction::CompiledPolicy> policy);
  std::unique_ptr<const redaction::CompiledPolicy> policy_;
};

}  // namespace weir::event
