#include "ingest/otlp_json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace weir::ingest::otlp {
namespace {

using json::Kind;

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::kString:
      return "a string";
    case Kind::kArray:
      return "a list";
    case Kind::kObject:
      return "an object";
    case Kind::kBoolean:
      return "true or false";
    default:
      return "a number";
  }
}

void set_wrong(Problem& problem, std::string_view name, std::string_view wanted) {
  problem.set(std::string(name).append(" should be ").append(wanted));
}

template <class T>
std::optional<T> whole_text(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

/// The nearest of type Integer to what `text` says; `exact` is whether it is that. Nothing: it says
/// no number.
template <class Integer>
std::optional<Integer> nearest(std::string_view text, bool& exact) {
  exact = true;
  if (const auto value = whole_text<Integer>(text)) return value;
  // As a double: 1.5e18, or beyond the 64 bits.
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::invalid_argument || end != text.data() + text.size()) return {};
  if (error == std::errc::result_out_of_range) number = text.starts_with('-') ? -1e300 : 1e300;
  if (std::isnan(number)) return {};
  using Limits = std::numeric_limits<Integer>;
  // 2^63 and 2^64 as doubles are one above the largest.
  const auto limit = std::ldexp(1.0, Limits::digits);
  exact = std::trunc(number) == number && number < limit &&
          number >= static_cast<double>(Limits::min());
  if (number >= limit) return Limits::max();
  if (number < static_cast<double>(Limits::min())) return Limits::min();
  return static_cast<Integer>(number);
}

}  // namespace

bool JsonFields::expect(Kind kind, std::string_view name, Problem& problem) {
  const auto found = reader.peek();
  if (found == kind) return true;
  if (found != Kind::kNull) set_wrong(problem, name, name_of(kind));
  reader.skip();
  return false;
}

std::string_view JsonFields::number_text(std::string_view name, Problem& problem) {
  const auto kind = reader.peek();
  if (kind == Kind::kString) return reader.string();
  return expect(Kind::kNumber, name, problem) ? reader.number().text : std::string_view();
}

std::string_view JsonFields::text(std::string_view name, Problem& problem) {
  return expect(Kind::kString, name, problem) ? reader.string() : std::string_view();
}

bool JsonFields::boolean(std::string_view name, Problem& problem) {
  return expect(Kind::kBoolean, name, problem) && reader.boolean();
}

std::uint64_t JsonFields::count(std::string_view name, Problem& problem) {
  const auto text = number_text(name, problem);
  if (text.empty()) return 0;
  bool exact = false;
  const auto count = nearest<std::uint64_t>(text, exact);
  if (!count || !exact) set_wrong(problem, name, "a whole number of 64 bits");
  return count.value_or(0);
}

Nanoseconds JsonFields::time(std::string_view name, Problem& problem) {
  const auto text = number_text(name, problem);
  if (text.empty()) return {};
  bool exact = false;
  const auto count = nearest<std::uint64_t>(text, exact);
  if (!count) set_wrong(problem, name, "a number of nanoseconds");
  return {.count = count.value_or(0), .verbatim = exact ? std::string_view() : text};
}

std::uint32_t JsonFields::count32(std::string_view name, Problem& problem) {
  const auto text = number_text(name, problem);
  bool exact = false;
  const auto count = text.empty() ? 0 : nearest<std::uint32_t>(text, exact);
  if (!count) set_wrong(problem, name, "a number");
  return count.value_or(0);
}

std::int32_t JsonFields::integer32(std::string_view name, Problem& problem) {
  const auto text = number_text(name, problem);
  bool exact = false;
  const auto integer = text.empty() ? 0 : nearest<std::int32_t>(text, exact);
  if (!integer) set_wrong(problem, name, "a number");
  return integer.value_or(0);
}

double JsonFields::number(std::string_view name, Problem& problem) {
  if (reader.peek() == Kind::kString) {
    const auto text = reader.string();
    if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
    if (text == "Infinity") return std::numeric_limits<double>::infinity();
    if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
    const auto number = whole_text<double>(text);
    if (!number) set_wrong(problem, name, "a number");
    return number.value_or(0);
  }
  return expect(Kind::kNumber, name, problem) ? reader.number().number : 0;
}

std::uint32_t JsonFields::choice(std::string_view name, std::string_view prefix,
                                 std::span<const std::string_view> names, Problem& problem) {
  if (reader.peek() != Kind::kString) return count32(name, problem);
  auto text = reader.string();
  if (const auto number = whole_text<std::uint32_t>(text)) return *number;
  if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (text == names[i]) return static_cast<std::uint32_t>(i);
  }
  set_wrong(problem, name, "the number of one of its values");
  return 0;
}

void JsonFields::id(Id& id, std::size_t digits, std::string_view name, Problem& problem) {
  if (expect(Kind::kString, name, problem)) id.set_text(reader.string(), digits);
}

Scalar JsonFields::integer(std::string_view name, Problem& problem) {
  Scalar value{.kind = Scalar::Kind::kInteger};
  const auto text = number_text(name, problem);
  if (text.empty()) return value;
  bool exact = false;
  const auto integer = nearest<std::int64_t>(text, exact);
  if (!integer || !exact) set_wrong(problem, name, "a whole number of 64 bits");
  value.integer = integer.value_or(0);
  return value;
}

