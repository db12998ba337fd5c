#include <algorithm>
#include <unordered_map>

#include "base/hash.h"
#include "export/format.h"

namespace weir::exporting {
namespace {

using event::Field;
using event::Type;

constexpr std::string_view kProducer = "urn:weir:" WEIR_VERSION;
constexpr std::string_view kSpecification =
    "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";
/// Of runs whose pipelines are remembered, for who is their child.
constexpr std::size_t kMaxKnownRuns = 100'000;

/// A facet as every one begins: "1-1-0/ParentRunFacet".
json::Object facet(std::string_view version, std::string_view name) {
  json::Object object;
  object.append({"_producer", kProducer});
  object.append({"_schemaURL", "https://openlineage.io/spec/facets/" + std::string(version) + "/" +
                                   std::string(name) + ".json#/$defs/" + std::string(name)});
  return object;
}

std::string_view state_of(Type type) {
  switch (type) {
    case Type::kPipelineStarted:
    case Type::kNodeStarted:
      return "START";
    case Type::kPipelineCompleted:
    case Type::kNodeCompleted:
      return "COMPLETE";
    case Type::kPipelineFailed:
    case Type::kNodeFailed:
      return "FAIL";
    case Type::kPipelineCancelled:
    case Type::kNodeCancelled:
      return "ABORT";
    default:
      return {};
  }
}

json::Object attributes_in(const event::EventView& event) {
  const auto* member = event.find(Field::kAttributes);
  auto value = member == nullptr ? Result<json::Value>() : json::parse(member->text);
  auto* object = value ? value->object() : nullptr;
  return object == nullptr ? json::Object() : std::move(*object);
}

/// The run of an attempt of a node: a UUIDv8 that follows from what it is called.
std::string run_of_node(const event::EventView& event) {
  const auto hash = sha256(event.run_id().text() + "\n" + std::string(event.text(Field::kNodeId)) +
                           "\n" + std::to_string(event.integer(Field::kAttempt).value_or(1)) +
                           "\n" + std::to_string(event.integer(Field::kEngineAttempt).value_or(1)));
  RunId id;
  std::ranges::copy_n(hash.bytes.begin(), id.bytes.size(), id.bytes.begin());
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0F) | 0x80);
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3F) | 0x80);
  return id.text();
}

/// A list of {name, type} as the schema of a dataset.
json::Value schema_facet(const json::Value& columns) {
  auto schema = facet("1-1-1", "SchemaDatasetFacet");
  schema.append({"fields", columns});
  return schema;
}

/// Events that came as OpenLineage leave as they came. Of others a run is a job and a node of it
/// another, below it.
class OpenLineage final : public FormatWriter {
 public:
  explicit OpenLineage(WriteBytes write) : write_(std::move(write)) {}

  Result<void> add(const event::EventView& event, std::string_view line) override {
    static_cast<void>(line);
    if (event.text(Field::kSource) == "openlineage") return put_as_it_came(event);
    const auto state = state_of(event.type());
    if (state.empty()) return {};
    remember(event);
    json::Object made;
    made.append({"eventType", state});
    made.append({"eventTime", event.text(Field::kTimestamp)});
    const bool is_node = !event.text(Field::kNodeId).empty();
    made.append({"run", is_node ? node_run(event) : run(event)});
    made.append({"job", job(event, is_node)});
    json::Array inputs, outputs;
    if (is_node && event.type() == Type::kNodeCompleted) add_datasets(event, inputs, outputs);
    made.append({"inputs", std::move(inputs)});
    made.append({"outputs", std::move(outputs)});
    made.append({"producer", kProducer});
    made.append({"schemaURL", kSpecification});
    return write_(json::to_text(made) + "\n");
  }

 private:
  Result<void> put_as_it_came(const event::EventView& event) {
    const auto attributes = attributes_in(event);
    const auto* told = attributes.find("openlineage");
    // A node of a parent has none: its run has told of it.
    if (told == nullptr || told->object() == nullptr) return {};
    return write_(json::to_text(*told) + "\n");
  }

  void remember(const event::EventView& event) {
    if (event.type() != Type::kPipelineStarted || pipelines_.size() >= kMaxKnownRuns) return;
    pipelines_.try_emplace(event.run_id().text(), event.text(Field::kPipelineId));
  }

  static std::string space(const event::EventView& event) {
    const auto project = event.text(Field::kProjectId), tenant = event.text(Field::kTenantId);
    return std::string(!project.empty() ? project : !tenant.empty() ? tenant : "weir");
  }

  static json::Object reference(std::string_view run_id, const std::string& space_name,
                                std::string_view name) {
    json::Object run_object, job_object, both;
    run_object.append({"runId", run_id});
    job_object.append({"namespace", space_name});
    job_object.append({"name", name});
    both.append({"run", std::move(run_object)});
    both.append({"job", std::move(job_object)});
    return both;
  }

