#include "pipeline/node_ids.h"

#include <bit>
#include <functional>

namespace weir::pipeline {
namespace {

std::uint32_t hash_of(std::string_view id) {
  const auto hash = std::hash<std::string_view>()(id);
  return static_cast<std::uint32_t>(hash ^ (hash >> 32));
}

}  // namespace

NodeIds::NodeIds(const Definition& definition)
    : nodes_(&definition.nodes),
      slots_(std::bit_ceil(2 * std::max<std::size_t>(1, definition.nodes.size()))) {
  for (std::size_t node = 0; node < nodes_->size(); ++node) {
    const std::string_view id = (*nodes_)[node].id.text;
    const auto hash = hash_of(id);
    auto& slot = slots_[place_of(id, hash)];
    if (slot.node == kFree) slot = {.hash = hash, .node = static_cast<NodeIndex>(node)};
  }
}

std::size_t NodeIds::place_of(std::string_view id, std::uint32_t hash) const {
  const auto mask = slots_.size() - 1;
  auto place = hash & mask;
  while (slots_[place].node != kFree &&
         (slots_[place].hash != hash || (*nodes_)[slots_[place].node].id.text != id)) {
    place = (place + 1) & mask;
  }
  return place;
}

std::optional<NodeIndex> NodeIds::find(std::string_view id) const {
  const auto node = slots_[place_of(id, hash_of(id))].node;
  return node == kFree ? std::nullopt : std::optional(node);
}

}  // namespace weir::pipeline
