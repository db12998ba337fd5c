#include "event/redaction_personal.h"

#include <array>
#include <charconv>

#include "event/redaction_chars.h"

namespace weir::event::redaction {
namespace {

/// Neither part of a word nor of a longer number, a version or an id with dashes.
bool begins_number(std::string_view text, std::size_t at) {
  if (at == 0) return true;
  const char before = text[at - 1];
  if (is_alnum(before) || before == '_') return false;
  if (at == 1 || (before != '-' && before != '.')) return true;
  return !is_alnum(text[at - 2]);
}

bool ends_number(std::string_view text, std::size_t end) {
  if (end >= text.size()) return true;
  const char after = text[end];
  if (is_alnum(after) || after == '_') return false;
  if (end + 1 >= text.size()) return true;
  if (after == '-') return !is_alnum(text[end + 1]);
  return after != '.' || !is_digit(text[end + 1]);
}

// ---- payment cards ----

constexpr std::size_t kMaxCardDigits = 19;

/// The digits of a number, without what separates them.
struct Digits {
  std::array<char, kMaxCardDigits> digits{};
  std::size_t size = 0;

  void add(std::string_view more) {
    for (const char c : more) digits[size++] = c;
  }
  [[nodiscard]] unsigned head(std::size_t count) const {
    unsigned number = 0;
    for (std::size_t i = 0; i < count; ++i) number = number * 10 + digit(i);
    return number;
  }
  [[nodiscard]] unsigned digit(std::size_t i) const {
    return static_cast<unsigned>(digits[i] - '0');
  }
};

/// ISO/IEC 7812-1, annex B.
bool has_luhn_digit(const Digits& number) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < number.size; ++i) {
    const bool doubled = (number.size - i) % 2 == 0;
    const unsigned digit = number.digit(i) * (doubled ? 2 : 1);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return sum % 10 == 0;
}

bool between(unsigned value, unsigned low, unsigned high) { return value >= low && value <= high; }

/// The issuers' ranges. No card number begins with 0 or 1, so that none is a time since 1970.
bool is_issued(const Digits& number) {
  const auto two = number.head(2), three = number.head(3), four = number.head(4);
  switch (number.size) {
    case 14:  // Diners Club
      return between(three, 300, 305) || two == 36 || between(two, 38, 39);
    case 15:  // American Express
      return two == 34 || two == 37;
    case 16:  // Visa, Mastercard, Discover, JCB, UnionPay, Maestro
      return number.digit(0) == 4 || between(two, 51, 55) || between(four, 2221, 2720) ||
             four == 6011 || between(three, 644, 649) || two == 65 || between(four, 3528, 3589) ||
             two == 62 || four == 5018 || four == 5020 || four == 5038 || four == 6304 ||
             four == 6759 || between(four, 6761, 6763);
    case 17:
    case 18:
    case 19:
      return two == 62;
    default:
      return false;
  }
}

bool is_card(const Digits& number) { return is_issued(number) && has_luhn_digit(number); }

std::size_t digits_end(std::string_view text, std::size_t begin) {
  return skip(text, begin, is_digit);
}

/// The groups printed on cards, one separator throughout; the end of the number, or 0.
std::size_t grouped_card_end(std::string_view text, std::size_t begin) {
  constexpr std::array<std::array<std::size_t, 5>, 4> kGroupings = {
      {{4, 4, 4, 4, 0}, {4, 6, 5, 0, 0}, {4, 6, 4, 0, 0}, {4, 4, 4, 4, 3}}};
  const char separator = begin + 4 < text.size() ? text[begin + 4] : '\0';
  if (separator != ' ' && separator != '-') return 0;
  // No second group is shorter than four: dates leave here.
  if (begin + 7 >= text.size() || !is_digit(text[begin + 7])) return 0;
  for (const auto& grouping : kGroupings) {
    Digits number;
    auto at = begin;
    for (const auto size : grouping) {
      if (size == 0) break;
      const auto group = at == begin ? at : at + 1;
      if (group != at && (at >= text.size() || text[at] != separator)) break;
      if (digits_end(text.substr(0, group + size + 1), group) != group + size) break;
      number.add(text.substr(group, size));
      at = group + size;
    }
    std::size_t wanted = 0;
    for (const auto size : grouping) wanted += size;
    if (number.size == wanted && is_card(number) && ends_number(text, at)) return at;
  }
  return 0;
}

std::size_t card_end(std::string_view text, std::size_t begin, std::size_t group_end) {
  const auto size = group_end - begin;
  if (size == 4) return grouped_card_end(text, begin);
  if (size < 14 || size > kMaxCardDigits) return 0;
  Digits number;
  number.add(text.substr(begin, size));
  return is_card(number) && ends_number(text, group_end) ? group_end : 0;
}

/// 123-45-6789; never given out are the areas 000, 666 and 9xx, the group 00 and the serial 0000
/// (SSA, POMS RM 10201.035).
std::size_t ssn_end(std::string_view text, std::size_t begin, std::size_t group_end) {
  constexpr std::size_t kLength = 11;
  const auto ssn = text.substr(begin, kLength);
  if (group_end != begin + 3 || ssn.size() != kLength || ssn[3] != '-' || ssn[6] != '-') return 0;
  if (digits_end(ssn, 4) != 6 || digits_end(ssn, 7) != kLength) return 0;
  const auto area = ssn.substr(0, 3);
  if (area == "000" || area == "666" || area[0] == '9') return 0;
  if (ssn.substr(4, 2) == "00" || ssn.substr(7) == "0000") return 0;
  return ends_number(text, begin + kLength) ? begin + kLength : 0;
}

// ---- e-mail addresses ----

/// RFC 5321, section 4.1.2, allows more. Nobody has it, and in texts = / ' and & stand around
/// addresses: with them, equal addresses would get unequal pseudonyms.
bool is_local(char c) { return is_word(c) || c == '.' || c == '+' || c == '%'; }

/// Limits of RFC 5321, section 4.5.3.1.
constexpr std::size_t kMaxLocal = 64, kMaxDomain = 255;

template <class Is>
std::size_t back(std::string_view text, std::size_t end, Is is) {
  auto at = end;
  while (at > 0 && end - at <= kMaxLocal && is(text[at - 1])) --at;
  return at;
}

std::size_t local_begin(std::string_view text, std::size_t at) {
  auto begin = back(text, at, [](char c) { return is_local(c) || !is_ascii(c); });
  // Too long with letters that are not ASCII is a script without spaces.
  if (at - begin > kMaxLocal) begin = back(text, at, is_local);
  return skip(text.substr(0, at), begin, [](char c) { return is_ascii(c) && !is_alnum(c); });
}

/// Names of files and of systemd's units look like domains: icon@2x.png, getty@tty1.service.
bool is_file_ending(std::string_view part) {
  constexpr std::string_view kEndings[] = {"png",    "jpg",   "jpeg",  "gif",     "svg",
                                           "webp",   "json",  "yaml",  "service", "socket",
                                           "target", "timer", "mount", "slice"};
  return std::any_of(std::begin(kEndings), std::end(kEndings), [&](std::string_view ending) {
    return part.size() == ending.size() && starts_with_ignoring_case(part, ending);
  });
}

/// The end of the longest domain from `begin` on whose last part is letters; `begin` if none.
std::size_t domain_end(std::string_view text, std::size_t begin) {
  constexpr std::size_t kMaxTop = 24;  // the longest top-level domain, as letters
  const auto head = text.substr(0, begin + kMaxDomain);
  auto end = begin;
  auto part = begin;
  while (true) {
    const auto part_end =
        skip(head, part, [](char c) { return is_alnum(c) || c == '-' || !is_ascii(c); });
    if (part_end == part) return end;
    const auto letters = skip(head, part, is_letter);
    const auto top = head.substr(part, letters - part);
    if (part != begin && top.size() >= 2 && top.size() <= kMaxTop && ends_free(text, letters) &&
        !is_file_ending(top)) {
      end = letters;
    }
    if (part_end >= head.size() || head[part_end] != '.') return end;
    part = part_end + 1;
  }
}

// ---- IBAN ----

struct IbanCountry {
  std::string_view code;
  std::size_t length;
};

/// The IBAN registry (SWIFT, release 99).
constexpr IbanCountry kIbanCountries[] = {
    {"AD", 24}, {"AE", 23}, {"AL", 28}, {"AT", 20}, {"AZ", 28}, {"BA", 20}, {"BE", 16}, {"BG", 22},
    {"BH", 22}, {"BI", 27}, {"BR", 29}, {"BY", 28}, {"CH", 21}, {"CR", 22}, {"CY", 28}, {"CZ", 24},
    {"DE", 22}, {"DJ", 27}, {"DK", 18}, {"DO", 28}, {"EE", 20}, {"EG", 29}, {"ES", 24}, {"FI", 18},
    {"FK", 18}, {"FO", 18}, {"FR", 27}, {"GB", 22}, {"GE", 22}, {"GI", 23}, {"GL", 18}, {"GR", 27},
    {"GT", 28}, {"HN", 28}, {"HR", 21}, {"HU", 28}, {"IE", 22}, {"IL", 23}, {"IQ", 23}, {"IS", 26},
    {"IT", 27}, {"JO", 30}, {"KW", 30}, {"KZ", 20}, {"LB", 28}, {"LC", 32}, {"LI", 21}, {"LT", 20},
    {"LU", 20}, {"LV", 21}, {"LY", 25}, {"MC", 27}, {"MD", 24}, {"ME", 22}, {"MK", 19}, {"MN", 20},
    {"MR", 27}, {"MT", 31}, {"MU", 30}, {"NI", 28}, {"NL", 18}, {"NO", 15}, {"OM", 23}, {"PK", 24},
    {"PL", 28}, {"PS", 29}, {"PT", 25}, {"QA", 29}, {"RO", 24}, {"RS", 22}, {"RU", 33}, {"SA", 24},
    {"SC", 31}, {"SD", 18}, {"SE", 24}, {"SI", 19}, {"SK", 24}, {"SM", 27}, {"SO", 23}, {"ST", 25},
    {"SV", 28}, {"TL", 23}, {"TN", 24}, {"TR", 26}, {"UA", 29}, {"VA", 22}, {"VG", 24}, {"XK", 20},
    {"YE", 30}};

std::size_t iban_length(std::string_view country) {
  for (const auto& [code, length] : kIbanCountries) {
    if (code == country) return length;
  }
  return 0;
}

/// ISO 7064, MOD 97-10: the first four characters moved to the end, letters as 10 to 35.
bool has_iban_digits(std::string_view iban) {
  unsigned rest = 0;
  for (std::size_t i = 0; i < iban.size(); ++i) {
    const char c = iban[(i + 4) % iban.size()];
    rest = is_digit(c) ? (rest * 10 + static_cast<unsigned>(c - '0')) % 97
                       : (rest * 100 + static_cast<unsigned>(c - 'A') + 10) % 97;
  }
  return rest == 1;
}

// ---- telephone numbers ----

constexpr std::size_t kMinPhone = 9, kMaxPhone = 15;  // E.164 allows 15; shorter is a sum

bool is_phone_separator(char c) {
  return c == ' ' || c == '-' || c == '.' || c == '/' || c == '(' || c == ')';
}

/// The North American plan: 11 digits, the area not beginning with 0 or 1.
bool is_nanp(std::string_view digits) { return digits.size() == 11 && digits[1] >= '2'; }

}  // namespace

