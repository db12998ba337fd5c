#include "store/line_head.h"

#include <emmintrin.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <string>

#include "base/time.h"

namespace weir::store {
namespace {

using event::Field;

/// Where the first quote or backslash is; the text's size: nowhere. Inline, since most texts in a
/// line are shorter than a call takes.
inline std::size_t find_special(std::string_view text) {
  constexpr std::size_t kStep = 16;
  std::size_t at = 0;
  for (; at + kStep <= text.size(); at += kStep) {
    const auto bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    const auto special = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                      _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
    const auto found = static_cast<unsigned>(_mm_movemask_epi8(special));
    if (found != 0) return at + static_cast<std::size_t>(std::countr_zero(found));
  }
  while (at < text.size() && text[at] != '"' && text[at] != '\\') ++at;
  return at;
}

/// How each field's name stands in a line, with its quotes and colon, for comparisons without a
/// loop.
struct WrittenName {
  static constexpr std::size_t kRoom = 32;
  std::array<char, kRoom> text{};
  std::size_t size = 0;  // 0: it does not fit
};

using WrittenNames = std::array<WrittenName, event::kFieldCount>;

const WrittenNames& written_names() {
  static const auto all = [] {
    WrittenNames names;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto text = "\"" + std::string(event::fields()[i].name) + "\":";
      if (text.size() > WrittenName::kRoom) continue;
      std::ranges::copy(text, names[i].text.begin());
      names[i].size = text.size();
    }
    return names;
  }();
  return all;
}

inline bool begins_with(std::string_view text, const WrittenName& name) {
  if (name.size == 0 || text.size() < WrittenName::kRoom) return false;
  const auto differ = [&](std::size_t at) {
    const auto load = [at](const char* from) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + at));
    };
    const auto same = _mm_cmpeq_epi8(load(text.data()), load(name.text.data()));
    return ~static_cast<unsigned>(_mm_movemask_epi8(same)) & 0xFFFFU;
  };
  return static_cast<std::size_t>(std::countr_zero(differ(0) | differ(16) << 16)) >= name.size;
}

/// Walks over the members of a line, whose names are in the catalogue's order.
class Members {
 public:
  Members(std::string_view line, LineShape& shape) : rest_(line), shape_(shape) {}

  /// The next member's name; nothing after the last one, or where it is written otherwise.
  std::optional<Field> next() {
    if (!take(fields_.none() ? '{' : ',')) return {};
    const std::size_t guess = shape_.next[next_];
    if (guess >= next_ && begins_with(rest_, names_[guess])) {
      rest_.remove_prefix(names_[guess].size);
      return found(guess);
    }
    const auto name = text();
    const auto field = name && take(':') ? event::find_field(*name) : std::nullopt;
    if (!field || static_cast<std::size_t>(*field) < next_) return {};
    shape_.next[next_] = static_cast<std::uint8_t>(*field);
    return found(static_cast<std::size_t>(*field));
  }

  /// A string without its quotes and any escape; nothing if it is something else.
  std::optional<std::string_view> text() {
    if (!rest_.starts_with('"')) return {};
    const auto size = find_special(rest_.substr(1));
    if (size + 1 >= rest_.size() || rest_[size + 1] != '"') return {};
    const auto text = rest_.substr(1, size);
    rest_.remove_prefix(size + 2);
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
  Field found(std::size_t field) {
    next_ = field + 1;
    fields_.set(field);
    return static_cast<Field>(field);
  }

  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool pass_string() {
    for (auto at = std::size_t{1} + find_special(rest_.substr(1)); at < rest_.size();
         at += find_special(rest_.substr(at))) {
      if (rest_[at] == '"') {
        rest_.remove_prefix(at + 1);
        return true;
      }
      at += 2;  // a backslash, and what it is before
      if (at >= rest_.size()) return false;
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
  LineShape& shape_;
  const WrittenNames& names_ = written_names();
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
  LineShape shape;
  return read_line_head(line, shape);
}

std::optional<LineHead> read_line_head(std::string_view line, LineShape& shape) {
  LineHead head;
  Members members(line, shape);
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
