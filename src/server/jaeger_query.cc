#include "server/jaeger_query.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/json.h"

namespace weir::server {
namespace {

/// Where a client names no time, as Jaeger has it.
constexpr std::chrono::hours kLookback{48};
constexpr std::size_t kMostTags = 64;

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

std::unexpected<Error> wrong(std::string_view parameter, std::string_view what) {
  return fail(ErrorCode::kInvalidInput,
              "parameter '" + std::string(parameter) + "': " + std::string(what));
}

Result<void> read_time(const Request& request, std::string_view name, Timestamp& time) {
  const auto* text = request.parameter(name);
  if (text == nullptr || text->empty()) return {};
  const auto microseconds = number_of<std::int64_t>(*text);
  if (!microseconds || *microseconds < 0)
    return wrong(name, "microseconds since 1970 are expected");
  time = Timestamp(std::chrono::microseconds(*microseconds));
  return {};
}

Result<void> read_rfc3339(const Request& request, std::string_view name, Timestamp& time) {
  const auto* text = request.parameter(name);
  if (text == nullptr || text->empty()) return {};
  // The '+' of an offset that nobody has encoded has become a space: "…T00:00:00 02:00".
  constexpr std::size_t kOffset = 6, kDate = 10;
  auto spelled = *text;
  if (const auto at = spelled.rfind(' ');
      at != std::string::npos && at > kDate && at + kOffset == spelled.size()) {
    spelled[at] = '+';
  }
  const auto parsed = parse_rfc3339(spelled);
  if (!parsed) return wrong(name, "a time of RFC 3339 is expected");
  time = *parsed;
  return {};
}

Result<void> read_duration(const Request& request, std::string_view name,
                           std::optional<std::uint64_t>& duration) {
  const auto* text = request.parameter(name);
  if (text == nullptr || text->empty()) return {};
  duration = parse_go_duration(*text);
  if (!duration) return wrong(name, "a duration as 1.2s, 100ms or 500us is expected");
  return {};
}

Result<void> read_limit(const Request& request, std::string_view name, std::size_t& limit) {
  const auto* text = request.parameter(name);
  if (text == nullptr || text->empty()) return {};
  const auto number = number_of<std::int64_t>(*text);
  if (!number || *number <= 0) return wrong(name, "a number over 0 is expected");
  limit = std::min(static_cast<std::size_t>(*number), TraceQuery::kMostTraces);
  return {};
}

/// {"key": "value"}: of a value that is none, its JSON.
Result<void> read_tags(const std::string& name, const std::string& text, TraceQuery& query) {
  const auto value = json::parse(text);
  if (!value || value->object() == nullptr) {
    return wrong(name, "a JSON object of texts is expected");
  }
  for (const auto& member : *value->object()) {
    query.tags.emplace_back(member.key, tag_text(member.value));
  }
  return {};
}

Result<void> read_v1_tags(const Request& request, TraceQuery& query) {
  for (const auto& [name, text] : request.query) {
    if (name == "tags" && !text.empty()) WEIR_TRY(read_tags(name, text, query));
    if (name != "tag" || text.empty()) continue;
    const auto colon = text.find(':');
    if (colon == std::string::npos) return wrong(name, "key:value is expected");
    query.tags.emplace_back(text.substr(0, colon), text.substr(colon + 1));
  }
  if (query.tags.size() > kMostTags) return wrong("tags", "there are too many");
  return {};
}

std::string text_of(const Request& request, std::string_view name) {
  const auto* text = request.parameter(name);
  return text == nullptr ? std::string() : *text;
}

Result<void> check(const TraceQuery& query, std::string_view service) {
  if (query.service.empty() && query.trace_ids.empty()) return wrong(service, "it is required");
  if (query.since > query.until) {
    return fail(ErrorCode::kInvalidInput, "the time ends before it begins");
  }
  if (query.min_ns && query.max_ns && *query.min_ns > *query.max_ns) {
    return fail(ErrorCode::kInvalidInput, "the least duration is longer than the longest");
  }
  return {};
}

bool has_tag(const json::Object& attributes, const std::pair<std::string, std::string>& tag) {
  const auto* value = attributes.find(tag.first);
  return value != nullptr && tag_text(*value) == tag.second;
}

/// What Jaeger's spans say beside their attributes.
bool has_own_tag(const project::Span& span, const std::pair<std::string, std::string>& tag) {
  const auto& [key, value] = tag;
  const bool failed = span.status == project::SpanStatus::kError;
  if (key == "error") return (value == "true") == failed;
  if (key == "span.kind") return value == project::to_string(span.kind);
  if (key == "otel.status_code") {
    return value == (failed ? "ERROR" : span.status == project::SpanStatus::kOk ? "OK" : "");
  }
  if (key == "otel.scope.name") return value == span.origin->scope_name;
  return false;
}

}  // namespace

std::string tag_text(const json::Value& value) {
  return value.string() != nullptr ? *value.string() : json::to_text(value);
}

bool TraceQuery::matches(const project::Span& span) const {
  if (!service.empty() && span.pipeline_id != service) return false;
  if (!operation.empty() && span.name != operation) return false;
  const auto took = span.end_ns >= span.start_ns ? span.end_ns - span.start_ns : 0;
  if (min_ns && took < *min_ns) return false;
  if (max_ns && took > *max_ns) return false;
  return std::ranges::all_of(tags, [&](const auto& tag) {
    return has_tag(span.attributes, tag) || has_tag(span.origin->resource, tag) ||
           has_own_tag(span, tag) || std::ranges::any_of(span.events, [&](const auto& event) {
             return has_tag(event.attributes, tag);
           });
  });
}

Result<TraceQuery> parse_v1_query(const Request& request, Timestamp now) {
  TraceQuery query{.service = text_of(request, "service"),
                   .operation = text_of(request, "operation"),
                   .until = now};
  for (const auto& [name, text] : request.query) {
    if (name != "traceID") continue;
    const auto id = parse_trace_id(text);
    if (!id) return wrong(name, "up to 32 hexadecimal digits are expected");
    query.trace_ids.push_back(*id);
  }
  WEIR_TRY(read_time(request, "end", query.until));
  query.since = query.until - kLookback;
  WEIR_TRY(read_time(request, "start", query.since));
  WEIR_TRY(read_duration(request, "minDuration", query.min_ns));
  WEIR_TRY(read_duration(request, "maxDuration", query.max_ns));
  WEIR_TRY(read_limit(request, "limit", query.limit));
  WEIR_TRY(read_v1_tags(request, query));
  WEIR_TRY(check(query, "service"));
  return query;
}

Result<TraceQuery> parse_v3_query(const Request& request, Timestamp now) {
  TraceQuery query{.service = text_of(request, "query.service_name"),
                   .operation = text_of(request, "query.operation_name"),
                   .until = now};
  WEIR_TRY(read_rfc3339(request, "query.start_time_max", query.until));
  query.since = query.until - kLookback;
  WEIR_TRY(read_rfc3339(request, "query.start_time_min", query.since));
  WEIR_TRY(read_duration(request, "query.duration_min", query.min_ns));
  WEIR_TRY(read_duration(request, "query.duration_max", query.max_ns));
  WEIR_TRY(read_limit(request, "query.num_traces", query.limit));
  WEIR_TRY(read_limit(request, "query.search_depth", query.limit));
  if (const auto tags = text_of(request, "query.attributes"); !tags.empty()) {
    WEIR_TRY(read_tags("query.attributes", tags, query));
  }
  WEIR_TRY(check(query, "query.service_name"));
  return query;
}

std::optional<std::string> parse_trace_id(std::string_view text) {
  constexpr std::size_t kDigits = 32;
  if (text.empty() || text.size() > kDigits) return {};
  std::string id(kDigits - text.size(), '0');
  for (const char c : text) {
    const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    const bool is_digit = (lower >= '0' && lower <= '9') || (lower >= 'a' && lower <= 'f');
    if (!is_digit) return {};
    id += lower;
  }
  return id;
}

std::optional<std::uint64_t> parse_go_duration(std::string_view text) {
  constexpr std::pair<std::string_view, double> kUnits[] = {
      {"ns", 1}, {"us", 1e3}, {"µs", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 6e10}, {"h", 3.6e12}};
  if (text == "0") return 0;
  double sum = 0;
  bool has_any = false;
  while (!text.empty()) {
    const auto digits = std::min(text.find_first_not_of("0123456789."), text.size());
    const auto number = number_of<double>(text.substr(0, digits));
    if (!number) return {};
    text.remove_prefix(digits);
    const auto letters = std::min(text.find_first_of("0123456789."), text.size());
    const auto* const unit = std::ranges::find(kUnits, text.substr(0, letters),
                                               &std::pair<std::string_view, double>::first);
    if (unit == std::end(kUnits)) return {};
    text.remove_prefix(letters);
    sum += *number * unit->second;
    has_any = true;
  }
  constexpr double kMost = 9e18;
  if (!has_any || !(sum < kMost)) return {};
  return static_cast<std::uint64_t>(std::llround(sum));
}

}  // namespace weir::server
