#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "ingest/json_text.h"
#include "ingest/otlp_known.h"

/// What a record says, flat, whatever encoding it came in: the protobuf and the JSON decoder fill
/// these, and one mapper makes events of them. Texts are views into the request's body, or into
/// the memory of the decoder that put them here; they are read before it goes on. Lists are JSON
/// already. Each is filled again for every record, so that its memory is kept.
namespace weir::ingest::otlp {

/// Lists and maps in one another, in the value of an attribute: more is refused.
inline constexpr int kMaxValueDepth = 64;

/// What is wrong with a record: the first thing that was found.
class Problem {
 public:
  void clear() { text_.clear(); }
  void set(std::string text) {
    if (text_.empty()) text_ = std::move(text);
  }
  [[nodiscard]] bool empty() const { return text_.empty(); }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// Nanoseconds since 1970.
struct Nanoseconds {
  std::uint64_t count = 0;
  /// What was sent, when it was not a number of 64 bits: `count` is the nearest one.
  std::string_view verbatim;
};

/// A trace or span id.
struct Id {
  enum class State : std::uint8_t { kAbsent, kGood, kZero, kWrong };
  static constexpr std::size_t kTrace = 32, kSpan = 16;

  State state = State::kAbsent;
  bool is_text = false;  ///< of `raw`: it was JSON
  std::uint8_t size = 0;
  std::array<char, kTrace> digits;
  std::string_view raw;  ///< as it was sent

  [[nodiscard]] bool good() const { return state == State::kGood; }
  /// The hexadecimal digits, lower case, of one that is good.
  [[nodiscard]] std::string_view text() const { return {digits.data(), size}; }
  void clear() { state = State::kAbsent; }
  /// `digits_wanted` is kTrace or kSpan.
  void set_bytes(std::string_view bytes, std::size_t digits_wanted);
  void set_text(std::string_view text, std::size_t digits_wanted);
  /// What is wrong with one that is not good, which the protocol calls `name`.
  [[nodiscard]] std::string reason(std::string_view name) const;
  /// Whether it is base64, which JSON has for other bytes.
  [[nodiscard]] bool is_base64() const;
  /// As a JSON string: what was sent, bytes in hexadecimal.
  void put_raw(JsonText& out) const;
};

/// A list of attributes as members of the JSON object that an event's attributes are.
struct Attributes {
  JsonText json;  ///< with the brace that opens it, and without the one that closes it
  KnownValues known;
  /// The attribute called `otlp`, as a member: it must not meet ours.
  JsonText aside;

  void clear() {
    json.clear();
    json.open('{');
    known.clear();
    aside.clear();
  }
  /// After each attribute. `before` is the size of `json` then.
  void added(std::string_view key, std::size_t before) {
    if (key != "otlp") return;
    const auto member = json.view().substr(before);
    aside.raw(member.substr(member.starts_with(',') ? 1 : 0));
    json.cut_to(before);
  }
};

/// Its problem is one of all records that are of it.
struct Resource {
  JsonText attributes;  ///< members, without the braces around them
  KnownValues known;
  std::uint32_t dropped_attributes = 0;
  std::string_view schema_url;
  Problem problem;

  void clear();
};

struct Scope {
  std::string_view name, version;
  JsonText attributes;  ///< members, without the braces around them
  KnownValues known;
  std::uint32_t dropped_attributes = 0;
  std::string_view schema_url;
  Problem problem;

  void clear();
};

struct SpanEvent {
  Nanoseconds time;
  std::string_view name;
  std::uint32_t dropped_attributes = 0;
  JsonText attributes;  ///< members, without the braces around them
  KnownValues known;

  void clear();
};

struct SpanLink {
  Id trace_id, span_id;
  std::string_view trace_state;
  std::uint32_t dropped_attributes = 0, flags = 0;
  JsonText attributes;  ///< members, without the braces around them
  KnownValues known;

  void clear();
};

struct Span {
  Id trace_id, span_id, parent_span_id;
  std::string_view trace_state, name, status_message;
  Nanoseconds start, end;
  std::uint32_t kind = 0, status_code = 0, flags = 0;
  std::uint32_t dropped_attributes = 0, dropped_events = 0, dropped_links = 0;
  Attributes attributes;
  JsonText events, links;  ///< objects, without the brackets of their list
  KnownValues exception;   ///< of the last of the events that is called so
  Problem problem;

  void clear();
  void add(const SpanEvent& event);
  void add(const SpanLink& link);
};

struct LogRecord {
  Id trace_id, span_id;
  Nanoseconds time, observed;
  std::uint32_t severity_number = 0, dropped_attributes = 0, flags = 0;
  std::string_view severity_text, event_name;
  Scalar body;
  JsonText body_json;  ///< of a body that is no string
  Attributes attributes;
  Problem problem;

  void clear();
};

/// `value`, unless it is a list or a map.
void put_scalar(JsonText& json, const Scalar& value);
/// The member `name`: the id as it should be if it can, otherwise as it was sent; nothing when
/// there is none.
void put_id(JsonText& json, std::string_view name, const Id& id);
/// The member `name`, its value text: as JSON has it, a number of 64 bits loses digits in many
/// readers.
void put_nanoseconds(JsonText& json, std::string_view name, const Nanoseconds& time);
/// The same if the timestamp of an event, which is in microseconds, does not say all of it.
void put_rest_of_time(JsonText& json, std::string_view name, const Nanoseconds& time);
/// The member `name` with `members` in braces; nothing when there are none.
void put_object(JsonText& json, std::string_view name, const JsonText& members);
/// The member `name`; nothing when it is 0, or empty.
void put_count(JsonText& json, std::string_view name, std::uint32_t count);
void put_text(JsonText& json, std::string_view name, std::string_view text);

}  // namespace weir::ingest::otlp
