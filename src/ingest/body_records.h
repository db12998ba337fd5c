#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace weir::ingest {

/// One record of a body, as it stands there.
struct BodyRecord {
  std::size_t index = 0;  ///< of its line, or its place in the list, from 0
  std::string_view text;  ///< empty: there is nothing
};

/// Takes a body of JSON lines apart, or one list of records, which begins with '['. What the
/// records say is nobody's business here: a record that cannot be read costs itself alone.
///
/// JSON lines end in LF or CRLF, the last one need not; blank lines count, but are no records.
class BodyRecords {
 public:
  explicit BodyRecords(std::string_view body);

  /// Nothing: there are no more.
  [[nodiscard]] std::optional<BodyRecord> next();

  /// After the last record: what is wrong with the list around them, at the place `next_index`.
  [[nodiscard]] std::string_view problem() const { return problem_; }
  [[nodiscard]] std::size_t next_index() const { return index_; }
  [[nodiscard]] bool is_list() const { return is_list_; }
  /// "line 7" or "event 7": what people call the record with this index.
  [[nodiscard]] std::string name_of(std::size_t index) const;

 private:
  [[nodiscard]] std::optional<BodyRecord> next_line();
  [[nodiscard]] std::optional<BodyRecord> next_item();
  [[nodiscard]] std::optional<BodyRecord> end(std::string_view problem);

  std::string_view rest_;
  std::string_view problem_;
  std::size_t index_ = 0;
  bool is_list_ = false;
};

}  // namespace weir::ingest
