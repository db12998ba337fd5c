#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

/// The attributes that become columns: OpenTelemetry's semantic conventions, OpenInference's, their
/// older names, and ours. docs/reference/mapping.md says which becomes which.
namespace weir::ingest::otlp {

/// X(id, key)
#define WEIR_OTLP_KNOWN(X)                                    \
  X(kWeirPipelineId, "weir.pipeline_id")                      \
  X(kWeirPluginId, "weir.plugin_id")                          \
  X(kWeirAttempt, "weir.attempt")                             \
  X(kWeirStepIndex, "weir.step_index")                        \
  X(kServiceName, "service.name")                             \
  X(kServiceVersion, "service.version")                       \
  X(kDeploymentName, "deployment.environment.name")           \
  X(kDeployment, "deployment.environment")                    \
  X(kPipelineName, "cicd.pipeline.name")                      \
  X(kPipelineResult, "cicd.pipeline.result")                  \
  X(kTaskName, "cicd.pipeline.task.name")                     \
  X(kTaskResult, "cicd.pipeline.task.run.result")             \
  X(kErrorType, "error.type")                                 \
  X(kExceptionType, "exception.type")                         \
  X(kExceptionMessage, "exception.message")                   \
  X(kExceptionStacktrace, "exception.stacktrace")             \
  X(kExitCode, "process.exit.code")                           \
  X(kSessionId, "session.id")                                 \
  X(kConversationId, "gen_ai.conversation.id")                \
  X(kUserId, "user.id")                                       \
  X(kEndUserId, "enduser.id")                                 \
  X(kGenAiOperation, "gen_ai.operation.name")                 \
  X(kOpenInferenceKind, "openinference.span.kind")            \
  X(kLlmRequestType, "llm.request.type")                      \
  X(kGenAiProvider, "gen_ai.provider.name")                   \
  X(kGenAiSystem, "gen_ai.system")                            \
  X(kLlmProvider, "llm.provider")                             \
  X(kLlmSystem, "llm.system")                                 \
  X(kLlmVendor, "llm.vendor")                                 \
  X(kGenAiResponseModel, "gen_ai.response.model")             \
  X(kGenAiRequestModel, "gen_ai.request.model")               \
  X(kLlmModelName, "llm.model_name")                          \
  X(kEmbeddingModelName, "embedding.model_name")              \
  X(kRerankerModelName, "reranker.model_name")                \
  X(kLlmResponseModel, "llm.response.model")                  \
  X(kLlmRequestModel, "llm.request.model")                    \
  X(kGenAiAgentId, "gen_ai.agent.id")                         \
  X(kGenAiAgentName, "gen_ai.agent.name")                     \
  X(kAgentName, "agent.name")                                 \
  X(kGenAiAgentVersion, "gen_ai.agent.version")               \
  X(kGenAiResponseId, "gen_ai.response.id")                   \
  X(kGenAiToolCallId, "gen_ai.tool.call.id")                  \
  X(kToolCallId, "tool_call.id")                              \
  X(kGenAiInputTokens, "gen_ai.usage.input_tokens")           \
  X(kGenAiPromptTokens, "gen_ai.usage.prompt_tokens")         \
  X(kLlmPromptCount, "llm.token_count.prompt")                \
  X(kLlmPromptTokens, "llm.usage.prompt_tokens")              \
  X(kGenAiOutputTokens, "gen_ai.usage.output_tokens")         \
  X(kGenAiCompletionTokens, "gen_ai.usage.completion_tokens") \
  X(kLlmCompletionCount, "llm.token_count.completion")        \
  X(kLlmCompletionTokens, "llm.usage.completion_tokens")      \
  X(kGenAiCost, "gen_ai.usage.cost")                          \
  X(kLlmCost, "llm.cost.total")

#define WEIR_OTLP_ENUM(id, key) id,
enum class Known : std::uint8_t { WEIR_OTLP_KNOWN(WEIR_OTLP_ENUM) };
#undef WEIR_OTLP_ENUM

#define WEIR_OTLP_KEY(id, key) key,
/// By Known.
inline constexpr std::string_view kKnownKeys[] = {WEIR_OTLP_KNOWN(WEIR_OTLP_KEY)};
#undef WEIR_OTLP_KEY
inline constexpr std::size_t kKnownCount = std::size(kKnownKeys);

[[nodiscard]] std::optional<Known> find_known(std::string_view key);

/// The value of an attribute (AnyValue), a nested one only by its kind.
struct Scalar {
  enum class Kind : std::uint8_t {
    kNone,
    kString,
    kBytes,
    kBoolean,
    kInteger,
    kNumber,
    kList,
    kMap,
  };
  Kind kind = Kind::kNone;
  bool boolean = false;
  std::string_view text{};  ///< kString; otherwise the decoder's own
  std::int64_t integer = 0;
  double number = 0;
};

/// The values of those attributes of one list that are known. Of one that is given twice the first
/// counts.
class KnownValues {
 public:
  void clear() { present_ = 0; }
  void set(Known known, const Scalar& value) {
    if ((present_ & bit(known)) != 0) return;
    values_[static_cast<std::size_t>(known)] = value;
    present_ |= bit(known);
  }

  /// The first of them that is a string with something in it; empty: none.
  template <Known... kAnyOf>
  [[nodiscard]] std::string_view text() const {
    if ((present_ & (bit(kAnyOf) | ...)) == 0) return {};
    return first_text({kAnyOf...});
  }
  /// The first that is a whole number, also one that is written as a double or a string.
  template <Known... kAnyOf>
  [[nodiscard]] std::optional<std::int64_t> integer() const {
    if ((present_ & (bit(kAnyOf) | ...)) == 0) return {};
    return first_integer({kAnyOf...});
  }
  template <Known... kAnyOf>
  [[nodiscard]] std::optional<double> number() const {
    if ((present_ & (bit(kAnyOf) | ...)) == 0) return {};
    return first_number({kAnyOf...});
  }

 private:
  using List = std::initializer_list<Known>;
  static constexpr std::uint64_t bit(Known known) {
    return std::uint64_t{1} << static_cast<unsigned>(known);
  }
  [[nodiscard]] const Scalar* find(Known known) const {
    const bool present = (present_ & bit(known)) != 0;
    return present ? &values_[static_cast<std::size_t>(known)] : nullptr;
  }
  [[nodiscard]] std::string_view first_text(List any_of) const;
  [[nodiscard]] std::optional<std::int64_t> first_integer(List any_of) const;
  [[nodiscard]] std::optional<double> first_number(List any_of) const;

  std::uint64_t present_ = 0;
  static_assert(kKnownCount <= 64);
  std::array<Scalar, kKnownCount> values_;
};

}  // namespace weir::ingest::otlp
