#include "pipeline/reference.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/text.h"
#include "base/utf8.h"
#include "tool/tool.h"

namespace weir::pipeline {
namespace {

using Root = Reference::Root;

constexpr std::string_view kOpen = "${";
constexpr std::string_view kForms =
    "a reference is ${params.NAME}, ${input.KEY}, ${nodes.ID.KEY}, ${secrets.NAME} or ${item}; "
    "write $${ for a ${ that is none";

/// In the order of Root.
const std::array<std::string, 5>& root_words() {
  static const std::array<std::string, 5> words = {"params", "input", "nodes", "secrets", "item"};
  return words;
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

/// One reference from its `${` on.
class ReferenceParser {
 public:
  explicit ReferenceParser(std::string_view text) : text_(text) {}

  Result<ReferencePrefix> parse() {
    at_ = kOpen.size();
    std::vector<std::string> keys;
    do {
      auto key = read_key();
      if (!key) return wrong("a key is missing");
      keys.push_back(*std::move(key));
      if (keys.size() > kMaxReferenceKeys) return wrong("too many keys");
    } while (take('.'));
    if (!take('}')) {
      return wrong(at_ == text_.size() ? "there is no } at its end" : "an unexpected sign in it");
    }
    return with_root(std::move(keys));
  }

 private:
  bool take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  std::optional<std::string> read_key() {
    const auto begin = at_;
    if (take('\'')) {
      const auto end = text_.find('\'', at_);
      if (end == std::string_view::npos) return {};
      at_ = end + 1;
      return std::string(text_.substr(begin + 1, end - begin - 1));
    }
    while (at_ < text_.size() && is_plain(text_[at_])) ++at_;
    if (at_ == begin) return {};
    return std::string(text_.substr(begin, at_ - begin));
  }

  Result<ReferencePrefix> with_root(std::vector<std::string> keys) {
    const auto& words = root_words();
    const auto word = std::find(words.begin(), words.end(), keys.front());
    if (word == words.end()) {
      return wrong("'" + keys.front() + "' is nothing that there is" +
                   text::did_you_mean(keys.front(), words));
    }
    const auto root = static_cast<Root>(word - words.begin());
    keys.erase(keys.begin());
    const bool needs_name = root != Root::kInput && root != Root::kItem;
    if (needs_name && keys.empty()) return wrong("it names nothing of them");
    if (root == Root::kSecrets && keys.size() > 1) return wrong("a secret has no keys");
    return ReferencePrefix{.reference = {.root = root, .path = std::move(keys)}, .size = at_};
  }

  [[nodiscard]] std::unexpected<Error> wrong(const std::string& why) const {
    constexpr std::size_t kMaxShown = 64;
    const auto end = text_.find('}');
    const auto shown =
        utf8::cut(text_.substr(0, end == std::string_view::npos ? end : end + 1), kMaxShown);
    return fail(ErrorCode::kInvalidInput,
                "'" + std::string(shown) + "': " + why + " (" + std::string(kForms) + ")");
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

Error missing(const Reference& reference, const std::string& what) {
  return {ErrorCode::kNotFound, to_string(reference) + ": " + what};
}

const json::Value* step(const json::Value& value, const std::string& key) {
  if (const auto* object = value.object()) return object->find(key);
  const auto* items = value.array();
  std::size_t index = 0;
  const auto* const end = key.data() + key.size();
  const auto [stopped, error] = std::from_chars(key.data(), end, index);
  const bool is_item = items != nullptr && error == std::errc() && stopped == end;
  return is_item && index < items->size() ? &(*items)[index] : nullptr;
}

Result<json::Value> follow(const Reference& reference, const json::Value* value, std::size_t from) {
  for (auto i = from; i < reference.path.size(); ++i) {
    const auto& key = reference.path[i];
    const auto* next = step(*value, key);
    if (next == nullptr) {
      return std::unexpected(
          missing(reference, "there is no '" + key + "' in " + std::string(value->kind())));
    }
    value = next;
  }
  return *value;
}

/// The same in an object, of which no copy is made unless all of it is named.
Result<json::Value> follow(const Reference& reference, const json::Object& object, std::size_t from,
                           const std::string& owner) {
  if (from == reference.path.size()) return json::Value(object);
  const auto* value = object.find(reference.path[from]);
  if (value == nullptr) {
    return std::unexpected(missing(reference, owner + " has no '" + reference.path[from] + "'"));
  }
  return follow(reference, value, from + 1);
}

/// Replaces references, and counts what that makes.
class Resolver {
 public:
  explicit Resolver(const Scope& scope) : scope_(scope) {}

  Result<json::Value> resolve(const json::Value& value) {
    if (const auto* text = value.string()) return resolve_text(*text);
    if (const auto* items = value.array()) {
      json::Array result;
      result.reserve(items->size());
      for (const auto& item : *items) {
        WEIR_TRY(auto resolved, resolve(item));
        result.push_back(std::move(resolved));
      }
      return json::Value(std::move(result));
    }
    const auto* object = value.object();
    if (object == nullptr) return value;
    json::Object result;
    for (const auto& member : *object) {
      WEIR_TRY(auto resolved, resolve(member.value));
      result.append({.key = member.key, .value = std::move(resolved)});
    }
    return json::Value(std::move(result));
  }

 private:
  Result<json::Value> resolve_text(const std::string& text) {
    if (!text.contains(kOpen)) return json::Value(text);
    WEIR_TRY(const auto pieces, parse_text(text));
    const auto* whole = pieces.size() == 1 ? std::get_if<Reference>(pieces.data()) : nullptr;
    if (whole != nullptr) {
      WEIR_TRY(auto value, look_up(*whole, scope_));
      WEIR_TRY(take(json::to_text(value).size(), *whole));
      return value;
    }
    std::string result;
    for (const auto& piece : pieces) {
      if (const auto* plain = std::get_if<std::string>(&piece)) {
        result += *plain;
        continue;
      }
      const auto& reference = std::get<Reference>(piece);
      WEIR_TRY(const auto value, look_up(reference, scope_));
      const auto shown = value.string() != nullptr ? *value.string() : json::to_text(value);
      WEIR_TRY(take(shown.size(), reference));
      result += shown;
    }
    return json::Value(std::move(result));
  }

  Result<void> take(std::size_t bytes, const Reference& reference) {
    bytes_ += bytes;
    if (bytes_ <= tool::kMaxPayloadBytes) return {};
    return fail(ErrorCode::kExhausted, to_string(reference) +
                                           ": what references name is more than " +
                                           std::to_string(tool::kMaxPayloadBytes) + " bytes");
  }

  const Scope& scope_;
  std::size_t bytes_ = 0;
};

}  // namespace

std::string to_string(const Reference& reference) {
  std::string text(kOpen);
  text += root_words()[static_cast<std::size_t>(reference.root)];
  for (const auto& key : reference.path) {
    const bool plain = !key.empty() && std::all_of(key.begin(), key.end(), is_plain);
    text += plain ? "." + key : ".'" + key + "'";
  }
  return text + "}";
}

Result<ReferencePrefix> parse_reference(std::string_view text) {
  return ReferenceParser(text).parse();
}

Result<TextPieces> parse_text(std::string_view text) {
  TextPieces pieces;
  std::string plain;
  while (!text.empty()) {
    const auto at = text.find(kOpen);
    plain += text.substr(0, at);
    if (at == std::string_view::npos) break;
    text.remove_prefix(at);
    if (plain.ends_with('$')) {  // the second $ of $${
      plain += '{';
      text.remove_prefix(kOpen.size());
      continue;
    }
    WEIR_TRY(auto found, parse_reference(text));
    if (!plain.empty()) pieces.emplace_back(std::exchange(plain, {}));
    pieces.emplace_back(std::move(found.reference));
    text.remove_prefix(found.size);
  }
  if (!plain.empty()) pieces.emplace_back(std::move(plain));
  return pieces;
}

bool has_references(const json::Value& value) {
  if (const auto* text = value.string()) return text->contains(kOpen);
  if (const auto* object = value.object()) return has_references(*object);
  const auto* items = value.array();
  return items != nullptr && std::any_of(items->begin(), items->end(), [](const json::Value& item) {
           return has_references(item);
         });
}

bool has_references(const json::Object& object) {
  return std::any_of(object.begin(), object.end(),
                     [](const json::Member& member) { return has_references(member.value); });
}

void find_references(const json::Object& object, std::vector<Reference>& found,
                     std::vector<Problem>& problems) {
  for (const auto& member : object) find_references(member.value, found, problems);
}

void find_references(const json::Value& value, std::vector<Reference>& found,
                     std::vector<Problem>& problems) {
  if (const auto* items = value.array()) {
    for (const auto& item : *items) find_references(item, found, problems);
  } else if (const auto* object = value.object()) {
    find_references(*object, found, problems);
  }
  if (value.string() == nullptr || !value.string()->contains(kOpen)) return;
  auto pieces = parse_text(*value.string());
  if (!pieces) return problems.push_back({value.position, pieces.error().message});
  for (auto& piece : *pieces) {
    auto* reference = std::get_if<Reference>(&piece);
    if (reference == nullptr) continue;
    reference->position = value.position;
    found.push_back(std::move(*reference));
  }
}

std::vector<std::string> secret_names(const std::vector<Reference>& references) {
  std::vector<std::string> names;
  for (const auto& reference : references) {
    if (reference.root == Root::kSecrets) names.push_back(reference.path.front());
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

Result<json::Value> look_up(const Reference& reference, const Scope& scope) {
  static const json::Object none;
  switch (reference.root) {
    case Root::kParams:
      return follow(reference, scope.params == nullptr ? none : *scope.params, 0, "the pipeline");
    case Root::kInput:
      return follow(reference, scope.input == nullptr ? none : *scope.input, 0, "the input");
    case Root::kItem:
      if (scope.item == nullptr) return std::unexpected(missing(reference, "there is no item"));
      return follow(reference, scope.item, 0);
    case Root::kNodes: {
      const auto& id = reference.path.front();
      const auto* output = scope.node_output ? scope.node_output(id) : nullptr;
      if (output == nullptr) {
        return std::unexpected(missing(reference, "node '" + id + "' has no output"));
      }
      return follow(reference, *output, 1, "the output of '" + id + "'");
    }
    case Root::kSecrets:
      break;
  }
  const auto& name = reference.path.front();
  auto secret = scope.secret ? scope.secret(name) : std::nullopt;
  if (!secret) {
    return std::unexpected(missing(reference,
                                   "there is no such secret: set the environment "
                                   "variable " +
                                       name));
  }
  return json::Value(*std::move(secret));
}

Result<json::Value> resolve(const json::Value& value, const Scope& scope) {
  return Resolver(scope).resolve(value);
}

}  // namespace weir::pipeline
