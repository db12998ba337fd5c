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

std::filesystem::path seen_path(const record::Recorder& recorder) {
  return recorder.store().root() / "cache" / "registry";
}

/// The hash of each file's text, by its absolute path. A damaged one has seen nothing.
json::Object read_seen(const record::Recorder& recorder) {
  const auto text = read_file(seen_path(recorder), kMaxSeenBytes);
  auto value = text ? json::parse(*text) : std::unexpected(text.error());
  return value && value->object() != nullptr ? std::move(*value->object()) : json::Object();
}

bool has_seen(const json::Object& seen, const std::string& path, const std::string& hash) {
  const auto* known = seen.find(path);
  return known != nullptr && known->string() != nullptr && *known->string() == hash;
}

std::string text_hash_of(const pipeline::RegistryEntry& entry) {
  return sha256(entry.file.text).text();
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
                              const tool::Registry& tools, record::Recorder& recorder,
                              std::string_view tenant_id) {
  const auto& definition = entry.file.definition;
  const auto warnings =
      entry.problems.empty() ? pipeline::warnings_of(entry.file, tools) : std::vector<Problem>();
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
  const auto seen = read_seen(recorder);
  json::Object now;
  bool is_new = false;
  for (const auto& entry : registry.entries()) {
    const auto path = absolute_path(entry.path).string();
    const auto hash = text_hash_of(entry);
    now.set(path, hash);
    if (has_seen(seen, path, hash)) continue;
    is_new = true;
    WEIR_TRY(const auto kept, artifacts.put(entry.file.text));
    WEIR_TRY(record_validated(entry, kept.text(), tools, recorder, tenant_id));
  }
  if (!is_new && now.size() == seen.size()) return {};
  WEIR_TRY(recorder.process_runs().flush());
  WEIR_TRY(make_directories(seen_path(recorder).parent_path()));
  return write_file_durably(seen_path(recorder), json::to_text(now));
}

Result<void> record_fetched(const pipeline::RegistryEntry& entry, const RunId& run,
                            record::Recorder& recorder, std::string_view tenant_id) {
  const auto hash = text_hash_of(entry);
  const auto run_id = run.text();
  auto attributes = entry_attributes(entry);
  attributes.set("size_bytes", static_cast<std::int64_t>(entry.file.text.size()));
  attributes.set("cached", has_seen(read_seen(recorder), absolute_path(entry.path).string(), hash));
  const auto text = json::to_text(attributes);
  const event::FieldValue fields[] = {{Field::kAdapter, kLocalAdapter},
                                      {Field::kDefinitionSha256, std::string_view(hash)},
                                      {Field::kTargetRunId, std::string_view(run_id)},
                                      {Field::kAttributes, event::ObjectText{text}}};
  return emit_of_process(Type::kPipelineFetched, tenant_id, recorder, fields);
}

}  // namespace weir::engine
