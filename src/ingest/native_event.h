#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/equal.h"
#include "base/id.h"
#include "base/json_flat.h"
#include "base/result.h"
#include "event/field_list.h"
#include "ingest/event_lines.h"

namespace weir::ingest {

/// Some of the fields, to be walked over in the order of the catalogue.
class FieldSet {
 public:
  constexpr void add(event::Field field) { word_of(field) |= bit(field); }
  constexpr void remove(event::Field field) { word_of(field) &= ~bit(field); }
  void clear() { words_ = {}; }
  [[nodiscard]] bool has(event::Field field) const {
    return (words_[index(field) / kBits] & bit(field)) != 0;
  }
  [[nodiscard]] bool empty() const { return (words_[0] | words_[1]) == 0; }
  [[nodiscard]] FieldSet without(const FieldSet& other) const {
    FieldSet rest;
    for (std::size_t i = 0; i < words_.size(); ++i) rest.words_[i] = words_[i] & ~other.words_[i];
    return rest;
  }
  template <class Take>
  void for_each(const Take& take) const {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      for (auto word = words_[i]; word != 0; word &= word - 1) {
        take(static_cast<event::Field>(i * kBits +
                                       static_cast<std::size_t>(std::countr_zero(word))));
      }
    }
  }

 private:
  static constexpr std::size_t kBits = 64;
  static_assert(event::kFieldCount <= 2 * kBits);
  static constexpr std::size_t index(event::Field field) { return static_cast<std::size_t>(field); }
  static constexpr std::uint64_t bit(event::Field field) {
    return std::uint64_t{1} << (index(field) % kBits);
  }
  constexpr std::uint64_t& word_of(event::Field field) { return words_[index(field) / kBits]; }

  std::array<std::uint64_t, 2> words_{};
};

/// Reads events in the event contract, one a call, and adds each to the lines.
///
/// Threads One.
class NativeEventReader {
 public:
  explicit NativeEventReader(LineMaker& lines) : lines_(lines) {}

  /// Errors: kInvalidInput, naming the field and what it should be; kExhausted, the lines are full.
  [[nodiscard]] Result<void> take(std::string_view text);

 private:
  [[nodiscard]] Result<void> sort_members(std::string_view text);
  /// To compare one name takes less than to look it up.
  [[nodiscard]] std::optional<event::Field> field_of(std::string_view key, std::size_t place) {
    const auto& last = order_[place];
    return !key.empty() && equal_short(key, last.name) ? last.field : look_up(key, place);
  }
  [[nodiscard]] std::optional<event::Field> look_up(std::string_view key, std::size_t place);
  [[nodiscard]] Result<void> take_unknown(const json::FlatMember& member);
  [[nodiscard]] Result<void> read_head(ForeignEvent& event);
  [[nodiscard]] Result<void> read_type(ForeignEvent& event);
  [[nodiscard]] Result<void> read_run(ForeignEvent& event);
  [[nodiscard]] Result<void> read_pipeline(ForeignEvent& event);
  [[nodiscard]] Result<void> read_other_runs(const ForeignEvent& event);
  [[nodiscard]] Result<void> read_trace_ids();
  [[nodiscard]] Result<void> check_required(event::Type type) const;
  void set_number();
  void set_attributes();
  void put_values(event::FieldList& fields);
  void put_value(event::Field field, event::FieldList& fields);

  [[nodiscard]] bool has(event::Field field) const { return given_.has(field); }
  [[nodiscard]] const json::FlatMember& member(event::Field field) const {
    return *members_[slot(field)];
  }
  /// Empty where absent.
  [[nodiscard]] std::string_view text(event::Field field) const {
    return has(field) ? member(field).text : std::string_view();
  }
  /// Says a text, which must outlive the call, in a field.
  void set_text(event::Field field, std::string_view text);
  void drop(event::Field field) { given_.remove(field); }
  /// Says the member in `attributes`.
  void keep_aside(const json::FlatMember& member);
  static std::size_t slot(event::Field field) { return static_cast<std::size_t>(field); }

  LineMaker& lines_;
  json::FlatReader reader_;

  // Of the event at hand:
  FieldSet given_;
  std::array<const json::FlatMember*, event::kFieldCount> members_{};
  std::vector<const json::FlatMember*> aside_;
  std::string attributes_;

  // Room, by field.
  std::array<json::FlatMember, event::kFieldCount> made_;
  std::array<std::string, event::kFieldCount> texts_;
  std::array<std::vector<std::string>, event::kFieldCount> lists_;

  // Of the last event: mostly its members come in the same order, and it is of the same run.
  struct Named {
    std::string_view name;  // of the catalogue
    event::Field field{};
  };
  std::array<Named, json::FlatReader::kMaxMembers> order_{};
  std::string run_text_;
  RunId run_id_;
  bool run_is_named_ = false;  // by no UUID
};

}  // namespace weir::ingest
