#include "engine/known_outputs.h"

#include <algorithm>

#include "base/text.h"

namespace weir::engine {
namespace {

constexpr std::string_view kLogger = "cache";

bool is_cached(const pipeline::Node& node) { return node.cache && node.cache->enabled; }

Result<OutputCache> open_cache(const pipeline::Definition& definition, const RunPlace& place) {
  if (std::ranges::any_of(definition.nodes, is_cached)) {
    return OutputCache::open(place.store / "cache");
  }
  return fail(ErrorCode::kNotFound, "no node wants a cache");
}

/// Of artifacts in an output, as sql.query gives them: {"artifact": HASH}.
bool names_missing_artifact(const json::Value& value, const artifact::ArtifactStore& artifacts) {
  if (const auto* list = value.array()) {
    return std::ranges::any_of(
        *list, [&](const json::Value& item) { return names_missing_artifact(item, artifacts); });
  }
  const auto* object = value.object();
  if (object == nullptr) return false;
  if (const auto* artifact = object->find("artifact"); artifact != nullptr && artifact->string()) {
    const auto hash = Sha256::parse(*artifact->string());
    std::error_code error;
    if (hash && !std::filesystem::exists(artifacts.path_of(*hash), error)) return true;
  }
  return std::any_of(object->begin(), object->end(), [&](const json::Member& member) {
    return names_missing_artifact(member.value, artifacts);
  });
}

std::string duration_text(std::chrono::microseconds duration) {
  return text::duration(std::chrono::duration<double, std::milli>(duration).count());
}

}  // namespace

KnownOutputs::KnownOutputs(const RunRequest& request, const artifact::ArtifactStore& artifacts,
                           const record::Run& run, const RunPlace& place,
                           const pipeline::Graph& graph, const NodeCalls& calls)
    : request_(request),
      artifacts_(artifacts),
      run_(run),
      place_(place),
      calls_(calls),
      earlier_(request.rerun, request.definition, graph, artifacts),
      cache_(open_cache(request.definition, place)) {}

KnownOutputs::Answer KnownOutputs::ask(const Step& step, int attempt, NodeEvents& events) {
  if (attempt == 1 && earlier_.is_rerun()) {
    if (auto output = ask_earlier_run(step, events)) return {.output = std::move(output)};
  }
  return step.node.cache ? ask_cache(step, attempt, events) : Answer();
}

OutputPointer KnownOutputs::ask_earlier_run(const Step& step, NodeEvents& events) {
  const auto* fact = earlier_.take(step.node_index, step.id);
  if (fact == nullptr) return {};
  auto output = output_of(*fact, artifacts_);
  if (!output) {
    earlier_.run_again_after(step.node_index);
    events.log({.level = event::Level::kWarning,
                .message = "it runs again: " + output.error().message,
                .logger = "rerun"});
    return {};
  }
  const auto run = request_.rerun.of->run_id.text();
  events.cache_hit({.run_id = run, .reason = "the rerun begins later", .size_bytes = {}});
  return std::make_shared<const json::Object>(*std::move(output));
}

void KnownOutputs::asked_before(const Step& step, int attempt) {
  if (attempt != 1) return;
  const auto* fact = earlier_.take(step.node_index, step.id);
  if (fact != nullptr && !output_of(*fact, artifacts_)) earlier_.run_again_after(step.node_index);
}

KnownOutputs::Answer KnownOutputs::ask_cache(const Step& step, int attempt, NodeEvents& events) {
  const bool is_first = attempt == 1;
  if (!step.node.cache->enabled) {
    if (is_first) events.cache_miss({.reason = "disabled", .key = {}});
    return {};
  }
  if (!cache_) {
    const auto why = "unreadable: " + cache_.error().message;
    if (is_first) events.cache_miss({.reason = why, .key = {}});
    return {};
  }
  auto parts = parts_of(step);
  if (!parts) return {};  // the call will say why
  if (!is_first) return {.parts = std::move(parts)};
  auto hit = look_up(step, *parts);
  if (!hit) {
    events.cache_miss({.reason = hit.error(), .key = key_of(*parts, cache_->hash())});
    return {.parts = std::move(parts)};
  }
  events.cache_hit({.run_id = hit->entry.run_id,
                    .reason = "the same tool, settings and input",
                    .size_bytes = hit->size_bytes,
                    .key = hit->entry.key});
  return {.output = std::move(hit->output)};
}

std::optional<KeyParts> KnownOutputs::parts_of(const Step& step) const {
  const auto given = calls_.given(step);
  if (!given) return {};
  const auto& spec = calls_.tool_of(step).spec();
  const auto& hash = cache_->hash();
  return KeyParts{.tool = spec.plugin_id + "." + spec.tool_id,
                  .version = spec.version.empty() ? WEIR_VERSION : spec.version,
                  .folder = absolute_path(request_.folder).lexically_normal().string(),
                  .with = hashes_of(given->with(step), hash),
                  .input = hashes_of(given->payload, hash),
                  .files = hashes_of_files(step)};
}

KeyParts::Hashes KnownOutputs::hashes_of_files(const Step& step) const {
  json::Object contents;
  for (const auto& name : step.node.cache->files) {
    const auto content = sha256_of_file(request_.folder / name);
    contents.set(name, content ? content->text() : "absent");
  }
  return hashes_of(contents, cache_->hash());
}

CachedNode KnownOutputs::name_of(const Step& step) const {
  return {.tenant_id = place_.context.ids.tenant_id,
          .pipeline_id = request_.definition.id,
          .node_id = step.id};
}

std::expected<KnownOutputs::Hit, std::string> KnownOutputs::look_up(const Step& step,
                                                                    const KeyParts& parts) const {
  if (earlier_.begins_with(step.node.id.text)) {
    return std::unexpected<std::string>("disabled: the rerun begins here");
  }
  if (!request_.looks_into_cache) return std::unexpected<std::string>("disabled: for this run");
  return find(step, parts);
}

std::expected<KnownOutputs::Hit, std::string> KnownOutputs::find(const Step& step,
                                                                 const KeyParts& parts) const {
  const auto& cache = *cache_;
  const auto entries = cache.entries(name_of(step));
  if (!entries) return std::unexpected("unreadable: " + entries.error().message);
  if (entries->empty()) return std::unexpected<std::string>("first run");
  const auto found = std::ranges::find(*entries, key_of(parts, cache.hash()), &CacheEntry::key);
  if (found == entries->end()) {
    auto why = difference(entries->front().parts, shortened(parts));
    return std::unexpected(why.empty() ? "settings or input changed" : std::move(why));
  }
  const auto age = run_.clock().now() - found->created_at;
  if (const auto ttl = step.node.cache->ttl; ttl && age > *ttl) {
    return std::unexpected("expired: it is " + duration_text(age) + " old, the ttl is " +
                           duration_text(*ttl));
  }
  return load(*found);
}

std::expected<KnownOutputs::Hit, std::string> KnownOutputs::load(const CacheEntry& entry) const {
  auto text = artifacts_.get(entry.output, tool::kMaxPayloadBytes);
  if (!text) return std::unexpected("output missing: " + text.error().message);
  auto value = json::parse(*text);
  if (!value || value->object() == nullptr) {
    return std::unexpected<std::string>("output missing: the artifact is no object");
  }
  if (names_missing_artifact(*value, artifacts_)) {
    return std::unexpected<std::string>("output missing: an artifact that it names");
  }
  return Hit{.entry = entry,
             .output = std::make_shared<const json::Object>(std::move(*value->object())),
             .size_bytes = text->size()};
}

void KnownOutputs::keep(const Step& step, const Answer& answer, std::string_view output,
                        NodeEvents& events) {
  if (!answer.parts) return;
  const auto say = [&](const std::string& why) {
    events.log({.level = event::Level::kWarning,
                .message = "the output is not kept for later runs: " + why,
                .logger = kLogger});
  };
  // The tool may have read either content.
  if (hashes_of_files(step) != answer.parts->files) return say("a file changed meanwhile");
  const auto artifact = artifacts_.put(output);
  if (!artifact) return say(artifact.error().message);
  const auto kept = cache_->add(name_of(step), {.key = key_of(*answer.parts, cache_->hash()),
                                                .created_at = run_.clock().now(),
                                                .run_id = run_.id().text(),
                                                .output = *artifact,
                                                .parts = *answer.parts});
  if (!kept) say(kept.error().message);
}

}  // namespace weir::engine
