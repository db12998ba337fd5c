#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/json_flat.h"
#include "base/time.h"
#include "event/catalogue.h"

namespace weir::event {

/// One event as views into the Decoder that read it, valid until it reads the next.
class EventView {
 public:
  [[nodiscard]] Type type() const { return type_; }
  [[nodiscard]] std::string_view type_name() const { return text(Field::kEventType); }
  [[nodiscard]] Timestamp timestamp() const { return timestamp_; }
  [[nodiscard]] const RunId& run_id() const { return run_id_; }
  [[nodiscard]] std::int64_t run_seq() const { return integer(Field::kRunSeq).value_or(0); }

  /// How many fields it has.
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool has(Field field) const { return index_[slot(field)] != kAbsent; }
  /// Null where the event does not say it, or says null.
  [[nodiscard]] const json::FlatMember* find(Field field) const {
    const auto at = index_[slot(field)];
    return at == kAbsent ? nullptr : &members_[at];
  }
  /// Empty where absent.
  [[nodiscard]] std::string_view text(Field field) const {
    const auto* member = find(field);
    return member == nullptr ? std::string_view() : member->text;
  }
  [[nodiscard]] std::optional<std::int64_t> integer(Field field) const;
  [[nodiscard]] std::optional<double> number(Field field) const;
  [[nodiscard]] std::optional<bool> boolean(Field field) const;
  /// Of a field of type kStrings; empty where absent.
  [[nodiscard]] std::vector<std::string> strings(Field field) const;

 private:
  friend class Decoder;
  static constexpr std::uint8_t kAbsent = 255;
  static std::size_t slot(Field field) { return static_cast<std::size_t>(field); }

  std::span<const json::FlatMember> members_;
  std::array<std::uint8_t, kFieldCount> index_{};
  std::size_t size_ = 0;
  Type type_ = Type::kCustom;
  Timestamp timestamp_{};
  RunId run_id_;
};

/// Reads event lines and holds each to the catalogue: known fields of the right types, and those
/// that its type must have. One a thread; allocates only to grow.
class Decoder {
 public:
  /// Errors: kInvalidInput, naming the field.
  [[nodiscard]] Result<const EventView*> decode(std::string_view line);

 private:
  [[nodiscard]] Result<void> index_members();
  [[nodiscard]] Result<void> check_base();
  [[nodiscard]] Result<void> check_required() const;

  json::FlatReader reader_;
  EventView view_;
};

}  // namespace weir::event
