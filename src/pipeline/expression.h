#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "pipeline/reference.h"

namespace weir::pipeline {

/// What stands after `when`: true or false of what references name.
///
///   either      = both { "or" both }
///   both        = negation { "and" negation }
///   negation    = "not" negation | comparison
///   comparison  = operand [ ( "==" | "!=" | "<" | "<=" | ">" | ">=" ) operand ]
///   operand     = reference | literal | "(" either ")"
///   literal     = number | 'text' | "text" | "true" | "false" | "null"
///
/// What a reference names and is not there is null. Equal are values of the same type, and numbers,
/// that are the same; < and the like are for two numbers or two texts (by their bytes); `and`, `or`
/// and `not`, and the whole, are for true and false. `and` and `or` look no further than they need.
class Expression {
 public:
  static constexpr std::size_t kMaxBytes = 4096;
  static constexpr int kMaxDepth = 64;  ///< of parentheses and `not`: reading recurses

  /// `position` is where the text stands, for its references. Errors: kInvalidInput: "character N:
  /// …", from 1.
  [[nodiscard]] static Result<Expression> parse(std::string_view text,
                                                json::Position position = {});

  /// Errors: kInvalidInput for an operator that cannot be used on what it gets.
  [[nodiscard]] Result<bool> evaluate(const Scope& scope) const;

  [[nodiscard]] const std::vector<Reference>& references() const { return references_; }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  friend class ExpressionParser;
  friend class ExpressionEvaluator;

  enum class Kind : std::uint8_t {
    kLiteral,
    kReference,
    kNot,
    kAnd,
    kOr,
    kEqual,
    kNotEqual,
    kLess,
    kLessOrEqual,
    kGreater,
    kGreaterOrEqual,
  };
  /// A node of the tree. Its parts stand before it in `nodes_`; the last one is the root.
  struct Node {
    Kind kind;
    std::uint32_t left = 0;   ///< a node; of kLiteral and kReference: in literals_, references_
    std::uint32_t right = 0;  ///< a node
    std::uint32_t at = 0;     ///< in the text, from 0
  };

  std::string text_;
  std::vector<Node> nodes_;
  std::vector<json::Value> literals_;
  std::vector<Reference> references_;
};

}  // namespace weir::pipeline
