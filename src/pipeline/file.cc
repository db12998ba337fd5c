#include "pipeline/file.h"

#include <unistd.h>

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <map>
#include <set>

#include "base/file.h"
#include "base/text.h"
#include "base/yaml.h"

namespace weir::pipeline {
namespace {

/// One object of the file: hands out its members, each once, and complains of all others.
class ObjectReader {
 public:
  ObjectReader(const json::Object& object, json::Position position, std::string what,
               std::vector<Problem>& problems)
      : object_(object), position_(position), what_(std::move(what)), problems_(problems) {}

  [[nodiscard]] bool has(std::string_view key) const { return object_.find(key) != nullptr; }
  /// Null when it is not there, or not a string; only the second is a problem.
  const json::Value* string(const std::string& key) {
    return take(key, "a string", [](const json::Value& v) { return v.string() != nullptr; });
  }
  const json::Value* array(const std::string& key) {
    return take(key, "a list", [](const json::Value& v) { return v.array() != nullptr; });
  }
  const json::Value* object(const std::string& key) {
    return take(key, "an object", [](const json::Value& v) { return v.object() != nullptr; });
  }
  /// Nothing when it is not there, or is neither; only the second is a problem.
  std::optional<bool> truth(const std::string& key) {
    const auto* value =
        take(key, "true or false", [](const json::Value& v) { return truth_of(v).has_value(); });
    return value == nullptr ? std::nullopt : truth_of(*value);
  }
  /// The same, but an object may stand in its place.
  const json::Value* truth_or_object(const std::string& key) {
    return take(key, "true, false or an object", [](const json::Value& v) {
      return truth_of(v).has_value() || v.object() != nullptr;
    });
  }
  /// In YAML what stands outside of `with` is text.
  static std::optional<bool> truth_of(const json::Value& value) {
    if (value.boolean() != nullptr) return *value.boolean();
    const auto* text = value.string();
    if (text == nullptr || (*text != "true" && *text != "false")) return {};
    return *text == "true";
  }
  /// A string, or a number as people write versions.
  std::optional<std::string> word(const std::string& key) {
    const auto* value = take(key, "a string", [](const json::Value& v) {
      return v.string() || v.integer() || std::holds_alternative<double>(v.variant());
    });
    if (value == nullptr) return {};
    return value->string() != nullptr ? *value->string() : json::to_text(*value);
  }
  Located required_string(const std::string& key) {
    const auto* value = string(key);
    if (value != nullptr) return {*value->string(), value->position};
    if (!has(key)) problem(position_, what_ + " has no '" + key + "'");
    return {"", position_};
  }
  std::vector<Located> strings(const std::string& key) {
    std::vector<Located> result;
    const auto* list = array(key);
    if (list == nullptr) {
      show_as_list(key);
      return result;
    }
    for (const auto& item : *list->array()) {
      if (item.string() != nullptr) {
        result.push_back({*item.string(), item.position});
      } else {
        problem(item.position,
                "'" + key + "' holds " + std::string(item.kind()) + ", not a string");
      }
    }
    return result;
  }

  /// Call last: what nobody asked for is unknown.
  void finish() {
    std::set<std::string_view> seen;
    for (const auto& member : object_) {
      if (!seen.insert(member.key).second) {
        problem(member.position, "'" + member.key + "' is given twice");
      } else if (std::find(asked_.begin(), asked_.end(), member.key) == asked_.end()) {
        problem(member.position, "unknown key '" + member.key + "' in " + what_ +
                                     text::did_you_mean(member.key, asked_));
      }
    }
  }
  void problem(json::Position at, std::string message) {
    problems_.push_back({at, std::move(message)});
  }

 private:
  template <class Predicate>
  const json::Value* take(const std::string& key, std::string_view expected, Predicate fits) {
    asked_.push_back(key);
    const auto* value = object_.find(key);
    if (value == nullptr || fits(*value)) return value;
    problem(value->position, "'" + key + "' is " + std::string(value->kind()) + ", " +
                                 std::string(expected) + " is expected");
    return nullptr;
  }

  /// To the problem of a string in the place of a list: how it is written.
  void show_as_list(const std::string& key) {
    constexpr std::size_t kMaxShown = 128;
    const auto* value = object_.find(key);
    if (value == nullptr || value->string() == nullptr) return;
    const auto& text = *value->string();
    problems_.back().message +=
        ": write " + key + ": [" + (text.size() <= kMaxShown ? text : "…") + "]";
  }