std::optional<Match> match_email(std::string_view text, std::size_t at) {
  const auto begin = local_begin(text, at);
  const auto local = text.substr(begin, at - begin);
  if (local.empty() || local.size() > kMaxLocal || local == "git") return {};
  const auto end = domain_end(text, at + 1);
  if (end == at + 1) return {};
  return Match{begin, end, index_of(BuiltIn::kEmail)};
}

std::optional<Match> match_number(std::string_view text, std::size_t begin, bool cards, bool ssns) {
  const auto group_end = digits_end(text.substr(0, begin + kMaxCardDigits + 1), begin);
  if (const auto end = cards ? card_end(text, begin, group_end) : 0) {
    return Match{begin, end, index_of(BuiltIn::kPaymentCard)};
  }
  if (const auto end = ssns ? ssn_end(text, begin, group_end) : 0) {
    return Match{begin, end, index_of(BuiltIn::kUsSsn)};
  }
  return {};
}

std::optional<Match> match_iban(std::string_view text, std::size_t begin) {
  constexpr std::size_t kMax = 34;
  if (!begins_number(text, begin)) return {};
  const auto length = iban_length(text.substr(begin, 2));
  if (length == 0) return {};
  std::array<char, kMax> iban{};
  std::size_t size = 0;
  auto at = begin;
  for (; at < text.size() && size < length; ++at) {
    const char c = text[at];
    if (c == ' ' && size % 4 == 0 && text[at - 1] != ' ') continue;
    if (!is_digit(c) && !is_upper(c)) return {};
    iban[size++] = c;
  }
  if (size < length || !ends_number(text, at)) return {};
  if (!has_iban_digits({iban.data(), size})) return {};
  return Match{begin, at, index_of(BuiltIn::kIban)};
}

