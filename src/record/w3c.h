#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"

/// The headers in which a trace and its baggage travel. Texts are values of headers or of
/// environment variables, without the name; white space around them is not part of them.
namespace weir::record {

/// Trace Context, level 2, trace-flags. The other bits are reserved: never sent, never looked at.
inline constexpr std::uint8_t kSampledFlag = 0x01;
inline constexpr std::uint8_t kRandomTraceIdFlag = 0x02;

/// W3C Trace Context, level 2, section 3.2: where in which trace a request comes from.
struct Traceparent {
  TraceId trace_id;        ///< never all zero
  SpanId parent_id;        ///< never zero
  std::uint8_t flags = 0;  ///< kSampledFlag, kRandomTraceIdFlag

  bool operator==(const Traceparent&) const = default;

  /// Nothing: the header is to be ignored and a new trace begun. A version above 00 is read by its
  /// first four fields; ff is invalid, and so are capitals.
  [[nodiscard]] static std::optional<Traceparent> parse(std::string_view text);
  /// 55 characters, version 00.
  [[nodiscard]] std::string text() const;
};

/// W3C Trace Context, level 2, section 3.3: what each tracing system on the way noted, the latest
/// first. Read only beside a valid traceparent.
class Tracestate {
 public:
  static constexpr std::size_t kMaxMembers = 32;
  static constexpr std::size_t kMaxKeyBytes = 256;
  static constexpr std::size_t kMaxValueBytes = 256;
  /// Of a text to read: 32 members at their longest, and as much again for white space.
  static constexpr std::size_t kMaxInputBytes = std::size_t{32} << 10;

  struct Member {
    std::string key;
    std::string value;
    bool operator==(const Member&) const = default;
  };

  bool operator==(const Tracestate&) const = default;

  /// Nothing: the header is to be ignored. Empty members are skipped; of several with one key the
  /// first is kept, being the latest.
  [[nodiscard]] static std::optional<Tracestate> parse(std::string_view text);
  [[nodiscard]] std::string text() const;

  /// Views into this object, until it changes.
  [[nodiscard]] std::span<const Member> members() const { return members_; }
  [[nodiscard]] const std::string* find(std::string_view key) const;
  [[nodiscard]] bool empty() const { return members_.empty(); }

  /// Puts the member first, whether new or changed. When there are too many the last one goes.
  /// Errors: kInvalidInput when the standard has no such key or value.
  [[nodiscard]] Result<void> set(std::string_view key, std::string_view value);
  void erase(std::string_view key);
  /// Drops whole members until the text is no longer than `size_bytes`: first those over 128
  /// bytes, then from the end (section 3.3.1.5). 512 bytes are the least to pass on.
  void cut_to(std::size_t size_bytes);

 private:
  std::vector<Member> members_;
};

/// W3C Baggage: the application's own keys and values, passed on with the trace. Keys may repeat.
class Baggage {
 public:
  /// At least 64 must be passed on; 180 was the limit of the first drafts, which others hold to.
  static constexpr std::size_t kMaxMembers = 180;
  /// All within 8192 bytes must be passed on.
  static constexpr std::size_t kMaxTextBytes = 8192;
  /// Of a text to read: what one variable of the environment or a generous server lets through.
  static constexpr std::size_t kMaxInputBytes = std::size_t{64} << 10;

  struct Property {
    std::string key;
    std::optional<std::string> value;
    bool operator==(const Property&) const = default;
  };
  struct Member {
    std::string key;    ///< an RFC 7230 token
    std::string value;  ///< any UTF-8; on the wire percent-encoded
    std::vector<Property> properties{};
    bool operator==(const Member&) const = default;
  };

  bool operator==(const Baggage&) const = default;

  /// Leaves out each member that is not as the standard says or for which there is no room. What
  /// is percent-encoded and not UTF-8 becomes U+FFFD. Over kMaxInputBytes nothing is read.
  [[nodiscard]] static Baggage parse(std::string_view text);
  [[nodiscard]] std::string text() const;

  /// Views into this object, until it changes.
  [[nodiscard]] std::span<const Member> members() const { return members_; }
  /// The last one of that key.
  [[nodiscard]] const Member* find(std::string_view key) const;
  [[nodiscard]] bool empty() const { return members_.empty(); }

  /// Puts `member` last, in place of all others with its key. Errors: kInvalidInput when a key is
  /// not a token, kExhausted when there is no room; then nothing has changed.
  [[nodiscard]] Result<void> set(Member member);
  void erase(std::string_view key);

 private:
  bool append(Member member);

  std::vector<Member> members_;
  std::size_t text_size_ = 0;
};

/// A header given several times, as one: RFC 7230, section 3.2.2.
[[nodiscard]] std::string combine(std::span<const std::string_view> values);

/// `value` as a member of `baggage` has it on the wire, and back.
[[nodiscard]] std::string percent_encoded(std::string_view value);
[[nodiscard]] std::string percent_decoded(std::string_view text);

/// `text` without the spaces and tabs around it (OWS of RFC 7230).
[[nodiscard]] std::string_view trimmed(std::string_view text);

}  // namespace weir::record
