#include "base/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include "base/utf8.h"

namespace weir::yaml {
namespace {

/// Aliases repeat what they name: nine lines can stand for billions of values. No honest file has
/// this many.
constexpr std::size_t kMaxValues = 1'000'000;

std::unexpected<Error> fail_at(const YAML::Mark& mark, std::string_view what) {
  const bool known = mark.line >= 0;
  return fail(ErrorCode::kInvalidInput, std::to_string(known ? mark.line + 1 : 1) + ":" +
                                            std::to_string(known ? mark.column + 1 : 1) + ": " +
                                            std::string(what));
}

/// How many characters the first bytes of a line are; fewer where the line or the text ends before.
int characters_in(std::string_view line, int bytes) {
  auto part = line.substr(0, static_cast<std::size_t>(bytes));
  part = part.substr(0, part.find('\n'));
  return static_cast<int>(std::ranges::count_if(
      part, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

/// Turns the parser's marks, which count bytes, into positions.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text), begins_{0} {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') begins_.push_back(i + 1);
    }
  }

  /// Asked in rising order it reads each byte once.
  [[nodiscard]] json::Position position_of(const YAML::Mark& mark) {
    const auto line =
        std::min(static_cast<std::size_t>(std::max(mark.line, 0)), begins_.size() - 1);
    const auto bytes = std::max(mark.column, 0);
    if (line != line_ || bytes < bytes_) {
      line_ = line;
      bytes_ = characters_ = 0;
    }
    const auto rest =
        text_.substr(std::min(begins_[line] + static_cast<std::size_t>(bytes_), text_.size()));
    characters_ += characters_in(rest, bytes - bytes_);
    bytes_ = bytes;
    return {static_cast<std::uint32_t>(line + 1), static_cast<std::uint32_t>(characters_ + 1)};
  }

 private:
  std::string_view text_;
  std::vector<std::size_t> begins_;  // of the lines, in text_
  // The last place that was asked for.
  std::size_t line_ = 0;
  int bytes_ = 0;
  int characters_ = 0;
};

template <class Number>
std::optional<Number> whole_number(std::string_view text, int base = 10) {
  Number number{};
  const auto end = text.data() + text.size();
  const auto [stopped, error] = [&] {
    if constexpr (std::is_floating_point_v<Number>) {
      return std::from_chars(text.data(), end, number);
    } else {
      return std::from_chars(text.data(), end, number, base);
    }
  }();
  if (error != std::errc() || stopped != end) return {};
  return number;
}

/// The core schema of YAML 1.2.2, section 10.3.2.
json::Value resolve_plain(const std::string& text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return {};
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  for (const auto* no_number : {"0x-", "0o-", "+-"}) {
    if (text.starts_with(no_number)) return text;
  }
  if (text.starts_with("0x")) {
    if (const auto hex = whole_number<std::int64_t>(std::string_view(text).substr(2), 16))
      return *hex;
  }
  if (text.starts_with("0o")) {
    if (const auto octal = whole_number<std::int64_t>(std::string_view(text).substr(2), 8)) {
      return *octal;
    }
  }
  const std::string_view digits = std::string_view(text).substr(text[0] == '+' ? 1 : 0);
  if (const auto integer = whole_number<std::int64_t>(digits)) return *integer;
  if (const auto natural = whole_number<std::uint64_t>(digits)) return *natural;
  const bool numeric = digits.find_first_not_of("0123456789+-.eE") == std::string_view::npos;
  if (const auto number = numeric ? whole_number<double>(digits) : std::nullopt) return *number;
  return text;
}

/// Builds the value from the parser's events. YAML::Load would build a graph first, without limits;
/// and YAML::LoadAll never returns on some malformed texts.
///
/// What it refuses it throws as a YAML::ParserException: nothing else stops the parser. `parse`
/// catches it.
class Builder final : public YAML::EventHandler {
 public:
  Builder(Lines& lines, const std::vector<std::string>& resolve_only_in)
      : lines_(lines), resolve_only_in_(resolve_only_in) {}

  /// After the document has ended.
  [[nodiscard]] json::Value take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(mark, anchor, {}, 1); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    // The parser makes single bytes of \N and \_.
    if (utf8::first_invalid(text)) refuse(mark, "an escape that is not UTF-8: write \\x85, \\xA0");
    if (!containers_.empty() && containers_.back().is_map && !containers_.back().key) {
      containers_.back().key =
          json::Member{.key = text, .value = {}, .position = lines_.position_of(mark)};
      return;
    }
    // "!" is the tag of a quoted scalar: always a string.
    const bool resolved = tag != "!" && resolves_next();
    add(mark, anchor, resolved ? resolve_plain(text) : json::Value(text), 1);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto named = anchors_.find(anchor);
    if (named == anchors_.end()) refuse(mark, "an alias to what it stands in");
    add(mark, 0, named->second.value, named->second.count, named->second.depth);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open({.position = lines_.position_of(mark), .anchor = anchor}, mark);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open({.is_map = true, .position = lines_.position_of(mark), .anchor = anchor}, mark);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  /// A list or object that has begun and not ended.
  struct Container {
    bool is_map = false;
    bool resolves = false;  // the plain scalars in it
    json::Position position;
    YAML::anchor_t anchor = 0;
    std::size_t values_before = 0;
    std::size_t depth = 0;  // as Named::depth, so far
    json::Array items;
    json::Object members;
    std::optional<json::Member> key;  // of the value that comes next
  };
  /// A value that aliases may repeat, and how many values it holds.
  struct Named {
    json::Value value;
    std::size_t count;
    std::size_t depth;  // of what is in it: of a list of scalars 1
  };

