#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "event/catalogue.h"
#include "event/decoder.h"

/// The topic of an event: dotted words that hooks and live views subscribe to. It is derived from
/// the event and never stored.
///
///   pipeline.started · stage.llm.completed · stage.wide · tool.denied · custom.deploy.started
///
/// The words are those of stageflow ("Event Types"); types that it does not have follow
/// its manner. A custom type NAME is `custom.NAME`, or NAME where it already begins with `custom.`.
namespace weir::event {

/// In a topic_form, the word that stands for the node id.
inline constexpr std::string_view kNodeWord = "{node_id}";

/// How the topics of a type look: `stage.{node_id}.started`. For kCustom, `custom`.
[[nodiscard]] std::string_view topic_form(Type type);

/// Puts the topic of `event` into `out`, in place of what was there. Allocates only to grow.
void write_topic(const EventView& event, std::string& out);
[[nodiscard]] std::string topic_of(const EventView& event);

/// A node id as one word, also where it has dots or spaces: every byte but ASCII letters, digits,
/// `_`, `-` and `~` becomes `%XX` (RFC 3986 §2.1, but with the dot escaped too); the empty id is
/// `%`. Two ids never give one word. At most three times as long as the id.
[[nodiscard]] std::string topic_word(std::string_view node_id);

/// A longer pattern is refused: the longest that can match is a node id of some hundred bytes.
inline constexpr std::size_t kMaxPatternBytes = 1024;

/// Which topics somebody wants. `*` stands for one word; `#`, which is the last word, for the rest:
/// none, one or more words. Other words stand for themselves, so `stage.*.failed` is every failed
/// node, `stage.#` everything about nodes, `#` everything.
class TopicPattern {
 public:
  /// Errors: kInvalidInput for an empty word, `#` before the end, `*` or `#` as a part of a word, a
  /// character that is in no topic, more than kMaxPatternBytes.
  [[nodiscard]] static Result<TopicPattern> parse(std::string_view text);

  /// Does not allocate.
  [[nodiscard]] bool matches(std::string_view topic) const;

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  explicit TopicPattern(std::string_view text) : text_(text) {}
  std::string text_;
};

}  // namespace weir::event
