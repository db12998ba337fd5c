#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "event/catalogue_table.h"

/// What an event may say: the fields, and the types of event with the fields each must have. The
/// codec, the JSON Schema, the SQL columns and the reference page all come from the tables here.
namespace weir::event {

/// How urgent an event is.
enum class Level : std::uint8_t { kDebug, kInfo, kWarning, kError, kFatal };
[[nodiscard]] std::string_view to_string(Level level);

/// What JSON a field holds.
enum class FieldType : std::uint8_t {
  kString,
  kInteger,  ///< 64 bits, signed
  kNumber,   ///< a double
  kBoolean,
  kTimestamp,  ///< RFC 3339, UTC, microseconds, `Z`
  kStrings,    ///< a list of strings
  kObject,
};

#define WEIR_FIELD_ENUM(id, name, type, group, doc) id,
enum class Field : std::uint8_t { WEIR_FIELDS(WEIR_FIELD_ENUM) };
#undef WEIR_FIELD_ENUM

#define WEIR_FIELD_COUNT(...) +1
inline constexpr std::size_t kFieldCount = WEIR_FIELDS(WEIR_FIELD_COUNT);
#undef WEIR_FIELD_COUNT

#define WEIR_FIELD_TYPE(id, name, type, group, doc) FieldType::type,
/// By Field.
inline constexpr FieldType kFieldTypes[] = {WEIR_FIELDS(WEIR_FIELD_TYPE)};
#undef WEIR_FIELD_TYPE

struct FieldInfo {
  Field field;
  std::string_view name;
  FieldType type;
  std::string_view group;
  std::string_view doc;
};

/// All fields, in the order in which an event's line has them.
[[nodiscard]] std::span<const FieldInfo, kFieldCount> fields();
[[nodiscard]] const FieldInfo& info(Field field);
[[nodiscard]] std::optional<Field> find_field(std::string_view name);

/// On every event.
inline constexpr std::array kAlwaysRequired = {
    Field::kTimestamp,  Field::kEventType,       Field::kLevel, Field::kPipelineType,
    Field::kPipelineId, Field::kPipelineVersion, Field::kRunId, Field::kRunSeq};

/// The one field that says null where it applies and has no value: no node failed, the run did.
inline constexpr Field kNullable = Field::kFailedNodeId;

#define WEIR_TYPE_ENUM(id, ...) id,
/// kCustom stands for every name outside the catalogue.
enum class Type : std::uint8_t { WEIR_TYPES(WEIR_TYPE_ENUM) kCustom };
#undef WEIR_TYPE_ENUM

inline constexpr std::size_t kTypeCount = static_cast<std::size_t>(Type::kCustom);

struct TypeInfo {
  Type type;
  std::string_view name;
  std::string_view family;
  Level level;
  std::string_view doc;
  std::span<const Field> required;  ///< beside kAlwaysRequired
};

[[nodiscard]] std::span<const TypeInfo, kTypeCount> types();
/// Not for kCustom.
[[nodiscard]] const TypeInfo& info(Type type);
/// kCustom for a name that is well formed and not in the catalogue, nothing for a malformed one
/// (`[a-z][a-z0-9_.]*`, at most 128 characters).
[[nodiscard]] std::optional<Type> find_type(std::string_view name);

}  // namespace weir::event
