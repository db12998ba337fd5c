#include "engine/cache_key.h"

#include <vector>

#include "base/text.h"

namespace weir::engine {
namespace {

using Hashes = KeyParts::Hashes;

/// Of a hash that only tells two values of one name apart.
constexpr std::size_t kPartDigits = 32;
/// For saying what has changed; nobody reads more.
constexpr std::size_t kMaxKept = 200;
constexpr std::size_t kMaxName = 200;
/// In one message.
constexpr std::size_t kMaxNamed = 8;

void shorten(Hashes& hashes) {
  std::erase_if(hashes, [](const auto& one) { return one.first.size() > kMaxName; });
  while (hashes.size() > kMaxKept) hashes.erase(std::prev(hashes.end()));
}

std::vector<std::string> changed_names(const Hashes& before, const Hashes& now) {
  std::vector<std::string> names;
  for (const auto& [name, hash] : now) {
    const auto old = before.find(name);
    if (old == before.end() || old->second != hash) names.push_back(name);
  }
  for (const auto& [name, hash] : before) {
    if (!now.contains(name)) names.push_back(name + " (gone)");
  }
  return names;
}

void add_sentence(std::string& text, const std::string& sentence) {
  text += (text.empty() ? "" : "; ") + sentence;
}

void add_changes(std::string& text, std::string_view what, const Hashes& before,
                 const Hashes& now) {
  auto names = changed_names(before, now);
  if (names.empty()) return;
  const auto more = names.size() > kMaxNamed ? names.size() - kMaxNamed : 0;
  names.resize(names.size() - more);
  for (auto& name : names) name = text::printable(name);
  auto sentence = std::string(what) + " changed: " + text::join(names);
  if (more > 0) sentence += " and " + std::to_string(more) + " more";
  add_sentence(text, sentence);
}

}  // namespace

json::Object to_json(const Hashes& hashes) {
  json::Object object;
  for (const auto& [name, hash] : hashes) object.append({.key = name, .value = hash});
  return object;
}

Hashes hashes_of(const json::Object& object, const CacheHash& hash) {
  Hashes hashes;
  for (const auto& member : object) {
    hashes[member.key] = hash.of(json::to_text(member.value)).substr(0, kPartDigits);
  }
  return hashes;
}

std::string key_of(const KeyParts& parts, const CacheHash& hash) {
  const auto& [tool, version, folder, with, input, files] = parts;
  return hash.of(json::to_text(
      json::Array{tool, version, folder, to_json(with), to_json(input), to_json(files)}));
}

KeyParts shortened(KeyParts parts) {
  for (auto* hashes : {&parts.with, &parts.input, &parts.files}) shorten(*hashes);
  return parts;
}

std::string difference(const KeyParts& before, const KeyParts& now) {
  std::string text;
  if (before.tool != now.tool) {
    add_sentence(text, "tool changed: " + now.tool + ", before " + before.tool);
  } else if (before.version != now.version) {
    add_sentence(text, "tool changed: " + now.tool + " has version " + now.version + ", before " +
                           before.version);
  }
  if (before.folder != now.folder) add_sentence(text, "folder changed: before " + before.folder);
  add_changes(text, "settings", before.with, now.with);
  add_changes(text, "input", before.input, now.input);
  add_changes(text, "files", before.files, now.files);
  return text;
}

}  // namespace weir::engine
