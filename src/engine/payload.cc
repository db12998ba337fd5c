#include "engine/payload.h"

namespace weir::engine {

json::Object merge(const json::Object& initial, std::span<const OutputPointer> outputs) {
  json::Object merged = initial;
  for (const auto& output : outputs) {
    if (output) merged.update(*output);
  }
  return merged;
}

}  // namespace weir::engine
