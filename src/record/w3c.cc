#include "record/w3c.h"

#include <algorithm>
#include <ranges>
#include <utility>

#include "base/utf8.h"

namespace weir::record {
namespace {

bool between(char c, char low, char high) { return c >= low && c <= high; }
bool is_lower_or_digit(char c) { return between(c, 'a', 'z') || between(c, '0', '9'); }

/// Lower case only, as Trace Context wants it.
int lower_hex_digit(char c) {
  if (between(c, '0', '9')) return c - '0';
  if (between(c, 'a', 'f')) return c - 'a' + 10;
  return -1;
}

int any_hex_digit(char c) {
  return lower_hex_digit(between(c, 'A', 'F') ? static_cast<char>(c - 'A' + 'a') : c);
}

/// Of two digits.
std::optional<std::uint8_t> lower_hex_byte(std::string_view text) {
  const int high = lower_hex_digit(text[0]), low = lower_hex_digit(text[1]);
  if (high < 0 || low < 0) return {};
  return static_cast<std::uint8_t>(high << 4 | low);
}

/// Calls `take` for each part of `text` between separators, without the white space around it.
template <class Take>
void split(std::string_view text, char separator, Take take) {
  while (true) {
    const auto end = text.find(separator);
    take(trimmed(text.substr(0, end)));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

bool is_tracestate_key(std::string_view key) {
  if (key.empty() || key.size() > Tracestate::kMaxKeyBytes || !is_lower_or_digit(key[0])) {
    return false;
  }
  return std::ranges::all_of(
      key, [](char c) { return is_lower_or_digit(c) || std::string_view("_-*/@").contains(c); });
}

bool is_tracestate_value(std::string_view value) {
  if (value.empty() || value.size() > Tracestate::kMaxValueBytes || value.back() == ' ') {
    return false;
  }
  return std::ranges::all_of(value,
                             [](char c) { return between(c, ' ', '~') && c != ',' && c != '='; });
}

/// RFC 7230, section 3.2.6.
bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return is_lower_or_digit(c) || between(c, 'A', 'Z') ||
           std::string_view("!#$%&'*+-.^_`|~").contains(c);
  });
}

/// baggage-octet
bool is_baggage_octet(char c) {
  return between(c, '!', '~') && !std::string_view("\",;\\").contains(c);
}

std::string repaired(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto size = utf8::sequence_length(text);
    out += size > 0 ? text.substr(0, size) : utf8::kReplacement;
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out;
}

std::optional<std::string> parse_baggage_value(std::string_view text) {
  if (!std::ranges::all_of(text, is_baggage_octet)) return {};
  return percent_decoded(text);
}

std::optional<Baggage::Property> parse_property(std::string_view text) {
  const auto equals = text.find('=');
  Baggage::Property property{.key = std::string(trimmed(text.substr(0, equals)))};
  if (!is_token(property.key)) return {};
  if (equals == std::string_view::npos) return property;
  property.value = parse_baggage_value(trimmed(text.substr(equals + 1)));
  if (!property.value) return {};
  return property;
}

/// list-member: a property with a value, and further properties.
std::optional<Baggage::Member> parse_baggage_member(std::string_view text) {
  std::vector<Baggage::Property> parts;
  bool valid = true;
  split(text, ';', [&](std::string_view part) {
    auto property = valid ? parse_property(part) : std::nullopt;
    valid = property.has_value();
    if (valid) parts.push_back(*std::move(property));
  });
  if (!valid) return {};
  auto first = std::move(parts.front());
  if (!first.value) return {};
  parts.erase(parts.begin());
  return Baggage::Member{std::move(first.key), *std::move(first.value), std::move(parts)};
}

std::string to_text(const Baggage::Member& member) {
  auto text = member.key + "=" + percent_encoded(member.value);
  for (const auto& property : member.properties) {
    text += ";" + property.key;
    if (property.value) text += "=" + percent_encoded(*property.value);
  }
  return text;
}

}  // namespace

//  0  3                                36               53
//  00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
std::optional<Traceparent> Traceparent::parse(std::string_view text) {
  constexpr std::size_t kSize = 55;
  text = trimmed(text);
  if (text.size() < kSize) return {};
  if (text[2] != '-' || text[35] != '-' || text[52] != '-') return {};
  const auto version = lower_hex_byte(text.substr(0, 2));
  if (!version || *version == 0xff) return {};
  // Later versions may add fields, which begin with a dash.
  if (text.size() > kSize && (*version == 0 || text[kSize] != '-')) return {};
  const auto trace_id = TraceId::parse(text.substr(3, 32));
  const auto parent_id = SpanId::parse(text.substr(36, 16));
  const auto flags = lower_hex_byte(text.substr(53, 2));
  if (!trace_id || !parent_id || !flags) return {};
  constexpr unsigned kKnown = kSampledFlag | kRandomTraceIdFlag;
  return Traceparent{*trace_id, *parent_id, static_cast<std::uint8_t>(*flags & kKnown)};
}

std::string Traceparent::text() const {
  const auto parent = parent_id.text();
  std::string text = "00-" + trace_id.text() + "-";
  text.append(parent.data(), parent.size()).append("-").append(to_hex(&flags, 1));
  return text;
}

