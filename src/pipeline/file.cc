#include "pipeline/file.h"

#include <unistd.h>

#include <algorithm>
#include <functional>
#include <set>
#include <unordered_map>

#include "base/file.h"
#include "base/yaml.h"
#include "pipeline/table.h"

namespace weir::pipeline {
namespace {

/// Makes a definition of what is written: edges of `needs`, the nodes of a line, what is derived.
class Completion {
 public:
  Completion(Written written, config::Problems& problems, std::vector<Problem>& warnings)
      : written_(std::move(written)),
        definition_(std::move(written_.definition)),
        problems_(problems),
        warnings_(warnings) {}

  Definition complete(const json::Object& file) {
    if (definition_.type == PipelineType::kLinear) {
      add_line();
    } else {
      add_graph(file);
    }
    for (auto& node : definition_.nodes) {
      complete(node);
    }
    derive_ends(file);
    if (definition_.name.empty()) definition_.name = definition_.id;
    return std::move(definition_);
  }

 private:
  void add_graph(const json::Object& file) {
    const auto* nodes = file.find("nodes");
    if (nodes == nullptr || nodes->is_null() || (nodes->array() && nodes->array()->empty())) {
      problems_.add(nodes == nullptr ? json::Position{1, 1} : nodes->position,
                    "the pipeline has no nodes");
    }
    definition_.nodes.reserve(written_.nodes.size());
    for (auto& node : written_.nodes) {
      if (node.id.position.line == 0) node.id.position = node.position;  // for problems
      add_edges(node);
      check_other_dialect(node);
      take_other_name(node.plugin_type, node.plugin_id);
      take_other_name(node.tool_type, node.tool_id);
      definition_.nodes.push_back(std::move(static_cast<Node&>(node)));
    }
    definition_.edges.shrink_to_fit();
  }

  /// A node that is needed twice is needed.
  void add_edges(WrittenNode& node) {
    const auto first = definition_.edges.size();
    for (auto& needed : node.needs) {
      const auto begin = definition_.edges.begin() + static_cast<std::ptrdiff_t>(first);
      const bool is_known = !needed.text.empty() &&
                            std::any_of(begin, definition_.edges.end(), [&](const Edge& edge) {
                              return edge.from.text == needed.text;
                            });
      if (is_known) {
        warnings_.push_back({needed.position,
                             "node '" + node.id.text + "' needs '" + needed.text +
                                 "' twice: the second time is passed over",
                             "DUPLICATE_NEED"});
      } else {
        definition_.edges.push_back({std::move(needed), node.id});
      }
    }
  }

  /// Files that name nodes by what they do are meant to say what goes along their edges.
  void check_other_dialect(const WrittenNode& node) {
    if (node.tool_type.position.line == 0) return;
    if (!node.input_types.empty() && !node.output_types.empty()) return;
    warnings_.push_back({node.tool_type.position,
                         "node '" + node.id.text +
                             "' has a 'tool_type', and not both 'input_types' and 'output_types': "
                             "its edges are checked by what its tool says, if that says anything",
                         "TYPES_MISSING"});
  }

  void take_other_name(Located& other, Located& name) {
    if (other.position.line == 0) return;
    if (name.position.line != 0) {
      return problems_.add(other.position, "'" + other.text + "' and '" + name.text +
                                               "' are two names of the same: leave one out");
    }
    name = std::move(other);
  }

  /// One tool after the other. A node is called after its tool.
  void add_line() {
    std::unordered_map<std::string, int> uses;
    for (auto& tool : written_.tools) {
      tool.plugin_id = written_.plugin_id;
      if (tool.id.position.line == 0) tool.id.position = tool.position;
      if (tool.id.text.empty()) {
        const int use = ++uses[tool.tool_id.text];
        tool.id.text = tool.tool_id.text + (use == 1 ? "" : "_" + std::to_string(use));
      }
      if (!definition_.nodes.empty()) {
        definition_.edges.push_back({definition_.nodes.back().id, tool.id});
      }
      definition_.nodes.push_back(std::move(static_cast<Node&>(tool)));
    }
  }

  void complete(Node& node) {
    if (!node.retry && definition_.defaults.retry) node.retry = *definition_.defaults.retry;
    if (!node.timeout) node.timeout = definition_.defaults.timeout;
    node.has_references = find(node.with, node.references);
    if (node.undo) node.undo->has_references = find(node.undo->with, node.undo->references);
  }

  bool find(const json::Object& with, std::vector<Reference>& references) {
    if (!has_references(with)) return false;
    std::vector<Problem> wrong;
    find_references(with, references, wrong);
    for (const auto& problem : wrong) problems_.add(problem.position, problem.message);
    return true;
  }

