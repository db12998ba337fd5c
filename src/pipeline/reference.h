#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/problem.h"
#include "base/result.h"

namespace weir::pipeline {

/// What a text in a pipeline file names instead of saying it:
///
///   ${params.x}         a parameter of the pipeline
///   ${input.k}          of the node's input; `${input}` is all of it
///   ${nodes.ID.k}       of the output of an ancestor; `${nodes.ID}` is all of it
///   ${secrets.NAME}     a secret
///   ${item}  ${item.k}  the item that this node of a `for_each` is for
///
/// Keys go on with dots, numbers name items of lists from 0, and a key with other signs than
/// letters, digits, '_' and '-' is quoted: `${nodes.'a.b'.k}`. `$${` is a `${` that means nothing.
struct Reference {
  enum class Root : std::uint8_t { kParams, kInput, kNodes, kSecrets, kItem };
  Root root = Root::kInput;
  std::vector<std::string> path;  ///< of kParams, kNodes and kSecrets, the name or id comes first
  json::Position position{};      ///< of the text that it stands in

  bool operator==(const Reference&) const = default;
};
/// As it is written: "${nodes.a.k}".
[[nodiscard]] std::string to_string(const Reference& reference);

/// More keys in one reference are refused: our JSON is not nested deeper.
inline constexpr std::size_t kMaxReferenceKeys = json::kMaxDepth;

/// A text in pieces, of which some are references.
using TextPieces = std::vector<std::variant<std::string, Reference>>;
/// Errors: kInvalidInput, saying which reference is wrong and how they are written.
[[nodiscard]] Result<TextPieces> parse_text(std::string_view text);
/// The one reference that `text` begins with, and how long it is. Errors: as parse_text.
struct ReferencePrefix {
  Reference reference;
  std::size_t size = 0;
};
[[nodiscard]] Result<ReferencePrefix> parse_reference(std::string_view text);

/// Whether `resolve` would change a value: there are references in it, or `$${`.
[[nodiscard]] bool has_references(const json::Value& value);
[[nodiscard]] bool has_references(const json::Object& object);

/// Adds the references in the strings of `value` to `found`, and what is wrong with them.
void find_references(const json::Value& value, std::vector<Reference>& found,
                     std::vector<Problem>& problems);
void find_references(const json::Object& object, std::vector<Reference>& found,
                     std::vector<Problem>& problems);

/// The names of the secrets among them, each once.
[[nodiscard]] std::vector<std::string> secret_names(const std::vector<Reference>& references);

/// What references mean for one node of one run. What is null is not there.
struct Scope {
  const json::Object* params = nullptr;
  const json::Object* input = nullptr;
  const json::Value* item = nullptr;
  /// Null for a node without an output.
  std::function<const json::Object*(std::string_view node_id)> node_output{};
  std::function<std::optional<std::string>(const std::string& name)> secret{};
};

/// What a reference names. Errors: kNotFound, saying which part of it is not there.
[[nodiscard]] Result<json::Value> look_up(const Reference& reference, const Scope& scope);

/// `value` with what its references name in their place. A string that is one whole reference
/// becomes what it names, of whatever type; in a longer one, what is no string stands as JSON.
/// Errors: kNotFound as look_up; kInvalidInput for texts that parse_text refuses; kExhausted when
/// the result is larger than tool::kMaxPayloadBytes.
[[nodiscard]] Result<json::Value> resolve(const json::Value& value, const Scope& scope);

}  // namespace weir::pipeline
