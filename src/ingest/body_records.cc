#include "ingest/body_records.h"

#include <algorithm>

#include "base/json_text.h"

namespace weir::ingest {
namespace {

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kNoEnd = "the list has no end: the rest of it is missing";

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
}

/// Where the comma or bracket stands that ends the item of a list which `text` begins with; npos:
/// nothing does. Brackets are counted, of whatever sort: whether they match is seen when the item
/// is read.
std::size_t item_end(std::string_view text) {
  std::size_t depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case '"': {
        const auto size = json::string_size(text.substr(i));
        if (size == std::string_view::npos) return size;
        i += size - 1;
        break;
      }
      case '[':
      case '{':
        ++depth;
        break;
      case '}':
        if (depth > 0) --depth;
        break;
      case ']':
        if (depth == 0) return i;
        --depth;
        break;
      case ',':
        if (depth == 0) return i;
        break;
      default:
        break;
    }
  }
  return std::string_view::npos;
}

}  // namespace

BodyRecords::BodyRecords(std::string_view body) : rest_(body) {
  const auto begin = body.find_first_not_of(kSpace);
  if (begin == std::string_view::npos || body[begin] != '[') return;
  is_list_ = true;
  rest_.remove_prefix(begin + 1);
  if (rest_.empty()) problem_ = kNoEnd;
  if (trimmed(rest_) == "]") rest_ = {};
}

std::string BodyRecords::name_of(std::size_t index) const {
  return (is_list_ ? "event " : "line ") + std::to_string(index + 1);
}

std::optional<BodyRecord> BodyRecords::next() { return is_list_ ? next_item() : next_line(); }

std::optional<BodyRecord> BodyRecords::next_line() {
  while (!rest_.empty()) {
    const auto size = rest_.find('\n');
    const auto line = trimmed(rest_.substr(0, size));
    rest_.remove_prefix(std::min(size, rest_.size() - 1) + 1);
    const auto index = index_++;
    if (!line.empty()) return BodyRecord{.index = index, .text = line};
  }
  return {};
}

std::optional<BodyRecord> BodyRecords::end(std::string_view problem) {
  rest_ = {};
  problem_ = problem;
  return {};
}

std::optional<BodyRecord> BodyRecords::next_item() {
  if (rest_.empty()) return {};
  const auto size = item_end(rest_);
  if (size == std::string_view::npos) return end(kNoEnd);
  const BodyRecord item{.index = index_++, .text = trimmed(rest_.substr(0, size))};
  const bool is_last = rest_[size] == ']';
  rest_.remove_prefix(size + 1);
  if (is_last && !trimmed(rest_).empty()) {
    static_cast<void>(end("there is more text after the list"));
  } else if (is_last) {
    rest_ = {};
  } else if (rest_.empty()) {
    static_cast<void>(end(kNoEnd));
  }
  return item;
}

}  // namespace weir::ingest
