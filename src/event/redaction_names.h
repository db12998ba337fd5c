#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "event/redaction.h"
#include "event/redaction_chars.h"
#include "event/redaction_rules.h"

/// Keys that say of their value that it must not be told: the list, and how they are met in JSON
/// and in text. Internal to redaction.
namespace weir::event::redaction {

/// What may stand between the words of a name.
constexpr bool is_separator(char c) { return c == '_' || c == '-' || c == '.' || c == ' '; }

/// How much a name alone proves in a text of people. In JSON, where a name is certainly a name, all
/// are the same.
enum class NameStrength : std::uint8_t {
  kStrong,  ///< Whatever follows is secret: password.
  kWeak,    ///< A word of prose, too: the value has to look like a secret.
  kPath,    ///< As strong, but a value that begins as a path names a file: private_key, PWD.
  kScheme,  ///< Authorization: a scheme, then the secret.
  kPairs,   ///< Cookie: pairs up to the end of the line.
};

struct NameRule {
  RedactionRuleIndex rule = 0;
  NameStrength strength = NameStrength::kStrong;
};

/// Letters and digits of `word`, small: "X-Api_Key" and "xApiKey" are one.
[[nodiscard]] std::string normalized(std::string_view word);

/// The names of the built-in list and of a policy.
class NameMatcher {
 public:
  NameMatcher();

  /// `normal` has at least two characters.
  void add(std::string normal, NameRule rule);

  /// The rule of the name that ends where `text` does. Looks at no more of it than the longest
  /// name needs: what stands before it does not matter.
  [[nodiscard]] std::optional<NameRule> find(std::string_view text) const {
    // Nearly every key leaves here.
    if (!may_end(text)) return {};
    return find_slowly(text);
  }
  /// Whether a name may end where `text` does, from its last characters.
  [[nodiscard]] bool may_end(std::string_view text) const {
    return has_pair(text) ||
           (!text.empty() && is_digit(text.back()) && has_pair(without_number(text)));
  }

 private:
  struct Name {
    std::string normal;
    NameRule rule;
  };

  /// Letters of both cases alike.
  static std::size_t pair(char a, char b) {
    const auto bits = [](char c) {
      const auto byte = static_cast<unsigned char>(c);
      return std::size_t{(byte & 31U) | ((byte & 64U) >> 1U)};
    };
    return bits(a) << 6U | bits(b);
  }
  [[nodiscard]] bool has_pair(std::string_view text) const {
    return text.size() >= 2 && pairs_.test(pair(text[text.size() - 2], text.back()));
  }
  /// "password2", "token_10": more digits are not a count of names.
  static std::string_view without_number(std::string_view text) {
    std::size_t end = text.size();
    while (end > 0 && text.size() - end < 2 && is_digit(text[end - 1])) --end;
    if (end < text.size() && end > 0 && is_separator(text[end - 1])) --end;
    return text.substr(0, end);
  }
  [[nodiscard]] std::optional<NameRule> find_slowly(std::string_view text) const;

  std::bitset<4096> pairs_;                    // the last two characters of each name
  std::array<std::vector<Name>, 32> by_last_;  // the longest first
};

/// name=x, "name": "x", Name: x, the name known to `names` and `sign` being = or :. Masks x.
[[nodiscard]] std::optional<Match> match_named(std::string_view text, std::size_t sign,
                                               const NameMatcher& names);

/// --name x on a command line, `begin` being the first dash: masks x.
[[nodiscard]] std::optional<Match> match_flag(std::string_view text, std::size_t begin,
                                              const NameMatcher& names);

/// A path of a policy: "customer.address.*".
class PathRule {
 public:
  /// Nothing when a part between dots is empty, or there are more than kMaxParts.
  static std::optional<PathRule> parse(std::string_view path, RedactionRuleIndex rule);

  static constexpr std::size_t kMaxParts = 16;

  /// Whether the last of `keys`, the outermost first, are these. A key may have dots itself.
  [[nodiscard]] bool matches(std::span<const std::string_view> keys) const;
  [[nodiscard]] RedactionRuleIndex rule() const { return rule_; }

 private:
  std::vector<std::string> parts_;  // normalized, or "*"
  RedactionRuleIndex rule_ = 0;
};

}  // namespace weir::event::redaction
