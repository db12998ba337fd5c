#include "report/compared_run.h"

#include <cctype>

#include "base/utf8.h"

namespace weir::report {
namespace {

using event::Field;
using event::Type;

/// Of a message that is compared.
constexpr std::size_t kMostBytes = 500;

constexpr Field kSettings[] = {
    Field::kPipelineVersion, Field::kDefinitionSha256, Field::kInputSha256,   Field::kExecutionMode,
    Field::kTenantId,        Field::kProjectId,        Field::kEnvironmentId, Field::kAdapter};

/// What is added up of which events: an artifact's rows are its node's too.
constexpr std::pair<Type, Field> kSums[] = {{Type::kNodeCompleted, Field::kRows},
                                            {Type::kArtifactWritten, Field::kWrittenBytes},
                                            {Type::kProviderCallCompleted, Field::kInputTokens},
                                            {Type::kProviderCallCompleted, Field::kOutputTokens},
                                            {Type::kProviderCallCompleted, Field::kCostUsd}};

bool is_word(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return std::isalnum(byte) != 0 || c == '_' || byte >= 0x80;
}

/// A number, or a word of hex digits, as ids have them, with one of 0 to 9 among them.
bool changes(std::string_view word) {
  constexpr std::size_t kShortestId = 4;
  bool has_digit = false, all_hex = true, all_digits = true;
  for (const char c : word) {
    const auto byte = static_cast<unsigned char>(c);
    has_digit = has_digit || std::isdigit(byte) != 0;
    all_hex = all_hex && std::isxdigit(byte) != 0;
    all_digits = all_digits && std::isdigit(byte) != 0;
  }
  return all_digits || (has_digit && all_hex && word.size() >= kShortestId);
}

}  // namespace

std::string without_numbers(std::string_view message) {
  std::string text;
  while (!message.empty()) {
    std::size_t length = 0;
    while (length < message.size() && is_word(message[length])) ++length;
    const auto word = message.substr(0, length);
    if (word.empty()) {
      text += message[0];
      length = 1;
    } else {
      // 12ms is a number, too.
      const auto digits = std::min(word.find_first_not_of("0123456789"), word.size());
      text += changes(word) ? "#"
              : digits > 0  ? "#" + std::string(word.substr(digits))
                            : std::string(word);
    }
    message.remove_prefix(length);
  }
  // 1.5 is one number.
  for (auto at = text.find("#.#"); at != std::string::npos; at = text.find("#.#", at))
    text.erase(at, 2);
  return text;
}

void ComparedRun::apply(const event::EventView& event) {
  state.apply(event);
  ++events[std::string(event.type_name())];
  for (const auto& [type, field] : kSums) {
    const auto value = event.type() == type ? event.number(field) : std::nullopt;
    if (value) sums[std::string(event::info(field).name)] += *value;
  }
  if (event.has(Field::kAgentVersion)) {
    settings["agent " + std::string(event.text(Field::kAgentId))] =
        event.text(Field::kAgentVersion);
  }
  if (event.has(Field::kModelId) && event.has(Field::kNodeId)) {
    settings["model of " + std::string(event.text(Field::kNodeId))] = event.text(Field::kModelId);
  }
  switch (event.type()) {
    case Type::kPipelineStarted:
      return begin(event);
    case Type::kNodeCompleted:
    case Type::kNodeFailed:
    case Type::kNodeSkipped:
    case Type::kNodeCancelled:
      return end_node(event);
    case Type::kLog:
      return add_log(event);
    default:
      return;
  }
}

void ComparedRun::begin(const event::EventView& event) {
  for (const auto field : kSettings) {
    const auto text = event.text(field);
    // "definition" is said by its hash.
    std::string name(event::info(field).name.substr(0, event::info(field).name.find("_sha256")));
    if (!text.empty()) settings[std::move(name)] = text;
  }
  const auto object_in = [&event](Field field) {
    auto parsed = json::parse(event.text(field));
    return parsed && parsed->object() != nullptr ? std::move(*parsed->object()) : json::Object();
  };
  for (const auto& [name, value, position] : object_in(Field::kParams))
    settings["params." + name] = json::to_text(value);
  const auto attributes = object_in(Field::kAttributes);
  if (const auto* name = attributes.find("file"); name != nullptr && name->string() != nullptr)
    file = *name->string();
}

void ComparedRun::end_node(const event::EventView& event) {
  std::string id(event.text(Field::kNodeId));
  ended_at[id] = event.run_seq();
  if (event.type() != Type::kNodeCompleted) return;
  NodeOutput output;
  if (const auto hash = Sha256::parse(event.text(Field::kOutputSha256))) {
    output.sha256 = *hash;
  } else {
    output.text = event.text(Field::kOutput);
    output.sha256 = sha256(output.text);
  }
  outputs[std::move(id)] = std::move(output);
}

void ComparedRun::add_log(const event::EventView& event) {
  const auto message = utf8::cut(event.text(Field::kMessage), kMostBytes);
  LogKey key{.node_id = std::string(event.text(Field::kNodeId)),
             .level = std::string(event.text(Field::kLevel)),
             .message = without_numbers(message)};
  const auto found = logs.find(key);
  if (found != logs.end()) {
    ++found->second.count;
  } else if (logs.size() < kMostMessages) {
    logs.emplace(std::move(key), Messages{.first = std::string(message), .count = 1});
  }
}

Plan ComparedRun::plan() const {
  return definition && !definition->nodes.empty() ? plan_of(*definition) : plan_of(state);
}

}  // namespace weir::report
