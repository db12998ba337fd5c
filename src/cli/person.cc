#include "cli/person.h"

#include <pwd.h>
#include <unistd.h>

#include <array>

namespace weir::cli {

std::string person() {
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