  static void add_failure(json::Object& facets, const event::EventView& event) {
    if (event.text(Field::kErrorMessage).empty()) return;
    auto error = facet("1-0-1", "ErrorMessageRunFacet");
    const std::string type(event.text(Field::kErrorType)), why(event.text(Field::kErrorMessage));
    error.append({"message", type.empty() ? why : type + ": " + why});
    error.append({"programmingLanguage", "unknown"});
    const auto stack = event.text(Field::kStackTrace);
    if (!stack.empty()) error.append({"stackTrace", stack});
    facets.append({"errorMessage", std::move(error)});
  }

  static json::Object with_engine(const event::EventView& event) {
    json::Object facets;
    auto engine = facet("1-1-1", "ProcessingEngineRunFacet");
    engine.append({"version", WEIR_VERSION});
    const auto adapter = event.text(Field::kAdapter);
    engine.append({"name", adapter.empty() || adapter == "local" ? "weir" : adapter});
    facets.append({"processing_engine", std::move(engine)});
    add_failure(facets, event);
    return facets;
  }

  json::Object run(const event::EventView& event) {
    auto facets = with_engine(event);
    const auto parent = event.text(Field::kParentRunId);
    const auto known = pipelines_.find(std::string(parent));
    if (!parent.empty() && known != pipelines_.end()) {
      auto of_parent = facet("1-1-0", "ParentRunFacet");
      of_parent.update(reference(parent, space(event), known->second));
      facets.append({"parent", std::move(of_parent)});
    }
    json::Object object;
    object.append({"runId", event.run_id().text()});
    object.append({"facets", std::move(facets)});
    return object;
  }

  static json::Object node_run(const event::EventView& event) {
    auto facets = with_engine(event);
    auto parent = facet("1-1-0", "ParentRunFacet");
    parent.update(reference(event.run_id().text(), space(event), event.text(Field::kPipelineId)));
    facets.append({"parent", std::move(parent)});
    json::Object object;
    object.append({"runId", run_of_node(event)});
    object.append({"facets", std::move(facets)});
    return object;
  }

  static std::string node_name(const event::EventView& event, std::string_view node) {
    return std::string(event.text(Field::kPipelineId)).append(".").append(node);
  }

  static json::Object job(const event::EventView& event, bool is_node) {
    auto type = facet("2-0-3", "JobTypeJobFacet");
    type.append({"processingType", "BATCH"});
    type.append({"integration", "WEIR"});
    type.append({"jobType", is_node ? "TASK" : "DAG"});
    json::Object facets, object;
    facets.append({"jobType", std::move(type)});
    object.append({"namespace", space(event)});
    object.append({"name", is_node ? node_name(event, event.text(Field::kNodeId))
                                   : std::string(event.text(Field::kPipelineId))});
    object.append({"facets", std::move(facets)});
    return object;
  }

  /// What the node said of its tables: a tool that says nothing has none.
  static void add_datasets(const event::EventView& event, json::Array& inputs,
                           json::Array& outputs) {
    const auto attributes = attributes_in(event);
    if (const auto* schemas = attributes.find("schema_in");
        schemas != nullptr && schemas->object() != nullptr) {
      for (const auto& [name, columns, position] : *schemas->object()) {
        json::Object facets, dataset;
        facets.append({"schema", schema_facet(columns)});
        dataset.append({"namespace", space(event)});
        dataset.append({"name", node_name(event, name)});
        dataset.append({"facets", std::move(facets)});
        add_input_rows(dataset, attributes, name);
        inputs.emplace_back(std::move(dataset));
      }
    }
    const auto* schema = attributes.find("schema_out");
    if (schema == nullptr && !event.has(Field::kRows)) return;
    json::Object facets, dataset;
    if (schema != nullptr) facets.append({"schema", schema_facet(*schema)});
    dataset.append({"namespace", space(event)});
    dataset.append({"name", node_name(event, event.text(Field::kNodeId))});
    dataset.append({"facets", std::move(facets)});
    dataset.append({"outputFacets", output_facets(event)});
    outputs.emplace_back(std::move(dataset));
  }

  static void add_input_rows(json::Object& dataset, const json::Object& attributes,
                             std::string_view name) {
    const auto* rows = attributes.find("rows_in");
    const auto* of_one =
        rows == nullptr || rows->object() == nullptr ? nullptr : rows->object()->find(name);
    if (of_one == nullptr) return;
    auto statistics = facet("1-0-0", "InputStatisticsInputDatasetFacet");
    statistics.append({"rowCount", *of_one});
    json::Object facets;
    facets.append({"inputStatistics", std::move(statistics)});
    dataset.append({"inputFacets", std::move(facets)});
  }

  static json::Object output_facets(const event::EventView& event) {
    auto statistics = facet("1-0-2", "OutputStatisticsOutputDatasetFacet");
    const auto rows = event.integer(Field::kRows), size = event.integer(Field::kWrittenBytes);
    if (rows) statistics.append({"rowCount", *rows});
    if (size) statistics.append({"size", *size});
    json::Object facets;
    if (rows || size) facets.append({"outputStatistics", std::move(statistics)});
    return facets;
  }

  const WriteBytes write_;
  std::unordered_map<std::string, std::string> pipelines_;  // by run
};

}  // namespace

std::unique_ptr<FormatWriter> make_openlineage(WriteBytes write) {
  return std::make_unique<OpenLineage>(std::move(write));
}

}  // namespace weir::exporting