std::optional<Match> match_phone(std::string_view text, std::size_t plus) {
  if (plus > 0 && (is_word(text[plus - 1]) || text[plus - 1] == '+')) return {};
  std::array<char, kMaxPhone> digits{};
  std::size_t size = 0, end = plus, dots = 0, separators = 0;
  for (auto at = plus + 1; at < text.size();) {
    const auto group = skip(text.substr(0, at + 2), at, is_phone_separator);
    if (size == 0 && group != at) return {};
    const auto group_end = digits_end(text.substr(0, group + kMaxPhone + 1), group);
    if (group_end == group || size + (group_end - group) > kMaxPhone) break;
    if (group != at) {
      ++separators;
      if (text[at] == '.' && group == at + 1) ++dots;
    }
    for (auto i = group; i < group_end; ++i) digits[size++] = text[i];
    end = at = group_end;
    if (digits[0] == '1' && size >= 11) break;
  }
  const std::string_view number(digits.data(), size);
  if (size < kMinPhone || number.front() == '0' || !ends_number(text, end)) return {};
  if (number.front() == '1' && !is_nanp(number)) return {};
  if (separators == 1 && dots == 1) return {};  // +12.3456789
  return Match{plus, end, index_of(BuiltIn::kPhone)};
}

std::optional<Match> match_ipv4(std::string_view text, std::size_t dot) {
  auto begin = dot;
  while (begin > 0 && dot - begin < 3 && is_digit(text[begin - 1])) --begin;
  if (!begins_number(text, begin)) return {};
  auto at = begin;
  for (int part = 0; part < 4; ++part) {
    if (part > 0) {
      if (at >= text.size() || text[at] != '.') return {};
      ++at;
    }
    const auto end = digits_end(text.substr(0, at + 4), at);
    unsigned value = 0;
    std::from_chars(text.data() + at, text.data() + end, value);
    if (end == at || end - at > 3 || value > 255) return {};
    at = end;
  }
  if (!ends_number(text, at)) return {};
  return Match{begin, at, index_of(BuiltIn::kIpAddress)};
}

