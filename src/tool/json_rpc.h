#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "tool/own_event.h"
#include "tool/provider_call.h"
#include "tool/tool.h"

/// The lines between Weir and a plugin that stays: JSON-RPC 2.0, as docs/formats/plugin-protocol.md
/// has them. Without their newlines.
namespace weir::tool::rpc {

[[nodiscard]] std::string call_line(std::int64_t id, std::string_view tool_id, const Call& call);
[[nodiscard]] std::string cancel_line(std::int64_t id);
[[nodiscard]] std::string output_line(std::int64_t id, const Output& output);
[[nodiscard]] std::string failure_line(std::int64_t id, const Failure& failure);
[[nodiscard]] std::string log_line(const LogLine& line);
[[nodiscard]] std::string provider_call_line(const ProviderCallReport& report);
[[nodiscard]] std::string event_line(const OwnEvent& event);

/// A line of the plugin's.
struct Message {
  enum class Kind : std::uint8_t {
    kOutput,        ///< `output` of the call `id`, without the `lineage` that was said of it
    kFailure,       ///< `failure` of the call `id`
    kLog,           ///< `level` and `text`
    kProviderCall,  ///< `provider_call`
    kEvent,         ///< `own_event`
    kUnknown,       ///< a notification that we do not know: passed over
  };
  Kind kind = Kind::kUnknown;
  std::int64_t id = 0;
  Output output{};
  std::optional<json::Value> lineage{};
  Failure failure{};
  event::Level level = event::Level::kInfo;
  std::string text{};
  std::optional<ProviderCallReport> provider_call{};
  std::optional<OwnEvent> own_event{};
};
/// Errors: kInvalidInput for what is no message.
[[nodiscard]] Result<Message> parse_message(std::string_view line);

/// A line of ours, as a plugin-host reads it.
struct Request {
  std::optional<std::int64_t> cancelled{};  ///< or a call:
  std::int64_t id = 0;
  std::string tool_id, run_id, node_id, idempotency_key, folder;
  json::Object payload, with;
};
/// Errors: kInvalidInput.
[[nodiscard]] Result<Request> parse_request(std::string_view line);

}  // namespace weir::tool::rpc
