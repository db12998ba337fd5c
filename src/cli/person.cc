#include "cli/person.h"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace weir::cli {

std::string person() {
  // Said by a server of whoever has asked it; what this process starts does not inherit it.
  static const auto actor = [] {
    const char* said = std::getenv("WEIR_ACTOR");
    std::string name = said == nullptr ? "" : said;
    ::unsetenv("WEIR_ACTOR");
    return name;
  }();
  if (!actor.empty()) return actor;
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> names{};
  if (::getpwuid_r(::geteuid(), &entry, names.data(), names.size(), &found) == 0 &&
      found != nullptr) {
    return found->pw_name;
  }
  return "uid " + std::to_string(::geteuid());
}

}  // namespace weir::cli
