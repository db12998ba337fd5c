#include <algorithm>

#include "pipeline/shapes.h"
#include "pipeline/table.h"
#include "pipeline/tool_schema.h"

namespace weir::pipeline {
namespace {

using config::key;
using config::Key;
using config::object;
using config::optional;
using config::Place;
using config::Shape;

using N = WrittenNode;

/// What the tool gets beside the payload: also whether and where it stands.
Key<N> with_key() {
  auto result = key<N>("with", &N::with, any_object(),
                       "the [tool's settings](tools.md), with references: see above");
  result.read = [read = any_object().read](const json::Value& value, N& node, const Place& place) {
    auto with = read(value, nullptr, place);
    node.with_was_read = with.has_value();
    node.with_position = value.position;
    if (with) node.with = *std::move(with);
  };
  return result;
}

/// What nodes of a graph have and tools of a line have not.
std::vector<Key<N>> graph_keys() {
  return {
      key<N>("plugin_id", &N::plugin_id, located("a plugin's id"), "whose tool is called"),
      key<N>("plugin_type", &N::plugin_type, located("a plugin's id"), "another name of it"),
      key<N>("tool_type", &N::tool_type, located("a tool's id"), "another name of `tool_id`"),
      key<N>("pipeline", &N::pipeline, word("a pipeline's id"),
             "a pipeline of the registry that is run in the place of a tool: see above"),
      key<N>("needs", &N::needs, located_list("node ids"),
             "the nodes before this one: short for `edges`"),
  };
}

std::vector<Key<N>> common_keys() {
  return {
      key<N>("id", &N::id, located("a node's id"),
             "its name: letters, digits, `_`, `-` and `.`, not twice in any case of letters"),
      key<N>("tool_id", &N::tool_id, located("a tool's id"), "which tool is called"),
      key<N>("description", &N::description, plain_text(), "for people"),
      with_key(),
      key<N>("when", &N::when, rare(expression()),
             "the node is skipped unless this is true: see above"),
      key<N>("for_each", &N::for_each, rare(whole_reference()),
             "a list: the node is run once for each of its items, `${item}`"),
      key<N>("retry", &N::retry, rare(retry_shape()), "how failed attempts are repeated",
             {.fallback = "as `defaults`"}),
      key<N>("timeout", &N::timeout, optional(timeout_shape()), "of one attempt",
             {.fallback = "as `defaults`"}),
      key<N>("guard_retry", &N::guard_retry, rare(guard_retry_shape()),
             "what is run again when this node fails"),
      key<N>("approval", &N::approval, rare(approval_shape()),
             "a person must agree before it starts"),
      key<N>("undo", &N::undo, rare(placed(undo_shape())),
             "what is called when the run fails after this node has completed, the last node "
             "first"),
      key<N>("cache", &N::cache, rare(cache_shape()),
             "whether an earlier output for the same tool, settings and input is taken"),
      key<N>("domain", &N::domain, word("the name of a domain"),
             "of `domains`: how many of its nodes run at a time"),
      key<N>("effects_once", &N::effects_once, config::boolean(),
             "an attempt that may have had its effects is not tried again"),
      key<N>("circuit_breaker", &N::circuit_breaker, rare(circuit_breaker_shape()),
             "calls fail at once while the provider is down"),
      key<N>("input_types", &N::input_types, words("types"), "what it takes",
             {.fallback = "as its tool"}),
      key<N>("output_types", &N::output_types, words("types"), "what it makes",
             {.fallback = "as its tool"}),
  };
}

Key<N> required(Key<N> one) {
  one.info.options.required = true;
  return one;
}

json::Object needed(const std::vector<std::string>& keys) {
  json::Object rules;
  rules.set("required", json::Array(keys.begin(), keys.end()));
  return rules;
}

}  // namespace

Shape<WrittenNode> node_shape() {
  auto keys = common_keys();
  keys.front() = required(std::move(keys.front()));
  auto others = graph_keys();
  std::move(others.begin(), others.end(), std::back_inserter(keys));
  // What validate says for people.
  json::Object rules;
  rules.set("oneOf", json::Array{needed({"plugin_id", "tool_id"}),
                                 needed({"plugin_type", "tool_type"}), needed({"pipeline"})});
  rules.set("allOf", json::Array{reference_to(kNodeDefinition)});
  return placed(object<N>("a node", keys, {.rules = std::move(rules)}));
}

Shape<WrittenNode> linear_tool_shape() {
  auto keys = common_keys();
  keys[1] = required(std::move(keys[1]));
  const auto node = placed(object<N>("a tool", keys));
  json::Object text;
  text.set("type", "string");
  json::Object schema;
  schema.set("anyOf", json::Array{std::move(text), node.schema});
  auto read = [read = node.read](const json::Value& value, const N*,
                                 const Place& place) -> std::optional<N> {
    if (value.string() == nullptr) return read(value, nullptr, place);
    N result;
    result.tool_id = {.text = *value.string(), .position = value.position};
    result.position = value.position;
    return result;
  };
  return {.what = "a tool's id, or an object",
          .schema = std::move(schema),
          .read = std::move(read),
          .write = node.write,
          .rows = {}};
}

}  // namespace weir::pipeline