  /// Entries and outputs that the file does not name are the nodes without predecessors and those
  /// without successors.
  void derive_ends(const json::Object& file) {
    const auto* outputs = file.find("output_nodes");
    definition_.names_output_nodes = outputs != nullptr && outputs->array() != nullptr;
    std::set<std::string_view> with_predecessor, with_successor;
    for (const auto& edge : definition_.edges) {
      with_successor.insert(edge.from.text);
      with_predecessor.insert(edge.to.text);
    }
    const auto derive = [&](const auto& excluded, std::vector<Located>& ends) {
      for (const auto& node : definition_.nodes) {
        if (!excluded.contains(node.id.text)) ends.push_back(node.id);
      }
    };
    if (file.find("entry_nodes") == nullptr) derive(with_predecessor, definition_.entry_nodes);
    if (outputs == nullptr) derive(with_successor, definition_.output_nodes);
  }

  Written written_;
  Definition definition_;
  config::Problems& problems_;
  std::vector<Problem>& warnings_;
};

bool has_type(const json::Object& schema, std::string_view type) {
  const auto* types = schema.find("type");
  if (types == nullptr) return false;
  if (types->string() != nullptr) return *types->string() == type;
  const auto& list = *types->array();
  return std::find(list.begin(), list.end(), json::Value(type)) != list.end();
}

/// Whether there are values that no text can say.
bool takes_more_than_text(const json::Object& schema) {
  if (has_type(schema, "string") || schema.find("enum") != nullptr) return false;
  if (schema.find("type") == nullptr) return schema.find("anyOf") == nullptr;  // any value
  if (!has_type(schema, "object") && !has_type(schema, "array")) return true;
  const auto* values = schema.find("additionalProperties");
  const bool is_free =
      schema.find("properties") == nullptr && schema.find("items") == nullptr && values == nullptr;
  return is_free || has_type(schema, "boolean") ||
         (values != nullptr && values->object() != nullptr &&
          takes_more_than_text(*values->object()));
}

/// The keys whose values are not text, of all objects in a schema.
void find_resolved_keys(const json::Object& schema, std::set<std::string>& keys) {
  if (const auto* properties = schema.find("properties")) {
    for (const auto& [key, value, position] : *properties->object()) {
      const auto& inside = *value.object();
      if (takes_more_than_text(inside)) {
        keys.insert(key);
      } else {
        find_resolved_keys(inside, keys);
      }
    }
  }
  for (const auto* key : {"items", "additionalProperties"}) {
    const auto* inside = schema.find(key);
    if (inside != nullptr && inside->object() != nullptr) {
      find_resolved_keys(*inside->object(), keys);
    }
  }
}

/// In YAML, what a pipeline says is text (`version: 1.10` is not 1.1) where it may be text.
const yaml::Options& yaml_options() {
  static const yaml::Options options = [] {
    std::set<std::string> keys;
    find_resolved_keys(pipeline_shape().schema, keys);
    return yaml::Options{.resolve_only_in = {keys.begin(), keys.end()}};
  }();
  return options;
}

Result<std::string> text_of(const std::filesystem::path& path) {
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

Result<json::Value> parse_text(const std::filesystem::path& path, const std::string& text) {
  const auto extension = path.extension();
  if (extension == ".json") return json::parse(text);
  if (extension == ".yaml" || extension == ".yml") return yaml::parse(text, yaml_options());
  return fail(ErrorCode::kInvalidInput,
              "the file's name must end in .json, .yaml or .yml: that says how to read it");
}

File read_definition(const json::Value& value) {
  File file;
  config::Problems problems;
  if (value.object() == nullptr) {
    problems.add(value.position, "a pipeline is an object, this is " + std::string(value.kind()));
  } else if (auto written = pipeline_shape().read(value, nullptr, {"pipeline", &problems})) {
    file.definition =
        Completion(*std::move(written), problems, file.warnings).complete(*value.object());
  }
  if (problems.full()) {  // the rest was not read: nothing can be said of what it means
    file.definition = {.id = file.definition.id, .name = file.definition.name};
  }
  file.problems = problems.take();
  return file;
}

Result<File> load_file(const std::filesystem::path& path) {
  WEIR_TRY(auto text, text_of(path));
  auto file = read_text(path, std::move(text));
  std::error_code error;
  file.folder = std::filesystem::absolute(path, error).parent_path();
  return file;
}

std::string file_name_of(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  const bool is_json = first != std::string_view::npos && text[first] == '{';
  return is_json ? "pipeline.json" : "pipeline.yaml";
}

File read_text(const std::filesystem::path& path, std::string text) {
  File file;
  if (const auto value = parse_text(path, text)) {
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
