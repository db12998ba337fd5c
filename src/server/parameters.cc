#include "server/parameters.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"

namespace weir::server {
namespace {

bool is_count(std::string_view text) {
  std::int64_t value = 0;
  const auto* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  return parsed.ec == std::errc() && parsed.ptr == end && value >= 0;
}

Result<void> check_value(const Parameter& parameter, const std::string& value) {
  const auto wrong = [&](std::string_view expected) {
    return fail(ErrorCode::kInvalidInput,
                std::string(parameter.name) + ": " + std::string(expected) + " is expected");
  };
  if (!parameter.values.empty() &&
      std::ranges::find(parameter.values, value) == parameter.values.end()) {
    return wrong("one of " + text::join(std::vector<std::string>(parameter.values.begin(),
                                                                 parameter.values.end())));
  }
  if (parameter.type == "integer" && !is_count(value)) return wrong("a number, 0 or above,");
  if (parameter.type == "time" && !moment_of(value)) {
    return wrong("a time as 2026-01-05T03:00:00Z, or a day as 2026-01-05,");
  }
  return {};
}

}  // namespace

std::optional<Timestamp> moment_of(std::string_view text) {
  constexpr std::size_t kDay = 10, kMinute = 16, kSecond = 19;
  if (const auto moment = parse_rfc3339(text)) return moment;
  std::string whole(text);
  if (text.size() == kDay) whole += "T00:00";
  if (whole.size() == kMinute) whole += ":00";
  if (whole.size() != kSecond) return {};
  whole[kDay] = whole[kDay] == ' ' ? 'T' : whole[kDay];
  return parse_rfc3339(whole + "Z");
}

std::string time_sql(std::string_view text) {
  const auto moment = moment_of(text).value_or(Timestamp());
  return "make_timestamp(" + std::to_string(moment.time_since_epoch().count()) + ")";
}

std::vector<Parameter> with_page(std::vector<Parameter> parameters) {
  parameters.push_back({"limit", "query", "integer", "how many at the most: 100, up to 1000"});
  parameters.push_back({"cursor", "query", "string", "`next` of the page before"});
  return parameters;
}

Result<void> check_query(const Route& route, const Request& request) {
  if (route.reads_any_query) return {};
  std::vector<std::string> known;
  for (const auto& parameter : route.parameters) {
    if (parameter.in == "query") known.emplace_back(parameter.name);
  }
  for (auto given = request.query.begin(); given != request.query.end(); ++given) {
    const auto& [name, value] = *given;
    if (std::ranges::find(known, name) == known.end()) {
      return fail(ErrorCode::kInvalidInput,
                  "'" + name + "' is no parameter here: " +
                      (known.empty() ? std::string("there is none") : text::join(known)));
    }
    if (std::any_of(request.query.begin(), given,
                    [&](const auto& before) { return before.first == name; })) {
      return fail(ErrorCode::kInvalidInput, name + ": it is given twice");
    }
    const auto declared = std::ranges::find_if(route.parameters, [&](const Parameter& parameter) {
      return parameter.in == "query" && parameter.name == name;
    });
    WEIR_TRY(check_value(*declared, value));
  }
  return {};
}

Route held_to_its_query(Route route) {
  const auto declared = std::make_shared<const Route>(route);
  route.answer = [declared](Request& request, const Caller& caller) -> asio::awaitable<Response> {
    if (const auto checked = check_query(*declared, request); !checked) {
      co_return problem(checked.error());
    }
    auto response = co_await declared->answer(request, caller);
    co_return response;
  };
  return route;
}

}  // namespace weir::server
