#include "config/names.h"

#include <algorithm>

namespace weir::config {
namespace {

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// Letters, digits and `others`.
bool consists_of(std::string_view name, std::string_view others) {
  return !name.empty() && std::ranges::all_of(name, [&](char c) {
    return is_alphanumeric(c) || others.contains(c);
  });
}

}  // namespace

Names variable_names() {
  return {.what = "the name of an environment variable",
          .pattern = "^[A-Za-z_][A-Za-z0-9_]*$",
          .accepts = [](std::string_view name) {
            return consists_of(name, "_") && (name[0] < '0' || name[0] > '9');
          }};
}

Names header_names() {
  return {.what = "the name of a header",
          .pattern = "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$",
          .accepts = [](std::string_view name) { return consists_of(name, "!#$%&'*+-.^_`|~"); }};
}

}  // namespace weir::config
