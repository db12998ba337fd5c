#include "server/message.h"

#include <algorithm>
#include <cctype>

#include "base/hash.h"
#include "base/json.h"

namespace weir::server {
namespace {

std::optional<unsigned char> hex_digit(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<unsigned char>(digit - '0');
  if (digit >= 'a' && digit <= 'f') return static_cast<unsigned char>(digit - 'a' + 10);
  if (digit >= 'A' && digit <= 'F') return static_cast<unsigned char>(digit - 'A' + 10);
  return {};
}

enum class Plus : std::uint8_t { kIsPlus, kIsSpace };

std::optional<std::string> decoded(std::string_view text, Plus plus) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return {};
      const auto high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
      if (!high || !low) return {};
      out += static_cast<char>(*high << 4 | *low);
      i += 2;
    } else {
      out += text[i] == '+' && plus == Plus::kIsSpace ? ' ' : text[i];
    }
  }
  if (out.find('\0') != std::string::npos) return {};
  return out;
}

Response problem_of(unsigned status, std::string_view detail, std::string_view title) {
  json::Object object;
  object.set("type", "about:blank");
  object.set("title", title.empty()
                          ? std::string(http::obsolete_reason(static_cast<http::status>(status)))
                          : std::string(title));
  object.set("status", static_cast<std::int64_t>(status));
  if (!detail.empty()) object.set("detail", std::string(detail));
  return {.status = status,
          .content_type = "application/problem+json",
          .body = json::to_text(object) + "\n",
          .detail = std::string(detail)};
}

}  // namespace

const std::string* Request::parameter(std::string_view name) const {
  const auto found = std::ranges::find(query, name, &std::pair<std::string, std::string>::first);
  return found == query.end() ? nullptr : &found->second;
}

std::string Request::media_type() const {
  auto type = header(http::field::content_type);
  type = type.substr(0, type.find(';'));
  while (!type.empty() && type.back() == ' ') type.remove_suffix(1);
  std::string lower(type);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

void make_conditional(const Request& request, Response& response) {
  const bool is_read = request.method == http::verb::get || request.method == http::verb::head;
  if (!is_read || response.status != 200) return;
  auto name =
      std::ranges::find(response.headers, "ETag", &std::pair<std::string, std::string>::first);
  if (name == response.headers.end()) {
    if (response.pieces) return;
    // What a key may see of a path is not what another one may.
    response.headers.emplace_back("Vary", "Authorization, X-API-Key, Accept");
    response.headers.emplace_back("Cache-Control", "private, no-cache");
    response.headers.emplace_back("ETag", '"' + sha256(response.body).text().substr(0, 32) + '"');
    name = std::prev(response.headers.end());
  }
  const auto known = request.header(http::field::if_none_match);
  if (known.empty() || (known != "*" && !known.contains(name->second))) return;
  response.status = 304;
  response.body.clear();
  response.pieces = {};
}

/// "write /srv/night/.weir/log/a.jsonl: no space" -> "write a.jsonl: no space". Names may have
/// spaces: a path goes on to the last slash before ": ", which is where our messages end it.
std::string without_paths(std::string_view text) {
  constexpr std::string_view kBefore = " \"'(=[";
  std::string said;
  while (!text.empty()) {
    const auto end = std::min(text.find(": "), text.size());
    const auto segment = text.substr(0, end);
    std::size_t begin = 0;
    while (begin < segment.size() &&
           (segment[begin] != '/' || (begin > 0 && !kBefore.contains(segment[begin - 1])))) {
      ++begin;
    }
    said.append(segment.substr(0, begin));
    if (begin < segment.size()) said.append(segment.substr(segment.rfind('/') + 1));
    said.append(text.substr(end, 2));
    text.remove_prefix(std::min(end + 2, text.size()));
  }
  return said;
}

Response problem(unsigned status, std::string_view detail, std::string_view title) {
  constexpr unsigned kOurFault = 500;
  if (status >= kOurFault) return problem_of(status, without_paths(detail), title);
  return problem_of(status, detail, title);
}

Response overloaded(std::string_view why) {
  auto response = problem(503, why);
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

unsigned status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidInput:
      return 400;
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kConflict:
      return 409;
    case ErrorCode::kExhausted:
    case ErrorCode::kCancelled:
    case ErrorCode::kUnavailable:
      return 503;
    case ErrorCode::kIo:
    case ErrorCode::kCorrupt:
      return 500;
  }
  return 500;
}

Response problem(const Error& error) { return problem(status_of(error.code), error.message); }

Response said_by(const Complaint& complain, const Request& request, Response wrong) {
  if (!complain) return wrong;
  auto said = complain(request, wrong.status, wrong.detail);
  for (auto& header : wrong.headers) said.headers.push_back(std::move(header));
  return said;
}

std::optional<Target> parse_target(std::string_view target) {
  if (!target.starts_with('/')) return {};
  const auto mark = target.find('?');
  Target parsed{.path = std::string(target.substr(0, mark))};
  for (auto rest = std::string_view(parsed.path).substr(1); !rest.empty();) {
    const auto segment = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(segment.size() + 1, rest.size()));
    auto text = decoded(segment, Plus::kIsPlus);
    if (!text) return {};
    parsed.segments.push_back(*std::move(text));
  }
  if (mark == std::string_view::npos) return parsed;
  for (auto rest = target.substr(mark + 1); !rest.empty();) {
    const auto pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    const auto sign = std::min(pair.find('='), pair.size());
    auto name = decoded(pair.substr(0, sign), Plus::kIsSpace);
    auto value = decoded(pair.substr(std::min(sign + 1, pair.size())), Plus::kIsSpace);
    if (!name || !value) return {};
    parsed.query.emplace_back(*std::move(name), *std::move(value));
  }
  return parsed;
}

}  // namespace weir::server
