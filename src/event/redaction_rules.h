#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "event/redaction.h"

/// The built-in rules as data. Internal to redaction.
namespace weir::event::redaction {

/// Their numbers are their places in `Redactor::rules()`.
enum class BuiltIn : RedactionRuleIndex {
  kPrivateKey,
  kAwsAccessKey,
  kGithubToken,
  kGitlabToken,
  kSlackToken,
  kStripeKey,
  kGoogleKey,
  kOpenaiKey,
  kAnthropicKey,
  kVendorToken,
  kJwt,
  kBearerToken,
  kBasicAuth,
  kUrlPassword,
  kConnectionString,
  kNamedSecret,
  kEmail,
  kPaymentCard,
  kIban,
  kUsSsn,
  kPhone,
  kIpAddress,
};
inline constexpr std::size_t kBuiltInCount = 22;

struct BuiltInRule {
  std::string_view name;
  RedactionKind kind;
  bool enabled = true;
};
/// In the order of `BuiltIn`.
inline constexpr std::array<BuiltInRule, kBuiltInCount> kBuiltInRules = {{
    {"private_key", RedactionKind::kSecret},
    {"aws_access_key", RedactionKind::kSecret},
    {"github_token", RedactionKind::kSecret},
    {"gitlab_token", RedactionKind::kSecret},
    {"slack_token", RedactionKind::kSecret},
    {"stripe_key", RedactionKind::kSecret},
    {"google_key", RedactionKind::kSecret},
    {"openai_key", RedactionKind::kSecret},
    {"anthropic_key", RedactionKind::kSecret},
    {"vendor_token", RedactionKind::kSecret},
    {"jwt", RedactionKind::kSecret},
    {"bearer_token", RedactionKind::kSecret},
    {"basic_auth", RedactionKind::kSecret},
    {"url_password", RedactionKind::kSecret},
    {"connection_string", RedactionKind::kSecret},
    {"named_secret", RedactionKind::kSecret},
    {"email", RedactionKind::kPersonal},
    {"payment_card", RedactionKind::kPersonal},
    {"iban", RedactionKind::kPersonal},
    {"us_ssn", RedactionKind::kPersonal},
    {"phone", RedactionKind::kPersonal},
    // Off: addresses are what people look for in operations.
    {"ip_address", RedactionKind::kPersonal, false},
}};

[[nodiscard]] constexpr RedactionRuleIndex index_of(BuiltIn rule) {
  return static_cast<RedactionRuleIndex>(rule);
}

/// Part of a text that a rule found.
struct Match {
  std::size_t begin = 0;
  std::size_t end = 0;
  RedactionRuleIndex rule = 0;
};

}  // namespace weir::event::redaction
