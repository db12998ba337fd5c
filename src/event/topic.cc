#include "event/topic.h"

#include <algorithm>
#include <array>
#include <optional>

#include "event/topic_table.h"

namespace weir::event {
namespace {

constexpr std::array<std::string_view, kTypeCount> make_forms() {
  std::array<std::string_view, kTypeCount> forms;
#define WEIR_TOPIC_FORM(id, topic) forms[static_cast<std::size_t>(Type::id)] = topic;
  WEIR_TOPICS(WEIR_TOPIC_FORM)
#undef WEIR_TOPIC_FORM
  return forms;
}
constexpr auto kForms = make_forms();

static_assert(std::none_of(kForms.begin(), kForms.end(), [](auto form) { return form.empty(); }),
              "a type of the catalogue needs a line in topic_table.h");

constexpr std::string_view kCustomWord = "custom";

constexpr bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '~';
}

void append_word(std::string& out, std::string_view id) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  if (id.empty()) out += '%';
  for (const char c : id) {
    if (is_word_character(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 15U];
    }
  }
}

/// The words of a topic or a pattern, one a call.
class Words {
 public:
  explicit Words(std::string_view text) : rest_(text) {}

  std::optional<std::string_view> next() {
    if (!rest_) return {};
    const auto dot = rest_->find('.');
    const auto word = rest_->substr(0, dot);
    if (dot == std::string_view::npos) {
      rest_.reset();
    } else {
      rest_->remove_prefix(dot + 1);
    }
    return word;
  }
  [[nodiscard]] bool at_end() const { return !rest_; }

 private:
  std::optional<std::string_view> rest_;
};

std::unexpected<Error> refuse(std::string_view pattern, std::string_view why) {
  std::string message = "topic pattern '";
  message.append(pattern.substr(0, kMaxPatternBytes)).append("': ").append(why);
  return fail(ErrorCode::kInvalidInput, std::move(message));
}

/// What is wrong with a word of a pattern; empty when nothing is.
std::string_view problem_of(std::string_view word, bool is_last) {
  if (word.empty()) return "an empty word matches nothing";
  if (word == "*") return "";
  if (word == "#") return is_last ? "" : "'#' stands for the rest, so it can only be the last word";
  for (const char c : word) {
    if (c == '*' || c == '#') return "'*' and '#' stand for whole words, not for a part of one";
    if (!is_word_character(c) && c != '%') {
      return "words have letters, digits, '_', '-', '~' and %XX for other characters";
    }
  }
  return "";
}

}  // namespace

std::string_view topic_form(Type type) {
  return type == Type::kCustom ? kCustomWord : kForms[static_cast<std::size_t>(type)];
}

void write_topic(const EventView& event, std::string& out) {
  out.clear();
  if (event.type() == Type::kCustom) {
    // stageflow's producers put the word into the name themselves: custom.processing_started.
    const auto name = event.type_name();
    if (!name.starts_with("custom.")) out.append(kCustomWord).append(".");
    out.append(name);
    return;
  }
  const auto form = topic_form(event.type());
  const auto at = form.find(kNodeWord);
  out.append(form.substr(0, at));
  if (at == std::string_view::npos) return;
  append_word(out, event.text(Field::kNodeId));
  out.append(form.substr(at + kNodeWord.size()));
}

std::string topic_of(const EventView& event) {
  std::string topic;
  write_topic(event, topic);
  return topic;
}

std::string topic_word(std::string_view node_id) {
  std::string word;
  append_word(word, node_id);
  return word;
}

Result<TopicPattern> TopicPattern::parse(std::string_view text) {
  if (text.size() > kMaxPatternBytes) return refuse(text, "too long");
  Words words(text);
  while (const auto word = words.next()) {
    const auto problem = problem_of(*word, words.at_end());
    if (!problem.empty()) return refuse(text, problem);
  }
  return TopicPattern(text);
}

bool TopicPattern::matches(std::string_view topic) const {
  Words wanted(text_);
  Words given(topic);
  while (true) {
    const auto want = wanted.next();
    if (want == "#") return true;
    const auto word = given.next();
    if (!want || !word) return !want && !word;
    if (*want != "*" && *want != *word) return false;
  }
}

}  // namespace weir::event
