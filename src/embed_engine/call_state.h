#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/interceptor.h"
#include "tool/tool.h"
#include "weir/engine.h"

/// What stands behind the classes of include/weir/engine.h.
namespace weir::embed {

/// Of one call; its texts are made when they are asked for.
class CallState {
 public:
  /// They outlive it.
  CallState(const tool::Call& call, std::string_view plugin_id)
      : call_(call), plugin_id_(plugin_id) {}

  [[nodiscard]] const tool::Call& call() const { return call_; }
  [[nodiscard]] std::string_view plugin_id() const { return plugin_id_; }
  [[nodiscard]] std::string_view payload() { return text_of(payload_, call_.payload); }
  [[nodiscard]] std::string_view settings() { return text_of(settings_, call_.with); }

 private:
  static std::string_view text_of(std::optional<std::string>& text, const json::Object& object) {
    if (!text) text = json::to_text(object);
    return *text;
  }

  const tool::Call& call_;
  const std::string_view plugin_id_;
  std::optional<std::string> payload_, settings_;
};

[[nodiscard]] tool::Failure to_failure(const ToolFailure& failure);
[[nodiscard]] engine::CallOutcome to_outcome(const ToolResult& result, const tool::Call& call);
[[nodiscard]] ToolResult to_result(const engine::CallOutcome& outcome);

/// A tool that is a function of the program's.
[[nodiscard]] std::unique_ptr<tool::Tool> make_tool(const ToolName& name, ToolFunction function);

}  // namespace weir::embed
