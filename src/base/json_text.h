#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// Values of JSON as text, of which FlatReader said that they are right.
namespace weir::json {

/// The size of the string that a text begins with, quotes and all; npos: it does not end.
[[nodiscard]] std::size_t string_size(std::string_view text);

/// Adds the items of a list of strings.
void append_strings(std::string_view list, std::vector<std::string>& out);

/// Adds a value, without the white space between its parts.
void append_compact(std::string& out, std::string_view value);

/// How deep the lists and objects of a value are nested; 0: it is none.
[[nodiscard]] int depth_of(std::string_view value);

}  // namespace weir::json
