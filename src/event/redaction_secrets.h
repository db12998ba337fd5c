#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "event/redaction_rules.h"

/// The exact matchers of secrets. Each is given the place that the scanner found, looks as far back
/// and ahead as its grammar goes, and says what to mask. The beginning of `text` counts as a
/// boundary: it stands after a mask, or is the beginning. Internal to redaction.
namespace weir::event::redaction {

/// The length of the mask ("[REDACTED:rule]", "[rule:16 hex]") that `text` begins with, or 0.
[[nodiscard]] std::size_t mask_length(std::string_view text);
[[nodiscard]] inline bool is_mask(std::string_view text) {
  return !text.empty() && mask_length(text) == text.size();
}
/// The end of the mask that `at` is inside of, or 0.
[[nodiscard]] std::size_t end_of_mask_around(std::string_view text, std::size_t at);

/// A token that its issuer marks by how it begins, or a JWT (RFC 7519). 16 characters of
/// [A-Za-z0-9_-] stand at `begin`, where it begins, or its second part: "SG.x".
[[nodiscard]] std::optional<Match> match_token(std::string_view text, std::size_t begin);

/// -----BEGIN … PRIVATE KEY----- (RFC 7468) at `begin`; without an end it goes to that of the text.
[[nodiscard]] std::optional<Match> match_private_key(std::string_view text, std::size_t begin);

/// "Bearer x" (RFC 6750) or "Basic x" (RFC 7617), the word beginning at `begin`: masks x.
[[nodiscard]] std::optional<Match> match_credentials(std::string_view text, std::size_t begin);

/// scheme://user:x@host (RFC 3986), `colon` being that before the slashes: masks x.
[[nodiscard]] std::optional<Match> match_url_password(std::string_view text, std::size_t colon);

/// user:x@tcp(host), Go's MySQL form: masks x.
[[nodiscard]] std::optional<Match> match_connection_string(std::string_view text, std::size_t at);

}  // namespace weir::event::redaction