std::optional<Match> match_ipv6(std::string_view text, std::size_t colon) {
  const auto is_part = [](char c) { return is_hex(to_lower(c)); };
  auto begin = colon;
  while (begin > 0 && colon - begin < 4 && is_part(text[begin - 1])) --begin;
  if (!begins_number(text, begin) || (begin > 0 && text[begin - 1] == ':')) return {};

  int parts = begin < colon ? 1 : 0, gaps = 0;
  bool digit = std::any_of(text.begin() + static_cast<std::ptrdiff_t>(begin),
                           text.begin() + static_cast<std::ptrdiff_t>(colon), is_digit);
  auto end = colon;
  for (auto at = colon; parts <= 8 && at < text.size() && text[at] == ':';) {
    const bool gap = text.substr(at).starts_with("::");
    const auto part = at + (gap ? 2 : 1);
    at = skip(text.substr(0, part + 4), part, is_part);
    if (at == part && !gap) break;  // a colon of the sentence
    gaps += gap ? 1 : 0;
    parts += at > part ? 1 : 0;
    digit = digit || std::any_of(text.begin() + static_cast<std::ptrdiff_t>(part),
                                 text.begin() + static_cast<std::ptrdiff_t>(at), is_digit);
    end = at;
  }
  const bool whole = gaps == 0 ? parts == 8 : gaps == 1 && parts >= 1 && parts < 8;
  // Without a digit it is a name with scopes: a::b.
  if (!whole || !digit || !ends_number(text, end)) return {};
  return Match{begin, end, index_of(BuiltIn::kIpAddress)};
}

}  // namespace weir::event::redaction
