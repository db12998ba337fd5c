#include "tool/lineage.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/result.h"

namespace weir::tool {
namespace {

std::unexpected<Error> no_lineage(std::string what) {
  return fail(ErrorCode::kInvalidInput, std::move(what));
}

bool is_count(const json::Value& value) {
  return value.integer() != nullptr && *value.integer() >= 0;
}

bool is_column(const json::Value& value) {
  const auto* column = value.object();
  if (column == nullptr || column->size() != 2) return false;
  return std::ranges::all_of(std::array{"name", "type"}, [&](const char* key) {
    const auto* text = column->find(key);
    return text != nullptr && text->string() != nullptr;
  });
}

bool is_schema(const json::Value& value) {
  return value.array() != nullptr && std::ranges::all_of(*value.array(), is_column);
}

bool is_of_each(const json::Value& value, bool (*is_right)(const json::Value&)) {
  return value.object() != nullptr && std::ranges::all_of(*value.object(), [&](const auto& member) {
           return is_right(member.value);
         });
}

Result<void> check(const json::Value& said) {
  if (said.object() == nullptr) {
    return no_lineage("it is " + std::string(said.kind()) + ", not a JSON object");
  }
  if (json::to_text(said).size() > kMaxLineageBytes) {
    return no_lineage("it has more than " + std::to_string(kMaxLineageBytes) + " bytes");
  }
  for (const auto& [name, value, position] : *said.object()) {
    if (name == "rows") {
      if (!is_count(value)) return no_lineage("'rows' is no number of rows");
    } else if (name == "rows_in") {
      if (!is_of_each(value, is_count))
        return no_lineage("'rows_in' is no object of numbers of rows");
    } else if (name == "schema_in") {
      if (!is_of_each(value, is_schema)) {
        return no_lineage("'schema_in' is no object of lists of {name, type}");
      }
    } else if (name == "schema_out") {
      if (!is_schema(value)) return no_lineage("'schema_out' is no list of {name, type}");
    } else {
      return no_lineage("'" + name.substr(0, 128) +
                        "' is none of rows, rows_in, schema_in and schema_out");
    }
  }
  return {};
}

void warn(const Call& call, const Error& why) {
  if (!call.log) return;
  const auto message = "what it said of its tables was passed over: " + why.message;
  call.log({.level = event::Level::kWarning, .message = message, .logger = "lineage"});
}

/// Of a name given twice, the last.
json::Value each_once(const json::Value& value) {
  if (value.object() == nullptr) return value;
  json::Object once;
  once.update(*value.object());
  return once;
}

}  // namespace

void take_lineage(const json::Value& said, const Call& call, Output& output) {
  if (const auto checked = check(said); !checked) return warn(call, checked.error());
  for (const auto& member : *said.object()) {
    if (member.key == "rows") {
      output.usage.rows = *member.value.integer();
    } else {
      output.lineage.set(member.key, each_once(member.value));
    }
  }
}

void read_lineage(std::string_view said, const Call& call, Output& output) {
  if (said.empty()) return;
  const auto value = json::parse(said);
  if (!value) return warn(call, value.error());
  take_lineage(*value, call, output);
}

}  // namespace weir::tool