  const json::Object& object_;
  json::Position position_;
  std::string what_;
  std::vector<Problem>& problems_;
  std::vector<std::string> asked_;
};

class DefinitionReader {
 public:
  File read(const json::Value& value) {
    if (value.object() == nullptr) {
      problem(value.position, "a pipeline is an object, this is " + std::string(value.kind()));
      return std::move(file_);
    }
    ObjectReader reader(*value.object(), value.position, "the pipeline", file_.problems);
    auto& definition = file_.definition;
    definition.id = reader.required_string("id").text;
    definition.name = reader.word("name").value_or(definition.id);
    definition.version = reader.word("version").value_or("1");
    static_cast<void>(reader.word("description"));
    read_on_log_failure(reader);
    read_wide_events(reader);
    if (read_type(reader) == PipelineType::kLinear) {
      read_linear(reader, value.position);
    } else {
      read_nodes(reader, value);
      read_edges(reader);
    }
    read_ends(reader, value);
    reader.finish();
    return std::move(file_);
  }

 private:
  void problem(json::Position at, std::string message) {
    file_.problems.push_back({at, std::move(message)});
  }

  PipelineType read_type(ObjectReader& reader) {
    const auto* type = reader.string("type");
    if (type == nullptr || *type->string() == "dag") return PipelineType::kDag;
    if (*type->string() != "linear") {
      problem(type->position, "'type' is '" + *type->string() + "', 'dag' or 'linear' is expected");
      return PipelineType::kDag;
    }
    return file_.definition.type = PipelineType::kLinear;
  }

  void read_on_log_failure(ObjectReader& reader) {
    const auto* choice = reader.string("on_log_failure");
    if (choice == nullptr) return;
    const auto& word = *choice->string();
    if (word != "stop" && word != "continue") {
      return problem(choice->position,
                     "'on_log_failure' is '" + word + "', 'stop' or 'continue' is expected");
    }
    file_.definition.on_log_failure =
        word == "stop" ? OnLogFailure::kStop : OnLogFailure::kContinue;
  }

  /// `true` is both of them.
  void read_wide_events(ObjectReader& reader) {
    const auto* value = reader.truth_or_object("wide_events");
    if (value == nullptr) return;
    auto& [nodes, run] = file_.definition.wide_events;
    if (value->object() == nullptr) {
      nodes = run = ObjectReader::truth_of(*value).value_or(false);
      return;
    }
    ObjectReader wide(*value->object(), value->position, "'wide_events'", file_.problems);
    nodes = wide.truth("nodes").value_or(false);
    run = wide.truth("run").value_or(false);
    wide.finish();
  }

  /// `tools` of one plugin, one after the other. A node is called after its tool.
  void read_linear(ObjectReader& reader, json::Position position) {
    const auto plugin = reader.required_string("plugin_id");
    const auto* tools = reader.array("tools");
    if (tools == nullptr || tools->array()->empty()) {
      return problem(position, "a linear pipeline has no 'tools'");
    }
    auto& definition = file_.definition;
    std::map<std::string, int> uses;
    for (const auto& tool : *tools->array()) {
      auto node = read_linear_tool(tool);
      if (!node) continue;
      node->plugin_id = plugin;
      if (node->id.text.empty()) {
        const int use = ++uses[node->tool_id.text];
        node->id = {use == 1 ? node->tool_id.text : node->tool_id.text + "_" + std::to_string(use),
                    tool.position};
      }
      if (!definition.nodes.empty())
        definition.edges.push_back({definition.nodes.back().id, node->id});
      definition.nodes.push_back(std::move(*node));
    }
  }

  /// One of `tools`: its name, or an object with `tool_id` and perhaps `id` and `with`.
  std::optional<Node> read_linear_tool(const json::Value& value) {
    if (value.string() != nullptr) {
      return Node{.tool_id = {*value.string(), value.position}, .with_position = value.position};
    }
    if (value.object() == nullptr) {
      problem(value.position,
              "'tools' holds " + std::string(value.kind()) + ", not a string or an object");
      return {};
    }
    ObjectReader reader(*value.object(), value.position, "a tool", file_.problems);
    Node node{.tool_id = reader.required_string("tool_id")};
    if (const auto* id = reader.string("id")) node.id = {*id->string(), id->position};
    read_with(reader, value.position, node);
    reader.finish();
    return node;
  }

  static void read_with(ObjectReader& reader, json::Position position, Node& node) {
    const auto* with = reader.object("with");
    node.with_position = with == nullptr ? position : with->position;
    node.with_was_read = with != nullptr || !reader.has("with");
    if (with != nullptr) node.with = *with->object();
  }

