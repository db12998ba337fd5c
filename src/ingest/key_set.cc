#include "ingest/key_set.h"

#include <algorithm>

namespace weir::ingest {
namespace {

constexpr EventKey kFreeSlot{};

/// Where the key stands, or the free slot in which it would.
std::size_t slot_of(const auto& slots, const EventKey& key) {
  const auto mask = slots.size() - 1;
  auto at = key.low & mask;
  while (slots[at] != key && slots[at] != kFreeSlot) at = (at + 1) & mask;
  return at;
}

}  // namespace

bool KeySet::insert(const EventKey& key) {
  auto& part = part_of(key);
  if (2 * (part.size + 1) > part.slots.size()) grow(part);
  auto& slot = part.slots[slot_of(part.slots, key)];
  if (slot == key) return false;
  slot = key;
  ++part.size;
  ++size_;
  return true;
}

void KeySet::grow(Part& part) {
  constexpr std::size_t kFirst = 64;
  Slots larger(std::max(kFirst, 2 * part.slots.size()));
  for (const auto& key : part.slots) {
    if (key != kFreeSlot) larger[slot_of(larger, key)] = key;
  }
  part.slots = std::move(larger);
}

void KeySet::erase(const EventKey& key) {
  auto& part = part_of(key);
  auto& slots = part.slots;
  if (slots.empty()) return;
  auto free = slot_of(slots, key);
  if (slots[free] != key) return;
  // Those behind it move up, unless that is before where they are looked for.
  const auto mask = slots.size() - 1;
  for (auto at = (free + 1) & mask; slots[at] != kFreeSlot; at = (at + 1) & mask) {
    if (((at - slots[at].low) & mask) < ((at - free) & mask)) continue;
    slots[free] = slots[at];
    free = at;
  }
  slots[free] = kFreeSlot;
  --part.size;
  --size_;
}

}  // namespace weir::ingest
