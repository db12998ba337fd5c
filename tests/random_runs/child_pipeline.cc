#include "tests/random_runs/child_pipeline.h"

#include "base/json.h"

namespace weir::random_runs {
namespace {

json::Object node(const char* id, std::int64_t fails) {
  json::Object node, with;
  node.set("id", id);
  node.set("plugin_id", "x");
  node.set("tool_id", "play");
  if (fails > 0) with.set("fail", fails);
  node.set("with", std::move(with));
  return node;
}

}  // namespace

std::string text_of(const ChildPipeline& child) {
  auto first = node("first", child.tries_again ? 1 : 0);
  auto second = node("second", child.fails ? 1000 : 0);
  if (child.tries_again) {
    json::Object retry;
    retry.set("max_attempts", 2);
    retry.set("delay", "0ms");
    first.set("retry", std::move(retry));
  }
  second.set("needs", json::Array{json::Value("first")});
  json::Object pipeline;
  pipeline.set("id", child.id);
  pipeline.set("nodes", json::Array{json::Value(std::move(first)), json::Value(std::move(second))});
  return json::to_text(pipeline);
}

}  // namespace weir::random_runs
