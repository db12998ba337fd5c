#include "pipeline/expression.h"

#include <array>
#include <compare>
#include <optional>
#include <utility>

namespace weir::pipeline {
namespace {

std::unexpected<Error> fail_at(std::size_t at, const std::string& what) {
  return fail(ErrorCode::kInvalidInput, "character " + std::to_string(at + 1) + ": " + what);
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}
bool is_number(char c) {
  return (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E';
}

std::optional<double> number_of(const json::Value& value) {
  if (const auto* whole = value.integer()) return static_cast<double>(*whole);
  if (const auto* large = std::get_if<std::uint64_t>(&value.variant())) {
    return static_cast<double>(*large);
  }
  if (const auto* number = std::get_if<double>(&value.variant())) return *number;
  return {};
}

/// Whole numbers exactly; nothing of what has no order.
std::optional<std::partial_ordering> compare(const json::Value& left, const json::Value& right) {
  if (left.integer() != nullptr && right.integer() != nullptr) {
    return *left.integer() <=> *right.integer();
  }
  const auto a = number_of(left), b = number_of(right);
  if (a && b) return *a <=> *b;
  if (left.string() != nullptr && right.string() != nullptr) {
    return *left.string() <=> *right.string();
  }
  return {};
}

bool equal(const json::Value& left, const json::Value& right) {
  const auto order = compare(left, right);
  return order ? *order == std::partial_ordering::equivalent : left == right;
}

}  // namespace

class ExpressionParser {
 public:
  explicit ExpressionParser(std::string_view text) { result_.text_ = text; }

  Result<Expression> parse() {
    if (text().size() > Expression::kMaxBytes) {
      return fail_at(Expression::kMaxBytes,
                     "longer than " + std::to_string(Expression::kMaxBytes) + " bytes");
    }
    WEIR_TRY(either(0));
    skip_space();
    if (at_ < text().size()) return fail_at(at_, "an operator or the end is expected");
    return std::move(result_);
  }

 private:
  using Kind = Expression::Kind;
  using Index = std::uint32_t;

  [[nodiscard]] const std::string& text() const { return result_.text_; }
  void skip_space() { at_ = std::min(text().find_first_not_of(" \t\r\n", at_), text().size()); }
  bool take(std::string_view sign) {
    skip_space();
    if (!std::string_view(text()).substr(at_).starts_with(sign)) return false;
    at_ += sign.size();
    return true;
  }
  bool take_word(std::string_view word) {
    skip_space();
    const auto end = at_ + word.size();
    if (end < text().size() && is_word(text()[end])) return false;
    return take(word);
  }
  Index add(Kind kind, Index left, Index right, std::size_t at) {
    result_.nodes_.push_back({kind, left, right, static_cast<Index>(at)});
    return static_cast<Index>(result_.nodes_.size() - 1);
  }
  Index add_literal(json::Value value, std::size_t at) {
    result_.literals_.push_back(std::move(value));
    return add(Kind::kLiteral, static_cast<Index>(result_.literals_.size() - 1), 0, at);
  }

  Result<Index> either(int depth) {
    WEIR_TRY(auto left, both(depth));
    while (true) {
      skip_space();
      const auto at = at_;
      if (!take_word("or")) return left;
      WEIR_TRY(const auto right, both(depth));
      left = add(Kind::kOr, left, right, at);
    }
  }

  Result<Index> both(int depth) {
    WEIR_TRY(auto left, negation(depth));
    while (true) {
      skip_space();
      const auto at = at_;
      if (!take_word("and")) return left;
      WEIR_TRY(const auto right, negation(depth));
      left = add(Kind::kAnd, left, right, at);
    }
  }

  Result<Index> negation(int depth) {
    skip_space();
    const auto at = at_;
    if (!take_word("not")) return comparison(depth);
    WEIR_TRY(check_depth(depth));
    WEIR_TRY(const auto inner, negation(depth + 1));
    return add(Kind::kNot, inner, 0, at);
  }

  Result<Index> comparison(int depth) {
    WEIR_TRY(const auto left, operand(depth));
    skip_space();
    const auto at = at_;
    const auto kind = take_comparison();
    if (!kind) return left;
    WEIR_TRY(const auto right, operand(depth));
    const auto after = at_;
    if (take_comparison()) return fail_at(after, "comparisons are joined with 'and'");
    return add(*kind, left, right, at);
  }

  std::optional<Kind> take_comparison() {
    static constexpr std::array<std::pair<std::string_view, Kind>, 6> kSigns = {
        {{"==", Kind::kEqual},
         {"!=", Kind::kNotEqual},
         {"<=", Kind::kLessOrEqual},
         {">=", Kind::kGreaterOrEqual},
         {"<", Kind::kLess},
         {">", Kind::kGreater}}};
    for (const auto& [sign, kind] : kSigns) {
      if (take(sign)) return kind;
    }
    return {};
  }