  void read_nodes(ObjectReader& reader, const json::Value& pipeline) {
    const auto* nodes = reader.array("nodes");
    if (nodes == nullptr) {
      if (pipeline.object()->find("nodes") == nullptr) {
        problem(pipeline.position, "the pipeline has no 'nodes'");
      }
      return;
    }
    if (nodes->array()->empty()) problem(nodes->position, "the pipeline has no nodes");
    for (const auto& node : *nodes->array()) read_node(node);
  }

  void read_node(const json::Value& value) {
    if (value.object() == nullptr) {
      return problem(value.position, "a node is an object, this is " + std::string(value.kind()));
    }
    ObjectReader reader(*value.object(), value.position, "a node", file_.problems);
    Node node;
    node.id = reader.required_string("id");
    node.plugin_id = reader.required_string("plugin_id");
    node.tool_id = reader.required_string("tool_id");
    static_cast<void>(reader.word("description"));
    read_with(reader, value.position, node);
    for (auto& needed : reader.strings("needs")) needs_.push_back({std::move(needed), node.id});
    reader.finish();
    file_.definition.nodes.push_back(std::move(node));
  }

  void read_edges(ObjectReader& reader) {
    auto& edges = file_.definition.edges;
    if (const auto* list = reader.array("edges")) {
      for (const auto& value : *list->array()) {
        if (value.object() == nullptr) {
          problem(value.position, "an edge is an object, this is " + std::string(value.kind()));
          continue;
        }
        ObjectReader edge(*value.object(), value.position, "an edge", file_.problems);
        edges.push_back({edge.required_string("from_node"), edge.required_string("to_node")});
        edge.finish();
      }
    }
    std::move(needs_.begin(), needs_.end(), std::back_inserter(edges));
  }

  /// Entries and outputs that the file does not name are the nodes without predecessors and those
  /// without successors.
  void read_ends(ObjectReader& reader, const json::Value& pipeline) {
    auto& definition = file_.definition;
    definition.entry_nodes = reader.strings("entry_nodes");
    definition.output_nodes = reader.strings("output_nodes");
    std::set<std::string_view> with_predecessor, with_successor;
    for (const auto& edge : definition.edges) {
      with_successor.insert(edge.from.text);
      with_predecessor.insert(edge.to.text);
    }
    const auto derive = [&](const char* key, const auto& excluded, std::vector<Located>& ends) {
      if (pipeline.object()->find(key) != nullptr) return;
      for (const auto& node : definition.nodes) {
        if (!excluded.contains(node.id.text)) ends.push_back(node.id);
      }
    };
    derive("entry_nodes", with_predecessor, definition.entry_nodes);
    derive("output_nodes", with_successor, definition.output_nodes);
  }

  File file_;
  std::vector<Edge> needs_;
};

Result<json::Value> parse_by_name(const std::filesystem::path& path, const std::string& text) {
  const auto extension = path.extension();
  if (extension == ".json") return json::parse(text);
  // All that a pipeline says outside of `with` is text: `version: 1.10` is not 1.1.
  if (extension == ".yaml" || extension == ".yml") {
    return yaml::parse(text, {.resolve_only_in = "with"});
  }
  return fail(ErrorCode::kInvalidInput,
              "the file's name must end in .json, .yaml or .yml: that says how to read it");
}

Result<std::string> read_text(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    const auto inside = path / "pipeline.yaml";
    const bool is_there = std::filesystem::exists(inside, error);
    return fail(ErrorCode::kIo, path.string() + ": a folder, a pipeline file is expected" +
                                    (is_there ? ", did you mean '" + inside.string() + "'?" : ""));
  }
  // Asked first because of the message: that the file could not be opened is all that is to say.
  if (::access(path.c_str(), R_OK) != 0) return fail_errno(path.string());
  return read_file(path, kMaxFileBytes);
}

}  // namespace

File read_definition(const json::Value& value) { return DefinitionReader().read(value); }

Result<File> load_file(const std::filesystem::path& path) {
  WEIR_TRY(auto text, read_text(path));
  File file;
  if (const auto value = parse_by_name(path, text)) {
    file = read_definition(*value);
  } else {
    file.problems.push_back(located(value.error()));
  }
  file.text = std::move(text);
  if (file.definition.id.empty()) file.definition.id = path.stem().string();
  if (file.definition.name.empty()) file.definition.name = file.definition.id;
  return file;
}

}  // namespace weir::pipeline
