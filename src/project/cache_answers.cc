#include "project/cache_answers.h"

#include "base/utf8.h"

namespace weir::project {
namespace {

using event::Field;
using event::Type;

/// As the end of a node tells it, if it does.
std::optional<CacheAnswer> answer_at_end(const event::EventView& event) {
  if (event.text(Field::kOutcome) == "cached") return CacheAnswer::kHit;
  const auto* hit = event.find(Field::kCacheHit);
  if (hit == nullptr || hit->kind != json::Kind::kBoolean) return {};
  return hit->boolean ? CacheAnswer::kHit : CacheAnswer::kMiss;
}

}  // namespace

std::optional<CacheAnswer> CacheAnswers::add(const event::EventView& event) {
  const auto node = [&] {
    return std::pair(RunKey::of(event),
                     std::string(utf8::cut(event.text(Field::kNodeId), kMaxNodeIdBytes)));
  };
  switch (event.type()) {
    case Type::kCacheHit:
    case Type::kCacheMiss:
      if (told_.size() >= kMaxOpenNodes) told_.erase(told_.begin());
      told_.insert(node());
      return event.type() == Type::kCacheHit ? CacheAnswer::kHit : CacheAnswer::kMiss;
    case Type::kNodeCompleted:
      return told_.erase(node()) > 0 ? std::nullopt : answer_at_end(event);
    case Type::kNodeFailed:
    case Type::kNodeCancelled:
      told_.erase(node());
      return {};
    case Type::kPipelineCompleted:
    case Type::kPipelineFailed:
    case Type::kPipelineCancelled: {
      const auto run = RunKey::of(event);
      const auto begin = told_.lower_bound({run, {}});
      auto end = begin;
      while (end != told_.end() && end->first == run) ++end;
      told_.erase(begin, end);
      return {};
    }
    default:
      return {};
  }
}

}  // namespace weir::project