/// `kind` is the member's name.
Scalar JsonFields::known_value(std::string_view kind, JsonText& json, Problem& problem, int depth) {
  Scalar value;
  if (kind == "stringValue") {
    value = {.kind = Scalar::Kind::kString, .text = text(kind, problem)};
  } else if (kind == "intValue") {
    value = integer(kind, problem);
  } else if (kind == "boolValue") {
    value = {.kind = Scalar::Kind::kBoolean, .boolean = boolean(kind, problem)};
  } else if (kind == "doubleValue") {
    value = {.kind = Scalar::Kind::kNumber, .number = number(kind, problem)};
  } else if (kind == "bytesValue") {
    value = {.kind = Scalar::Kind::kBytes, .text = text(kind, problem)};
  } else {
    value.kind = kind == "arrayValue" ? Scalar::Kind::kList : Scalar::Kind::kMap;
    nested(kind, json, problem, depth + 1);
    return value;
  }
  put_scalar(json, value);
  return value;
}

Scalar JsonFields::any_value(JsonText& json, Problem& problem, int depth) {
  static constexpr std::string_view kKinds[] = {"stringValue", "intValue",   "boolValue",
                                                "doubleValue", "bytesValue", "arrayValue",
                                                "kvlistValue"};
  Scalar value;
  const auto before = json.size();
  object("the value of an attribute", problem, [&](std::string_view key) {
    const bool known = std::ranges::find(kKinds, key) != std::end(kKinds);
    if (!known || reader.peek() == Kind::kNull) return reader.skip();
    json.cut_to(before);  // of several the last one counts
    value = known_value(key, json, problem, depth);
  });
  if (value.kind == Scalar::Kind::kNone) json.null();
  return value;
}

void JsonFields::nested(std::string_view kind, JsonText& json, Problem& problem, int depth) {
  if (depth > kMaxValueDepth) {
    problem.set("an attribute has lists in lists over 64 levels deep");
    json.null();
    return reader.skip();
  }
  const bool is_map = kind == "kvlistValue";
  json.open(is_map ? '{' : '[');
  object(kind, problem, [&](std::string_view key) {
    if (key != "values") return reader.skip();
    list(key, problem, [&] {
      if (is_map) {
        key_value(json, problem, depth);
      } else {
        any_value(json, problem, depth);
      }
    });
  });
  json.close(is_map ? '}' : ']');
}

JsonFields::KeyValue JsonFields::key_value(JsonText& json, Problem& problem, int depth) {
  KeyValue read;
  const char* value = nullptr;  // where it is, unless it was read
  bool has_key = false, is_read = false;
  object("an attribute", problem, [&](std::string_view member) {
    if (member == "key" && !has_key) {
      read.key = text(member, problem);
      has_key = true;
    } else if (member == "value" && has_key && !is_read) {
      json.key(read.key);
      read.value = any_value(json, problem, depth);
      is_read = true;
    } else if (member == "value" && !is_read) {
      value = reader.defer().data();
    } else {
      reader.skip();
    }
  });
  if (is_read) return read;
  json.key(read.key);
  if (value == nullptr) return json.null(), read;
  const auto* const after = reader.position();
  reader.go_to(value);
  read.value = any_value(json, problem, depth);
  reader.go_to(after);
  return read;
}

void JsonFields::attributes(JsonText& json, KnownValues& known, Problem& problem) {
  list("attributes", problem, [&] {
    const auto [key, value] = key_value(json, problem);
    if (const auto which = find_known(key)) known.set(*which, value);
  });
}

void JsonFields::attributes(Attributes& attributes, Problem& problem) {
  list("attributes", problem, [&] {
    const auto before = attributes.json.size();
    const auto [key, value] = key_value(attributes.json, problem);
    if (const auto which = find_known(key)) attributes.known.set(*which, value);
    attributes.added(key, before);
  });
}

void JsonRequest::find_scopes() {
  auto& reader = fields_.reader;
  auto& resource = mapper_.clear_resource();
  auto& problem = resource.problem;
  deferred_scopes_.clear();
  reader.begin_object();
  for (std::string_view key; reader.next_member(key);) {
    if (key == "resource") {
      fields_.object(key, problem, [&](std::string_view member) {
        if (member == "attributes") {
          fields_.attributes(resource.attributes, resource.known, problem);
        } else if (member == "droppedAttributesCount") {
          resource.dropped_attributes = fields_.count32(member, problem);
        } else {
          reader.skip();
        }
      });
    } else if (key == "schemaUrl") {
      resource.schema_url = fields_.text(key, problem);
    } else if (key == names_.of_scopes) {
      deferred_scopes_.push_back(reader.defer().data());
    } else {
      reader.skip();
    }
  }
}

void JsonRequest::find_records() {
  auto& reader = fields_.reader;
  auto& scope = mapper_.clear_scope();
  auto& problem = scope.problem;
  deferred_records_.clear();
  reader.begin_object();
  for (std::string_view key; reader.next_member(key);) {
    if (key == "scope") {
      fields_.object(key, problem, [&](std::string_view member) {
        if (member == "name") {
          scope.name = fields_.text(member, problem);
        } else if (member == "version") {
          scope.version = fields_.text(member, problem);
        } else if (member == "attributes") {
          fields_.attributes(scope.attributes, scope.known, problem);
        } else if (member == "droppedAttributesCount") {
          scope.dropped_attributes = fields_.count32(member, problem);
        } else {
          reader.skip();
        }
      });
    } else if (key == "schemaUrl") {
      scope.schema_url = fields_.text(key, problem);
    } else if (key == names_.of_records) {
      deferred_records_.push_back(reader.defer().data());
    } else {
      reader.skip();
    }
  }
}

}  // namespace weir::ingest::otlp