  [[noreturn]] static void refuse(const YAML::Mark& mark, const char* why) {
    throw YAML::ParserException(mark, why);
  }
  static void need_key(const Container& container, const YAML::Mark& mark) {
    if (container.is_map && !container.key) refuse(mark, "a key must be a plain word");
  }

  /// Whether the value that comes next is one whose plain scalars are resolved.
  [[nodiscard]] bool resolves_next() const {
    if (resolve_only_in_.empty()) return true;
    if (containers_.empty()) return false;
    const auto& container = containers_.back();
    return container.resolves ||
           (container.key && std::find(resolve_only_in_.begin(), resolve_only_in_.end(),
                                       container.key->key) != resolve_only_in_.end());
  }

  /// Of a value of that depth, here.
  void limit_depth(const YAML::Mark& mark, std::size_t depth = 0) const {
    if (containers_.size() + depth >= static_cast<std::size_t>(json::kMaxDepth)) {
      refuse(mark, "nested more than 200 levels deep");
    }
  }

  void open(Container container, const YAML::Mark& mark) {
    limit_depth(mark);
    if (!containers_.empty()) need_key(containers_.back(), mark);
    container.resolves = resolves_next();
    container.values_before = values_;
    containers_.push_back(std::move(container));
  }

  void close() {
    auto container = std::move(containers_.back());
    containers_.pop_back();
    auto value = container.is_map ? json::Value(std::move(container.members))
                                  : json::Value(std::move(container.items));
    value.position = container.position;
    const auto count = values_ - container.values_before + 1;
    ++values_;
    place(std::move(value), container.anchor, count, container.depth);
  }

  void add(const YAML::Mark& mark, YAML::anchor_t anchor, json::Value value, std::size_t count,
           std::size_t depth = 0) {
    limit_depth(mark, depth);
    if (!containers_.empty()) need_key(containers_.back(), mark);
    values_ += count;
    if (values_ > kMaxValues) refuse(mark, "more than a million values");
    if (value.position.line == 0) value.position = lines_.position_of(mark);
    place(std::move(value), anchor, count, depth);
  }

  void place(json::Value value, YAML::anchor_t anchor, std::size_t count, std::size_t depth) {
    if (anchor != 0) anchors_.insert_or_assign(anchor, Named{value, count, depth});
    if (containers_.empty()) {
      root_ = std::move(value);
      return;
    }
    auto& container = containers_.back();
    container.depth = std::max(container.depth, depth + 1);
    // Only an object has one, and always then: see need_key.
    if (auto member = std::exchange(container.key, std::nullopt)) {
      member->value = std::move(value);
      container.members.append(*std::move(member));
    } else {
      container.items.push_back(std::move(value));
    }
  }

  Lines& lines_;
  const std::vector<std::string>& resolve_only_in_;
  json::Value root_;
  std::vector<Container> containers_;
  std::map<YAML::anchor_t, Named> anchors_;
  std::size_t values_ = 0;
};

/// What the parser says of a tab depends on what it hoped to find; people cannot see the tab.
std::unexpected<Error> fail_by_parser(std::string_view text, const YAML::Exception& exception) {
  std::size_t begin = 0;
  for (int line = 0; line < exception.mark.line; ++line) {
    const auto end = text.find('\n', begin);
    if (end == std::string_view::npos) break;
    begin = end + 1;
  }
  const auto line = text.substr(begin);
  const auto indentation = line.substr(0, line.find_first_not_of(" \t-"));
  auto mark = exception.mark;
  // In a number that the text ends in, the parser counts on beyond the end.
  if (mark.column > 0) mark.column = characters_in(line, mark.column);
  if (const auto tab = indentation.find('\t'); mark.line >= 0 && tab < indentation.size()) {
    mark.column = static_cast<int>(tab);
    return fail_at(mark, "YAML does not allow tabs for indentation, use spaces");
  }
  return fail_at(mark, "not YAML: " + exception.msg);
}

}  // namespace

namespace {

/// `before` is UTF-8; what follows it is not what it should be.
std::unexpected<Error> fail_after(std::string_view before, std::string_view why) {
  const auto line = std::ranges::count(before, '\n');
  const auto rest = before.substr(before.rfind('\n') + 1);
  const auto column = characters_in(rest, static_cast<int>(rest.size()));
  return fail(ErrorCode::kInvalidInput, std::to_string(line + 1) + ":" +
                                            std::to_string(column + 1) + ": " + std::string(why));
}

}  // namespace

Result<json::Value> parse(std::string_view text, const Options& options) {
  if (const auto invalid = utf8::first_invalid(text)) {
    return fail_after(text.substr(0, *invalid), "not UTF-8");
  }
  // The parser would take it for a sign of UTF-16 or UTF-32.
  if (const auto zero = text.find('\0'); zero != std::string_view::npos) {
    return fail_after(text.substr(0, zero), "a zero byte");
  }
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    Lines lines(text);
    Builder document(lines, options.resolve_only_in), second(lines, options.resolve_only_in);
    if (!parser.HandleNextDocument(document)) return fail(ErrorCode::kInvalidInput, "1:1: empty");
    if (parser.HandleNextDocument(second)) {
      return fail(ErrorCode::kInvalidInput, "1:1: more than one YAML document");
    }
    return document.take();
  } catch (const YAML::Exception& exception) {
    return fail_by_parser(text, exception);
  }
}

}  // namespace weir::yaml
