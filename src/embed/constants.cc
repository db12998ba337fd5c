// The public constants are those of the catalogue: held to it wherever this compiles.

#include "event/catalogue.h"
#include "weir/event_types.h"
#include "weir/fields.h"

namespace weir::embed {
namespace {

/// With what the recorder says itself, which programs cannot name.
namespace all {
using namespace weir::field;  // NOLINT(google-build-using-namespace): to ask for every name
constexpr struct Own {
  std::uint8_t index;
} kTimestamp{0}, kEventType{1}, kLevel{2}, kPipelineType{3}, kPipelineId{4}, kPipelineVersion{5},
    kRunId{6}, kRunSeq{7}, kAttributes{event::kFieldCount - 1};
}  // namespace all

using event::FieldType;
constexpr bool fits(TextField, FieldType type) { return type == FieldType::kString; }
constexpr bool fits(IntegerField, FieldType type) { return type == FieldType::kInteger; }
constexpr bool fits(NumberField, FieldType type) { return type == FieldType::kNumber; }
constexpr bool fits(BooleanField, FieldType type) { return type == FieldType::kBoolean; }
constexpr bool fits(StringsField, FieldType type) { return type == FieldType::kStrings; }
constexpr bool fits(ObjectField, FieldType type) { return type == FieldType::kObject; }
constexpr bool fits(all::Own, FieldType) { return true; }

#define WEIR_SAME_FIELD(id, name, type, ...)                                \
  static_assert(all::id.index == static_cast<int>(event::Field::id), name); \
  static_assert(fits(all::id, FieldType::type), name);
WEIR_FIELDS(WEIR_SAME_FIELD)
#undef WEIR_SAME_FIELD
static_assert(static_cast<event::Field>(field::kFailedNodeId.index) == event::kNullable);

#define WEIR_SAME_TYPE(id, name, ...) \
  static_assert(static_cast<int>(EventType::id) == static_cast<int>(event::Type::id), name);
WEIR_TYPES(WEIR_SAME_TYPE)
#undef WEIR_SAME_TYPE
static_assert(static_cast<int>(EventType::kCustom) == static_cast<int>(event::Type::kCustom));

static_assert(static_cast<int>(Level::kDebug) == static_cast<int>(event::Level::kDebug) &&
              static_cast<int>(Level::kInfo) == static_cast<int>(event::Level::kInfo) &&
              static_cast<int>(Level::kWarning) == static_cast<int>(event::Level::kWarning) &&
              static_cast<int>(Level::kError) == static_cast<int>(event::Level::kError) &&
              static_cast<int>(Level::kFatal) == static_cast<int>(event::Level::kFatal));

}  // namespace
}  // namespace weir::embed
