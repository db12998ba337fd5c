#include "engine/registry_events.h"

#include "base/file.h"
#include "base/hash.h"
#include "engine/local_adapter.h"
#include "engine/run_place.h"

namespace weir::engine {
namespace {

using event::Field;
using event::Type;

/// 10 000 files of 64 folders, with long paths.
constexpr std::uint64_t kMaxSeenBytes = std::uint64_t{256} << 20;
/// Of a problem that is quoted.
constexpr std::size_t kMaxQuoted = 1000;

std::filesystem::path seen_path(const log::StoreDirectory& store) {
  return store.root() / "cache" / "registry";
}

/// What is known of each file, by its absolute path. A damaged one has seen nothing.
json::Object read_seen(const log::StoreDirectory& store) {
  const auto text = read_file(seen_path(store), kMaxSeenBytes);
  auto value = text ? json::parse(*text) : std::unexpected(text.error());
  return value && value->object() != nullptr ? std::move(*value->object()) : json::Object();
}

/// "HASH VERSION"
std::string known_of(const pipeline::File& file) {
  return sha256(file.text).text() + " " + file.definition.version;
}

std::string_view known_at(const json::Object& seen, const std::filesystem::path& path) {
  const auto* known = seen.find(absolute_path(path).string());
  return known == nullptr || known->string() == nullptr ? std::string_view()
                                                        : std::string_view(*known->string());
}

/// Whether its text is another, and its version, which it keeps, is not.
bool has_changed_alone(const pipeline::File& file, std::string_view known) {
  const auto& version = file.definition.version;
  if (version == pipeline::Definition().version) return false;
  const auto now = known_of(file);
  const auto space = known.find(' ');
  return space != std::string_view::npos && known != now && known.substr(space + 1) == version;
}

Problem changed_problem(const pipeline::File& file) {
  return {.position = {.line = 1, .column = 1},
          .message = "the text of pipeline '" + file.definition.id +
                     "' has changed since it was "
                     "run last, and its version is '" +
                     file.definition.version + "' still",
          .code = "CHANGED_WITHOUT_VERSION"};
}

json::Object entry_attributes(const pipeline::RegistryEntry& entry) {
  json::Object attributes;
  attributes.set("pipeline_id", entry.file.definition.id);
  attributes.set("pipeline_version", entry.file.definition.version);
  attributes.set("file", absolute_path(entry.path).string());
  return attributes;
}

json::Object expectation_object(const pipeline::Expectation& expect) {
  json::Object object;
  if (expect.every) object.set("every_ms", expect.every->count());
  if (!expect.cron.empty()) object.set("cron", expect.cron);
  object.set("grace_ms", expect.grace.count());
  return object;
}

Result<void> emit_of_process(Type type, std::string_view tenant_id, record::Recorder& recorder,
                             std::span<const event::FieldValue> fields) {
  return recorder.process_runs().emit(record::Retention::kAudit, tenant_id, type,
                                      event::info(type).level, fields);
}

Result<void> record_validated(const pipeline::RegistryEntry& entry, const std::string& hash,
                              const std::vector<Problem>& warnings, record::Recorder& recorder,
                              std::string_view tenant_id) {
  const auto& definition = entry.file.definition;
  auto attributes = entry_attributes(entry);
  attributes.set("node_count", static_cast<std::int64_t>(definition.nodes.size()));
  attributes.set("problems", static_cast<std::int64_t>(entry.problems.size()));
  attributes.set("warnings", static_cast<std::int64_t>(warnings.size()));
  if (definition.expect) attributes.set("expect", expectation_object(*definition.expect));
  const auto text = json::to_text(attributes);
  const auto* outcome = !entry.problems.empty() ? "errors"
                        : warnings.empty()      ? "valid"
                                                : "warnings";
  std::vector<event::FieldValue> fields = {{Field::kAdapter, kLocalAdapter},
                                           {Field::kOutcome, std::string_view(outcome)}};
  std::string problem;
  if (!entry.problems.empty()) {
    problem = to_string(entry.problems.front(), entry.path.string()).substr(0, kMaxQuoted);
    fields.push_back({Field::kErrorMessage, std::string_view(problem)});
  }
  fields.push_back({Field::kDefinitionSha256, std::string_view(hash)});
  fields.push_back({Field::kAttributes, event::ObjectText{text}});
  return emit_of_process(Type::kPipelineValidated, tenant_id, recorder, fields);
}

}  // namespace

Result<void> record_registry(const pipeline::Registry& registry, const tool::Registry& tools,
                             record::Recorder& recorder, const artifact::ArtifactStore& artifacts,
                             std::string_view tenant_id) {
  const auto seen = read_seen(recorder.store());
  json::Object now;
  bool is_new = false;
  for (const auto& entry : registry.entries()) {
    const auto known = known_of(entry.file);
    now.set(absolute_path(entry.path).string(), known);
    const auto before = known_at(seen, entry.path);
    if (before == known) continue;
    is_new = true;
    std::vector<Problem> warnings;
    if (entry.problems.empty()) warnings = pipeline::warnings_of(entry.file, tools);
    if (has_changed_alone(entry.file, before)) warnings.push_back(changed_problem(entry.file));
    WEIR_TRY(const auto kept, artifacts.put(entry.file.text));
    WEIR_TRY(record_validated(entry, kept.text(), warnings, recorder, tenant_id));
  }
  if (!is_new && now.size() == seen.size()) return {};
  WEIR_TRY(recorder.process_runs().flush());
  const auto path = seen_path(recorder.store());
  WEIR_TRY(make_directories(path.parent_path()));
  return write_file_durably(path, json::to_text(now));
}

SeenPipelines SeenPipelines::of(const log::StoreDirectory& store) {
  return SeenPipelines(read_seen(store));
}

std::optional<Problem> SeenPipelines::changed_without_version(
    const pipeline::File& file, const std::filesystem::path& path) const {
  if (!has_changed_alone(file, known_at(seen_, path))) return {};
  return changed_problem(file);
}

Result<void> record_fetched(const pipeline::RegistryEntry& entry, const RunId& run,
                            record::Recorder& recorder, std::string_view tenant_id) {
  const auto hash = sha256(entry.file.text).text();
  const auto run_id = run.text();
  auto attributes = entry_attributes(entry);
  attributes.set("size_bytes", static_cast<std::int64_t>(entry.file.text.size()));
  attributes.set("cached",
                 known_at(read_seen(recorder.store()), entry.path) == known_of(entry.file));
  const auto text = json::to_text(attributes);
  const event::FieldValue fields[] = {{Field::kAdapter, kLocalAdapter},
                                      {Field::kDefinitionSha256, std::string_view(hash)},
                                      {Field::kTargetRunId, std::string_view(run_id)},
                                      {Field::kAttributes, event::ObjectText{text}}};
  return emit_of_process(Type::kPipelineFetched, tenant_id, recorder, fields);
}

}  // namespace weir::engine
