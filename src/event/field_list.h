#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <type_traits>

#include "base/result.h"
#include "event/field_value.h"

namespace weir::event {

/// The fields of one event, put together on the stack. An event has no field twice, so none has
/// more than there are.
class FieldList {
 public:
  FieldList() = default;
  FieldList(std::initializer_list<FieldValue> values) {
    for (const auto& value : values) push_back(value);
  }
  FieldList(const FieldList& other) {
    for (const auto& value : std::span<const FieldValue>(other)) push_back(value);
  }
  FieldList& operator=(const FieldList&) = delete;
  ~FieldList() = default;

  void push_back(const FieldValue& value) { emplace_back(value.field, value.value); }
  /// Made where it stays: a variant that was written and is copied at once waits for its stores.
  template <class Value>
  void emplace_back(Field field, const Value& value) {
    WEIR_CHECK(size_ < kFieldCount);
    std::construct_at(data() + size_++, field, value);
  }
  [[nodiscard]] operator std::span<const FieldValue>() const {  // NOLINT(*-explicit-*)
    return {reinterpret_cast<const FieldValue*>(room_.data()), size_};
  }

 private:
  static_assert(std::is_trivially_destructible_v<FieldValue>);
  [[nodiscard]] FieldValue* data() { return reinterpret_cast<FieldValue*>(room_.data()); }

  std::size_t size_ = 0;
  alignas(FieldValue) std::array<std::byte, kFieldCount * sizeof(FieldValue)> room_;
};

}  // namespace weir::event
