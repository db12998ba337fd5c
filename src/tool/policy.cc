#include "tool/policy.h"

#include <algorithm>

#include "base/json.h"

namespace weir::tool {
namespace {

using config::Trust;
using Paths = std::vector<std::filesystem::path>;

template <class T>
std::optional<T> lower(const std::optional<T>& asked, const std::optional<T>& standard) {
  return asked && standard ? std::min(*asked, *standard) : standard;
}

config::Limits lower(const config::Limits& asked, const config::Limits& standard) {
  return {.time = lower(asked.time, standard.time),
          .cpu = lower(asked.cpu, standard.cpu),
          .memory_bytes = lower(asked.memory_bytes, standard.memory_bytes),
          .processes = lower(asked.processes, standard.processes),
          .output_bytes = lower(asked.output_bytes, standard.output_bytes),
          .open_files = lower(asked.open_files, standard.open_files)};
}

config::Limits first(const config::Limits& asked, const config::Limits& standard) {
  auto limits = asked;
  if (!limits.time) limits.time = standard.time;
  if (!limits.cpu) limits.cpu = standard.cpu;
  if (!limits.memory_bytes) limits.memory_bytes = standard.memory_bytes;
  if (!limits.processes) limits.processes = standard.processes;
  if (!limits.output_bytes) limits.output_bytes = standard.output_bytes;
  if (!limits.open_files) limits.open_files = standard.open_files;
  return limits;
}

Paths below(const std::filesystem::path& folder, const Paths& paths) {
  Paths all;
  all.reserve(paths.size());
  for (const auto& path : paths) all.push_back((folder / path).lexically_normal());
  return all;
}

json::Array to_array(const Paths& paths) {
  json::Array array;
  for (const auto& path : paths) array.emplace_back(path.string());
  return array;
}

Paths to_paths(const json::Object& object, std::string_view key) {
  Paths paths;
  const auto* value = object.find(key);
  if (value == nullptr || value->array() == nullptr) return paths;
  for (const auto& item : *value->array()) {
    if (item.string() != nullptr) paths.emplace_back(*item.string());
  }
  return paths;
}

std::optional<std::int64_t> to_number(const json::Object& object, std::string_view key) {
  const auto* value = object.find(key);
  if (value == nullptr || value->integer() == nullptr) return {};
  return *value->integer();
}

}  // namespace

config::Limits standard_limits() {
  return {.time = std::chrono::minutes(5),
          .cpu = std::chrono::minutes(5),
          .memory_bytes = std::uint64_t{512} << 20,
          .processes = 32,
          .output_bytes = std::uint64_t{16} << 20,
          .open_files = 256};
}

Policy policy_of(const config::PluginManifest& manifest, Trust agreed,
                 const std::filesystem::path& folder) {
  Policy policy{.trust = std::min(manifest.trust, agreed),
                .read = {},
                .write = {},
                .temporary = {},
                .limits = manifest.limits};
  if (policy.trust == Trust::kUntrusted) policy.limits = lower(policy.limits, standard_limits());
  if (policy.trust == Trust::kPartner) {
    policy.limits = first(policy.limits, standard_limits());
    policy.network = manifest.permissions.network;
    policy.read = below(folder, manifest.permissions.read);
    policy.write = below(folder, manifest.permissions.write);
  }
  policy.read.push_back(folder);
  return policy;
}

std::string to_json(const Policy& policy) {
  json::Object object;
  object.set("trust", config::to_string(policy.trust));
  object.set("network", policy.network);
  object.set("read", to_array(policy.read));
  object.set("write", to_array(policy.write));
  object.set("temporary", policy.temporary.string());
  const auto& limits = policy.limits;
  if (limits.cpu) object.set("cpu_ms", std::int64_t{limits.cpu->count()});
  if (limits.memory_bytes) object.set("memory_bytes", *limits.memory_bytes);
  if (limits.processes) object.set("processes", *limits.processes);
  if (limits.open_files) object.set("open_files", *limits.open_files);
  return json::to_text(object);
}

Result<Policy> policy_from_json(std::string_view text) {
  WEIR_TRY(const auto value, json::parse(text));
  const auto* object = value.object();
  const auto* trust = object == nullptr ? nullptr : object->find("trust");
  if (trust == nullptr || trust->string() == nullptr) {
    return fail(ErrorCode::kInvalidInput, "a policy needs 'trust'");
  }
  Policy policy{.read = to_paths(*object, "read"),
                .write = to_paths(*object, "write"),
                .temporary = {},
                .limits = {}};
  // What is none of the three words is not trusted.
  for (const auto tier : {Trust::kPartner, Trust::kTrusted}) {
    if (*trust->string() == config::to_string(tier)) policy.trust = tier;
  }
  const auto* temporary = object->find("temporary");
  if (temporary != nullptr && temporary->string() != nullptr)
    policy.temporary = *temporary->string();
  const auto* network = object->find("network");
  policy.network = network != nullptr && network->boolean() != nullptr && *network->boolean();
  if (const auto cpu = to_number(*object, "cpu_ms"))
    policy.limits.cpu = std::chrono::milliseconds(*cpu);
  if (const auto bytes = to_number(*object, "memory_bytes")) {
    policy.limits.memory_bytes = static_cast<std::uint64_t>(*bytes);
  }
  policy.limits.processes = to_number(*object, "processes");
  policy.limits.open_files = to_number(*object, "open_files");
  return policy;
}

}  // namespace weir::tool
