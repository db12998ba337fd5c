#include "base/exception.h"

#include <cxxabi.h>

#include <cstdlib>
#include <exception>
#include <memory>

namespace weir {
namespace {

/// The type of the exception being handled, as C++ writes it.
std::string type_of_exception() {
  const auto* type = abi::__cxa_current_exception_type();
  if (type == nullptr) return "an unknown exception";
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> name(
      abi::__cxa_demangle(type->name(), nullptr, nullptr, &status), &std::free);
  return status == 0 ? name.get() : type->name();
}

}  // namespace

std::string describe_exception() {
  auto type = type_of_exception();
  try {
    throw;
  } catch (const std::exception& exception) {
    return type + ": " + exception.what();
  } catch (...) {
    return type;
  }
}

}  // namespace weir
