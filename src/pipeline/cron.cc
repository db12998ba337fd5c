#include "pipeline/cron.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace weir::pipeline {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"jan", "feb", "mar", "apr", "may", "jun",
                                                      "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kDays = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct Field {
  std::string_view what;
  int lowest;
  int highest;
  std::span<const std::string_view> names;
};
constexpr std::array<Field, 5> kFields = {{{"minute", 0, 59, {}},
                                           {"hour", 0, 23, {}},
                                           {"day of the month", 1, 31, {}},
                                           {"month", 1, 12, kMonths},
                                           {"day of the week", 0, 7, kDays}}};

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stopped != end) return {};
  return value;
}

std::optional<int> value_of(std::string_view text, const Field& field) {
  const auto name = std::find(field.names.begin(), field.names.end(), text);
  if (name != field.names.end()) {
    return static_cast<int>(name - field.names.begin()) + field.lowest;
  }
  const auto value = number(text);
  const bool fits = value && *value >= field.lowest && *value <= field.highest;
  return fits ? value : std::nullopt;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool is_range(std::string_view text, const Field& field) {
  const auto slash = text.find('/');
  if (slash != std::string_view::npos) {
    const auto step = number(text.substr(slash + 1));
    if (!step || *step < 1 || *step > field.highest) return false;
    text = text.substr(0, slash);
  }
  if (text == "*") return true;
  const auto dash = text.find('-');
  const auto first = value_of(text.substr(0, dash), field);
  if (dash == std::string_view::npos) return first.has_value();
  const auto last = value_of(text.substr(dash + 1), field);
  return first && last && *first <= *last;
}

}  // namespace

Result<void> check_cron(std::string_view text) {
  auto fields = split(text, ' ');
  std::erase(fields, std::string_view());
  if (fields.size() != kFields.size()) {
    return fail(ErrorCode::kInvalidInput,
                "five fields are expected (minute, hour, day of the month, month, day of the week),"
                " there are " +
                    std::to_string(fields.size()));
  }
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    const auto parts = split(fields[i], ',');
    const auto fits = [&](std::string_view part) { return is_range(part, kFields[i]); };
    if (std::all_of(parts.begin(), parts.end(), fits)) continue;
    return fail(ErrorCode::kInvalidInput,
                "'" + std::string(fields[i]) + "' is no " + std::string(kFields[i].what));
  }
  return {};
}

}  // namespace weir::pipeline
