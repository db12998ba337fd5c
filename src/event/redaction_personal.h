#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "event/redaction_rules.h"

/// The exact matchers of personal data, as redaction_secrets.h. Internal to redaction.
namespace weir::event::redaction {

/// An address (RFC 5321; RFC 6531 lets it have other letters than ASCII's) around `at`, with a
/// domain of at least two parts. git@ is no person.
[[nodiscard]] std::optional<Match> match_email(std::string_view text, std::size_t at);

/// A payment card number (ISO/IEC 7812: issuer, length, Luhn's check digit), in one piece or in the
/// groups printed on cards, or a US social security number at `begin`, where the scanner found that
/// a number begins.
[[nodiscard]] std::optional<Match> match_number(std::string_view text, std::size_t begin,
                                                bool cards, bool ssns);

/// An IBAN (ISO 13616: country, its length, check digits) that begins at `begin`, in one piece or
/// in groups of four.
[[nodiscard]] std::optional<Match> match_iban(std::string_view text, std::size_t begin);

/// An international number (ITU-T E.123) that begins with the + at `plus`.
[[nodiscard]] std::optional<Match> match_phone(std::string_view text, std::size_t plus);

/// A dotted IPv4 address around `dot`, its first one.
[[nodiscard]] std::optional<Match> match_ipv4(std::string_view text, std::size_t dot);
/// An IPv6 address (RFC 4291, section 2.2) around `colon`, its first one.
[[nodiscard]] std::optional<Match> match_ipv6(std::string_view text, std::size_t colon);

}  // namespace weir::event::redaction