  Result<Index> operand(int depth) {
    skip_space();
    const auto at = at_;
    if (at == text().size()) return fail_at(at, "a value is expected, this is the end");
    if (take("(")) {
      WEIR_TRY(check_depth(depth));
      WEIR_TRY(const auto inner, either(depth + 1));
      if (!take(")")) return fail_at(at, "this parenthesis is never closed");
      return inner;
    }
    if (text()[at] == '$') return reference();
    if (text()[at] == '\'' || text()[at] == '"') return quoted();
    if (take_word("true")) return add_literal(true, at);
    if (take_word("false")) return add_literal(false, at);
    if (take_word("null")) return add_literal(nullptr, at);
    if (is_number(text()[at]) && text()[at] != 'e' && text()[at] != 'E') return number();
    return fail_at(at,
                   "a value is expected: ${a.reference}, a number, 'text', true, false, null, or "
                   "a parenthesis");
  }

  Result<Index> reference() {
    const auto at = at_;
    const auto rest = std::string_view(text()).substr(at);
    if (!rest.starts_with("${")) return fail_at(at, "a reference begins with ${");
    auto found = parse_reference(rest);
    if (!found) return fail_at(at, found.error().message);
    at_ += found->size;
    result_.references_.push_back(std::move(found->reference));
    return add(Kind::kReference, static_cast<Index>(result_.references_.size() - 1), 0, at);
  }

  Result<Index> quoted() {
    const auto at = at_;
    const auto end = text().find(text()[at], at + 1);
    if (end == std::string::npos) return fail_at(at, "this text has no end");
    at_ = end + 1;
    return add_literal(text().substr(at + 1, end - at - 1), at);
  }

  Result<Index> number() {
    const auto at = at_;
    while (at_ < text().size() && is_number(text()[at_])) ++at_;
    auto value = json::parse(std::string_view(text()).substr(at, at_ - at));
    if (!value) return fail_at(at, "not a number as JSON writes them");
    return add_literal(*std::move(value), at);
  }

  [[nodiscard]] Result<void> check_depth(int depth) const {
    if (depth < Expression::kMaxDepth) return {};
    return fail_at(at_, "nested more than " + std::to_string(Expression::kMaxDepth) + " deep");
  }

  Expression result_;
  std::size_t at_ = 0;
};

/// Walks the nodes from the root. Depth: a chain of `and` is as deep as it is long, some 1 000 at
/// kMaxBytes.
class ExpressionEvaluator {
 public:
  ExpressionEvaluator(const Expression& expression, const Scope& scope)
      : expression_(expression), scope_(scope) {}

  Result<bool> truth(std::size_t index) const {
    WEIR_TRY(const auto value, evaluate(index));
    if (value.boolean() != nullptr) return *value.boolean();
    return fail_at(node(index).at,
                   "this is " + std::string(value.kind()) + ", true or false is expected");
  }

 private:
  using Kind = Expression::Kind;
  [[nodiscard]] const Expression::Node& node(std::size_t index) const {
    return expression_.nodes_[index];
  }

  [[nodiscard]] Result<json::Value> evaluate(std::size_t index) const {
    const auto& [kind, left, right, at] = node(index);
    switch (kind) {
      case Kind::kLiteral:
        return expression_.literals_[left];
      case Kind::kReference: {
        auto value = look_up(expression_.references_[left], scope_);
        if (!value && value.error().code == ErrorCode::kNotFound) return json::Value();
        return value;
      }
      case Kind::kNot: {
        WEIR_TRY(const bool inner, truth(left));
        return json::Value(!inner);
      }
      case Kind::kAnd:
      case Kind::kOr: {
        WEIR_TRY(const bool first, truth(left));
        if (first == (kind == Kind::kOr)) return json::Value(first);
        WEIR_TRY(const bool second, truth(right));
        return json::Value(second);
      }
      default:
        return compare_parts(node(index));
    }
  }

  [[nodiscard]] Result<json::Value> compare_parts(const Expression::Node& node) const {
    WEIR_TRY(const auto left, evaluate(node.left));
    WEIR_TRY(const auto right, evaluate(node.right));
    if (node.kind == Kind::kEqual) return json::Value(equal(left, right));
    if (node.kind == Kind::kNotEqual) return json::Value(!equal(left, right));
    const auto order = compare(left, right);
    if (!order) {
      return fail_at(node.at, std::string(left.kind()) + " and " + std::string(right.kind()) +
                                  " have no order: two numbers or two texts are expected");
    }
    if (node.kind == Kind::kLess) return json::Value(*order < 0);
    if (node.kind == Kind::kLessOrEqual) return json::Value(*order <= 0);
    if (node.kind == Kind::kGreater) return json::Value(*order > 0);
    return json::Value(*order >= 0);
  }

  const Expression& expression_;
  const Scope& scope_;
};

Result<Expression> Expression::parse(std::string_view text, json::Position position) {
  auto expression = ExpressionParser(text).parse();
  if (!expression) return expression;
  for (auto& reference : expression->references_) reference.position = position;
  return expression;
}

Result<bool> Expression::evaluate(const Scope& scope) const {
  return ExpressionEvaluator(*this, scope).truth(nodes_.size() - 1);
}

}  // namespace weir::pipeline
