#include "plugins/plugins.h"

namespace weir::plugins {
namespace {

class SimpleTool final : public tool::Tool {
 public:
  SimpleTool(tool::ToolSpec spec, ToolFunction function)
      : spec_(std::move(spec)), function_(function) {}
  [[nodiscard]] const tool::ToolSpec& spec() const override { return spec_; }
  [[nodiscard]] std::expected<tool::Output, tool::Failure> run(const tool::Call& call) override {
    return function_(call);
  }

 private:
  const tool::ToolSpec spec_;
  const ToolFunction function_;
};

}  // namespace

std::unique_ptr<tool::Tool> make_tool(tool::ToolSpec spec, ToolFunction function) {
  return std::make_unique<SimpleTool>(std::move(spec), function);
}

}  // namespace weir::plugins