std::optional<Tracestate> Tracestate::parse(std::string_view text) {
  if (text.size() > kMaxInputBytes) return {};
  Tracestate state;
  std::size_t count = 0;
  bool valid = true;
  split(text, ',', [&](std::string_view member) {
    if (member.empty()) return;
    const auto equals = member.find('=');
    const auto key = member.substr(0, equals);
    const auto value =
        equals == std::string_view::npos ? std::string_view() : member.substr(equals + 1);
    valid = valid && ++count <= kMaxMembers && is_tracestate_key(key) && is_tracestate_value(value);
    if (valid && state.find(key) == nullptr) {
      state.members_.push_back({std::string(key), std::string(value)});
    }
  });
  return valid ? std::optional(std::move(state)) : std::nullopt;
}

std::string Tracestate::text() const {
  std::string text;
  for (const auto& member : members_) {
    if (!text.empty()) text += ',';
    text.append(member.key).append("=").append(member.value);
  }
  return text;
}

const std::string* Tracestate::find(std::string_view key) const {
  const auto found = std::ranges::find(members_, key, &Member::key);
  return found == members_.end() ? nullptr : &found->value;
}

Result<void> Tracestate::set(std::string_view key, std::string_view value) {
  if (!is_tracestate_key(key)) return fail(ErrorCode::kInvalidInput, "not a tracestate key");
  if (!is_tracestate_value(value)) return fail(ErrorCode::kInvalidInput, "not a tracestate value");
  Member member{std::string(key), std::string(value)};  // before what the views may point into goes
  erase(member.key);
  if (members_.size() == kMaxMembers) members_.pop_back();
  members_.insert(members_.begin(), std::move(member));
  return {};
}

void Tracestate::erase(std::string_view key) {
  const auto found = std::ranges::find(members_, key, &Member::key);
  if (found != members_.end()) members_.erase(found);
}

void Tracestate::cut_to(std::size_t size_bytes) {
  constexpr std::size_t kLong = 128;
  const auto size_of = [](const Member& member) {
    return member.key.size() + 1 + member.value.size();
  };
  auto size = text().size();
  for (auto i = members_.size(); i > 0 && size > size_bytes; --i) {
    const auto member = members_.begin() + static_cast<std::ptrdiff_t>(i - 1);
    if (size_of(*member) <= kLong) continue;
    members_.erase(member);
    size = text().size();
  }
  while (size > size_bytes) {
    members_.pop_back();
    size = text().size();
  }
}

Baggage Baggage::parse(std::string_view text) {
  Baggage baggage;
  if (text.size() > kMaxInputBytes) return baggage;
  split(text, ',', [&](std::string_view part) {
    auto member = parse_baggage_member(part);
    if (member) baggage.append(*std::move(member));
  });
  return baggage;
}

std::string Baggage::text() const {
  std::string text;
  for (const auto& member : members_) {
    if (!text.empty()) text += ',';
    text += to_text(member);
  }
  return text;
}

const Baggage::Member* Baggage::find(std::string_view key) const {
  const auto reversed = std::views::reverse(members_);
  const auto found = std::ranges::find(reversed, key, &Member::key);
  return found == reversed.end() ? nullptr : &*found;
}

Result<void> Baggage::set(Member member) {
  member.value = repaired(member.value);
  bool tokens = is_token(member.key);
  for (auto& property : member.properties) {
    tokens = tokens && is_token(property.key);
    if (property.value) property.value = repaired(*property.value);
  }
  if (!tokens) return fail(ErrorCode::kInvalidInput, "a key of baggage is not a token");
  auto changed = *this;
  changed.erase(member.key);
  if (!changed.append(std::move(member))) {
    return fail(ErrorCode::kExhausted, "baggage is limited to 180 members and 8192 bytes");
  }
  *this = std::move(changed);
  return {};
}

void Baggage::erase(std::string_view key) {
  std::erase_if(members_, [&](const Member& member) { return member.key == key; });
  text_size_ = text().size();
}

bool Baggage::append(Member member) {
  const auto size = text_size_ + (members_.empty() ? 0 : 1) + to_text(member).size();
  if (members_.size() == kMaxMembers || size > kMaxTextBytes) return false;
  members_.push_back(std::move(member));
  text_size_ = size;
  return true;
}

std::string combine(std::span<const std::string_view> values) {
  std::string combined;
  for (const auto value : values) {
    if (!combined.empty()) combined += ',';
    combined += value;
  }
  return combined;
}

std::string percent_encoded(std::string_view value) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string text;
  for (const char c : value) {
    if (is_baggage_octet(c) && c != '%') {
      text += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      text += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return text;
}

// A percent sign without two digits after it stands for itself, as in URLs (WHATWG URL, 1.3).
std::string percent_decoded(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? any_hex_digit(text[i + 1]) : -1;
    const int low = high < 0 ? -1 : any_hex_digit(text[i + 2]);
    if (low < 0) {
      bytes += text[i];
    } else {
      bytes += static_cast<char>(high << 4 | low);
      i += 2;
    }
  }
  return repaired(bytes);
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace weir::record
