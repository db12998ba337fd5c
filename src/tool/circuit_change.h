#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace weir::tool {

/// What a circuit has come to by a call that a tool has made itself.
struct CircuitChange {
  enum class State : std::uint8_t { kClosed, kOpen, kHalfOpen };
  State state;
  const std::string& operation;
  const std::string& provider;
  std::chrono::milliseconds open_for;  ///< of one that opens
};

}  // namespace weir::tool
