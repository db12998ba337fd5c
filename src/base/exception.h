#pragma once

#include <string>

#include "base/result.h"

namespace weir {

/// The exception being handled, for people: "std::runtime_error: no such table", or the type alone
/// of what is no std::exception. In a catch block only.
[[nodiscard]] std::string describe_exception();

/// What `call` returns, a Result<void>. What it throws becomes an error, kUnavailable: for calls of
/// code that is not ours.
template <class Call>
[[nodiscard]] Result<void> call_caught(const Call& call) {
  try {
    return call();
  } catch (...) {
    return fail(ErrorCode::kUnavailable, "threw " + describe_exception());
  }
}

}  // namespace weir
