#include "event/catalogue.h"

#include "base/equal.h"

namespace weir::event {
namespace {

#define WEIR_FIELD_INFO(id, name, type, group, doc) \
  FieldInfo{Field::id, name, FieldType::type, group, doc},
constexpr std::array<FieldInfo, kFieldCount> kFields = {WEIR_FIELDS(WEIR_FIELD_INFO)};
#undef WEIR_FIELD_INFO

/// The required fields of one type; a template so that each list is an array of its own size.
template <Field... required>
constexpr std::array<Field, sizeof...(required)> kRequired = {required...};

#define WEIR_TYPE_INFO(id, name, family, level, doc, ...) \
  TypeInfo{Type::id, name, family, Level::level, doc, kRequired<__VA_ARGS__>},
constexpr std::array<TypeInfo, kTypeCount> kTypes = {WEIR_TYPES(WEIR_TYPE_INFO)};
#undef WEIR_TYPE_INFO

/// Open addressing over the names of a table, filled by the compiler.
template <std::size_t kSlots>
struct NameIndex {
  static constexpr std::uint8_t kEmpty = 255;
  std::array<std::uint8_t, kSlots> slots{};

  /// Of some of its characters: to look at all takes as long as to compare them.
  static constexpr std::size_t hash(std::string_view name) {
    if (name.empty()) return 0;
    const auto last = name.size() - 1;
    auto h = static_cast<std::uint32_t>(name.size());
    for (const auto at : {std::size_t{0}, last / 4, last / 2, last - last / 4, last}) {
      h = h * 41 + static_cast<unsigned char>(name[at]);
    }
    return (h ^ h >> 9) % kSlots;
  }

  template <class Table>
  constexpr explicit NameIndex(const Table& table) {
    static_assert(std::tuple_size_v<Table> * 2 <= kSlots && std::tuple_size_v<Table> < kEmpty);
    slots.fill(kEmpty);
    for (std::size_t i = 0; i < table.size(); ++i) {
      auto slot = hash(table[i].name);
      while (slots[slot] != kEmpty) slot = (slot + 1) % kSlots;
      slots[slot] = static_cast<std::uint8_t>(i);
    }
  }

  template <class Table>
  std::optional<std::size_t> find(const Table& table, std::string_view name) const {
    for (auto slot = hash(name); slots[slot] != kEmpty; slot = (slot + 1) % kSlots) {
      if (equal_short(table[slots[slot]].name, name)) return slots[slot];
    }
    return {};
  }
};

constexpr NameIndex<512> kFieldIndex(kFields);
constexpr NameIndex<512> kTypeIndex(kTypes);

}  // namespace

std::string_view to_string(Level level) {
  static constexpr std::string_view kNames[] = {"DEBUG", "INFO", "WARNING", "ERROR", "FATAL"};
  return kNames[static_cast<std::size_t>(level)];
}

std::span<const FieldInfo, kFieldCount> fields() { return kFields; }
const FieldInfo& info(Field field) { return kFields[static_cast<std::size_t>(field)]; }

std::optional<Field> find_field(std::string_view name) {
  const auto index = kFieldIndex.find(kFields, name);
  if (!index) return {};
  return static_cast<Field>(*index);
}

std::span<const TypeInfo, kTypeCount> types() { return kTypes; }
const TypeInfo& info(Type type) { return kTypes[static_cast<std::size_t>(type)]; }

std::optional<Type> find_type(std::string_view name) {
  if (const auto index = kTypeIndex.find(kTypes, name)) return static_cast<Type>(*index);
  constexpr std::size_t kMaxName = 128;
  if (name.empty() || name.size() > kMaxName || name[0] < 'a' || name[0] > 'z') return {};
  for (const char c : name) {
    const bool allowed = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
    if (!allowed) return {};
  }
  return Type::kCustom;
}

}  // namespace weir::event
