#include "export/format.h"

namespace weir::exporting {
namespace {

/// The lines of the log as they are.
class JsonLines final : public FormatWriter {
 public:
  explicit JsonLines(WriteBytes write) : write_(std::move(write)) {}
  Result<void> add(const event::EventView& event, std::string_view line) override {
    static_cast<void>(event);
    line_.assign(line).append("\n");
    return write_(line_);
  }

 private:
  const WriteBytes write_;
  std::string line_;
};

}  // namespace

std::unique_ptr<FormatWriter> make_jsonl(WriteBytes write) {
  return std::make_unique<JsonLines>(std::move(write));
}

}  // namespace weir::exporting
