#include "event/redaction_find.h"

#include <array>
#include <bit>

#include "event/redaction_chars.h"
#include "event/redaction_personal.h"
#include "event/redaction_secrets.h"

namespace weir::event::redaction {
namespace {

/// Shorter texts have nothing: a@b.cd is the shortest that has.
constexpr std::size_t kMinText = 6;

/// Most colons are in no mask, and this is asked of every one: "[REDACTED:", "[rule:16 hex]".
bool may_be_in_mask(std::string_view text, std::size_t colon) {
  constexpr std::size_t kClose = 17;
  return (colon > 0 && text[colon - 1] == 'D') ||
         (colon + kClose < text.size() && text[colon + kClose] == ']');
}

constexpr auto kAll = ~std::uint64_t{0};

/// The bytes of which every trigger of a text shorter than kTokenRun has one.
constexpr std::uint8_t kSchemeLetter = 2;
constexpr auto kShortTriggers = [] {
  std::array<std::uint8_t, 256> table{};
  for (const char c : {'@', ':', '=', '-', '+', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'}) {
    table[static_cast<unsigned char>(c)] = 1;
  }
  table['b'] = table['B'] = kSchemeLetter;
  return table;
}();

/// Names of nodes and messages of two words leave here, without the machinery.
bool is_plainly_clean(std::string_view text) {
  if (text.size() >= kTokenRun) return false;
  unsigned found = 0;
  for (const char c : text) found |= kShortTriggers[static_cast<unsigned char>(c)];
  constexpr std::size_t kMinBasic = 10;  // "basic " and four characters
  return found == 0 || (found == kSchemeLetter && text.size() < kMinBasic);
}

}  // namespace

std::optional<Match> find_pattern(std::string_view text, const Pattern& pattern) {
  const bool free = is_alnum(pattern.prefix.front());
  for (auto begin = text.find(pattern.prefix); begin != std::string_view::npos;
       begin = text.find(pattern.prefix, begin + 1)) {
    if (free && !begins_free(text, begin)) continue;
    const auto tail = begin + pattern.prefix.size();
    const auto end = skip(text.substr(0, tail + pattern.max_length + 1), tail, [&](char c) {
      return pattern.alphabet.test(static_cast<unsigned char>(c));
    });
    const auto length = end - tail;
    if (length < pattern.min_length || length > pattern.max_length) continue;
    if (end_of_mask_around(text, begin) != 0) continue;
    return Match{begin, end, pattern.rule};
  }
  return {};
}

Finder::Finder(RuleSet rules, const NameMatcher& names) : rules_(rules), names_(&names) {
  const auto when = [](bool wanted) { return wanted ? kAll : 0; };
  wanted_.sign = kAll;  // masks are stepped over here
  wanted_.dashes = kAll;
  wanted_.token = kAll;
  wanted_.number = when(on(BuiltIn::kPaymentCard) || on(BuiltIn::kUsSsn));
  wanted_.iban = when(on(BuiltIn::kIban));
  wanted_.scheme = when(on(BuiltIn::kBearerToken) || on(BuiltIn::kBasicAuth));
  wanted_.dotted = when(on(BuiltIn::kIpAddress));
}

std::optional<Match> Finder::find(std::string_view text) const {
  if (text.size() < kMinText || is_plainly_clean(text)) return {};
  std::size_t masked_end = 0;
  auto fresh = kAll;
  for (std::size_t offset = 0;; offset += kBlock - kShared) {
    auto triggers = scan(text.substr(offset, kBlock));
    triggers.keep(wanted_);
    if (const auto left = triggers.any() & fresh; left != 0) {
      if (auto match = find_in_block(text, offset, triggers, left, masked_end)) return match;
    }
    if (offset + kBlock >= text.size()) return {};
    fresh = kAll << kShared;
  }
}

std::optional<Match> Finder::find_in_block(std::string_view text, std::size_t offset,
                                           const Triggers& triggers, std::uint64_t left,
                                           std::size_t& masked_end) const {
  for (; left != 0; left &= left - 1) {
    const auto at = offset + static_cast<std::size_t>(std::countr_zero(left));
    if (at < masked_end) continue;
    if (is_clean_sign(text, at)) continue;
    std::optional<Match> match;
    switch (text[at]) {
      case ':':
        if (const auto end = end_of_mask_around(text, at)) {
          masked_end = end;
          continue;
        }
        [[fallthrough]];
      case '=':
        match = match_sign(text, at);
        break;
      case '@':
        match = match_at(text, at);
        break;
      case '+':
        if (on(BuiltIn::kPhone)) match = match_phone(text, at);
        break;
      case '-':
        // A dash may also end a token's first characters.
        if (match = match_dashes(text, at); match) break;
        [[fallthrough]];
      default:
        match = match_letter(text, at, triggers, left & -left);
    }
    if (match) return match;
  }
  return {};
}

/// Nearly every sign leaves here: what stands right before it ends no name.
bool Finder::is_clean_sign(std::string_view text, std::size_t at) const {
  const char sign = text[at];
  if (sign != '=' && sign != ':') return false;
  if (at == 0 || !is_alnum(text[at - 1]) || names_->may_end(text.substr(0, at))) return false;
  if (sign == '=') return true;
  const bool url = at + 1 < text.size() && text[at + 1] == '/';
  return !url && !may_be_in_mask(text, at) && !on(BuiltIn::kIpAddress);
}

std::optional<Match> Finder::match_letter(std::string_view text, std::size_t at,
                                          const Triggers& triggers, std::uint64_t bit) const {
  const auto run = at + 1 - kTokenRun;
  if ((triggers.token & bit) != 0) {
    if (auto match = if_on(match_token(text, run))) return match;
  }
  if ((triggers.number & bit) != 0) {
    const auto begin = at + 1 - kNumberRun;
    if (auto match = match_number(text, begin, on(BuiltIn::kPaymentCard), on(BuiltIn::kUsSsn))) {
      return match;
    }
  }
  if ((triggers.iban & bit) != 0) {
    if (auto match = match_iban(text, at - 3)) return match;
  }
  if ((triggers.scheme & bit) != 0) {
    if (auto match = if_on(match_credentials(text, at - 2))) return match;
  }
  if ((triggers.dotted & bit) != 0) return match_ipv4(text, at - 1);
  return {};
}

std::optional<Match> Finder::match_sign(std::string_view text, std::size_t at) const {
  if (text[at] == ':') {
    if (on(BuiltIn::kUrlPassword) && at + 1 < text.size() && text[at + 1] == '/') {
      if (auto match = match_url_password(text, at)) return match;
    }
    if (on(BuiltIn::kIpAddress)) {
      if (auto match = match_ipv6(text, at)) return match;
    }
  }
  return if_on(match_named(text, at, *names_));
}

std::optional<Match> Finder::match_at(std::string_view text, std::size_t at) const {
  if (auto match = if_on(match_connection_string(text, at))) return match;
  return on(BuiltIn::kEmail) ? match_email(text, at) : std::nullopt;
}

std::optional<Match> Finder::match_dashes(std::string_view text, std::size_t at) const {
  const auto begin = at - 1;
  if (auto match = if_on(match_private_key(text, begin))) return match;
  return if_on(match_flag(text, begin, *names_));
}

}  // namespace weir::event::redaction
