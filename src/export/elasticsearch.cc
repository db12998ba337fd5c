#include "export/format.h"
#include "record/log_document.h"

namespace weir::exporting {
namespace {

using event::Field;
using event::Type;

/// What people did is kept longer: another index, with a lifecycle of its own.
std::string_view class_of(const event::EventView& event) {
  switch (event.type()) {
    case Type::kAudit:
    case Type::kAlertFired:
    case Type::kAlertResolved:
    case Type::kArtifactReviewed:
      return "audit";
    default:
      return "operations";
  }
}

/// `create` under an id that follows from the event: what is sent again is there already.
class Elasticsearch final : public FormatWriter {
 public:
  explicit Elasticsearch(WriteBytes write) : write_(std::move(write)) {}
  Result<void> add(const event::EventView& event, std::string_view line) override {
    static_cast<void>(line);
    constexpr std::size_t kDate = 10;
    auto day = std::string(event.text(Field::kTimestamp).substr(0, kDate));
    for (auto& c : day) c = c == '-' ? '.' : c;
    auto id = event.run_id().text() + "-" + std::to_string(event.run_seq());
    const auto tenant = event.text(Field::kTenantId);
    if (!tenant.empty()) id = std::string(tenant) + "-" + id;
    text_ =
        R"({"create":{"_index":"weir-)" + std::string(class_of(event)) + "-" + day + R"(","_id":)";
    json::append_string(text_, id);
    text_ += "}}\n" + json::to_text(record::to_log_document(event)) + "\n";
    return write_(text_);
  }

 private:
  const WriteBytes write_;
  std::string text_;
};

}  // namespace

std::unique_ptr<FormatWriter> make_elasticsearch(WriteBytes write) {
  return std::make_unique<Elasticsearch>(std::move(write));
}

}  // namespace weir::exporting
