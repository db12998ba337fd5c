#include "store/line_head.h"

#include <charconv>

#include "base/time.h"

namespace weir::store {
namespace {

using event::Field;

/// Walks over the members of a line, whose names are in the catalogue's order.
class Members {
 public:
  explicit Members(std::string_view line) : rest_(line) {}

  /// The next member's name; nothing after the last one, or where it is written otherwise.
  std::optional<Field> next() {
    if (!take(fields_.none() ? '{' : ',') || !take('"')) return {};
    const auto size = rest_.find('"');
    if (size == std::string_view::npos) return {};
    const auto name = rest_.substr(0, size);
    rest_.remove_prefix(size + 1);
    if (!take(':')) return {};
    const auto fields = event::fields();
    for (; next_ < fields.size(); ++next_) {
      if (fields[next_].name != name) continue;
      fields_.set(next_);
      return static_cast<Field>(next_++);
    }
    return {};
  }

  /// Its value, a string without its quotes and any escape; nothing if it is something else.
  std::optional<std::string_view> text() {
    const auto before = rest_;
    if (!pass_string() || before.front() != '"') return {};
    const auto text = before.substr(1, before.size() - rest_.size() - 2);
    if (text.find('\\') != std::string_view::npos) return {};
    return text;
  }

  std::optional<std::int64_t> integer() {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    if (error != std::errc()) return {};
    return value;
  }

  /// Passes over its value.
  bool pass() {
    if (rest_.empty()) return false;
    if (rest_.front() == '"') return pass_string();
    if (rest_.front() == '{' || rest_.front() == '[') return pass_nested();
    while (!rest_.empty() && rest_.front() != ',' && rest_.front() != '}') rest_.remove_prefix(1);
    return true;
  }

  [[nodiscard]] bool is_at_end() const { return rest_ == "}"; }
  [[nodiscard]] const FieldSet& fields() const { return fields_; }

 private:
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool pass_string() {
    for (std::size_t end = rest_.find('"', 1); end != std::string_view::npos;
         end = rest_.find('"', end + 1)) {
      // A quote behind an odd number of backslashes is a part of the text.
      auto first = end;
      while (rest_[first - 1] == '\\') --first;
      if ((end - first) % 2 != 0) continue;
      rest_.remove_prefix(end + 1);
      return true;
    }
    return false;
  }

  bool pass_nested() {
    for (int depth = 0; !rest_.empty();) {
      const char c = rest_.front();
      if (c == '"') {
        if (!pass_string()) return false;
        continue;
      }
      rest_.remove_prefix(1);
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      if (depth == 0) return true;
    }
    return false;
  }

  std::string_view rest_;
  std::size_t next_ = 0;  // of the catalogue
  FieldSet fields_;
};

bool read_member(Members& members, Field field, LineHead& head) {
  switch (field) {
    case Field::kTimestamp: {
      const auto text = members.text();
      if (!text || text->size() != kRfc3339Size || text->back() != 'Z') return false;
      head.date = text->substr(0, kDateSize);
      return true;
    }
    case Field::kPipelineType: {
      const auto text = members.text();
      return text == "dag" || text == "linear";
    }
    case Field::kRunId: {
      const auto text = members.text();
      const auto run = text ? RunId::parse(*text) : std::nullopt;
      if (run) head.run = *run;
      return run.has_value();
    }
    case Field::kRunSeq: {
      const auto number = members.integer();
      head.run_seq = number.value_or(0);
      return number.has_value();
    }
    case Field::kTenantId:
      head.tenant = members.text();
      return head.tenant.has_value();
    default:
      return members.pass();
  }
}

constexpr auto kNeeded = {Field::kTimestamp, Field::kPipelineType, Field::kRunId, Field::kRunSeq};

}  // namespace

std::optional<LineHead> read_line_head(std::string_view line) {
  LineHead head;
  Members members(line);
  while (!members.is_at_end()) {
    const auto field = members.next();
    if (!field || !read_member(members, *field, head)) break;
  }
  head.is_whole = members.is_at_end();
  head.fields = members.fields();
  for (const auto field : kNeeded) {
    if (!head.fields.test(static_cast<std::size_t>(field))) return {};
  }
  return head;
}

}  // namespace weir::store
