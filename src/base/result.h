#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace weir {

/// What a program can act on. Add one only when a caller does.
enum class ErrorCode : std::uint8_t {
  kInvalidInput,  ///< The caller, a file or a peer sent something we refuse.
  kNotFound,      ///< The named thing does not exist.
  kIo,            ///< The operating system refused.
  kExhausted,     ///< No space, or a limit of ours was reached.
  kCorrupt,       ///< Stored bytes are not what was written.
  kConflict,      ///< Somebody else owns it.
  kCancelled,     ///< Asked to stop.
  kUnavailable,   ///< A library or a process that we need is not there.
};

/// An expected failure: a code for programs and a sentence for people, which reads from the outside
/// in ("segment 12: commit 3 at byte 4096: checksum mismatch").
struct Error {
  ErrorCode code;
  std::string message;

  bool operator==(const Error&) const = default;

  /// The same error with `where` in front of its message.
  [[nodiscard]] Error within(std::string_view where) && {
    message.insert(0, ": ").insert(0, where);
    return std::move(*this);
  }
};

template <class T>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(ErrorCode code, std::string message) {
  return std::unexpected(Error{code, std::move(message)});
}

/// A failure of the system call that just returned, with errno's sentence. `what` names the call
/// and its object: "open /a/b". ENOSPC and EDQUOT become kExhausted, ENOENT kNotFound.
[[nodiscard]] std::unexpected<Error> fail_errno(std::string_view what);

/// Stops the process: the code itself is wrong.
[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace weir

#define WEIR_CONCAT_INNER(a, b) a##b
#define WEIR_CONCAT(a, b) WEIR_CONCAT_INNER(a, b)
#define WEIR_TRY_SELECT(_1, _2, name, ...) name

#define WEIR_TRY_VOID(expression)                             \
  do {                                                        \
    if (auto weir_result = (expression); !weir_result)        \
      return std::unexpected(std::move(weir_result).error()); \
  } while (false)

#define WEIR_TRY_ASSIGN_AS(result, declaration, expression)       \
  auto result = (expression);                                     \
  if (!result) return std::unexpected(std::move(result).error()); \
  declaration = *std::move(result)

#define WEIR_TRY_ASSIGN(declaration, expression) \
  WEIR_TRY_ASSIGN_AS(WEIR_CONCAT(weir_result_, __LINE__), declaration, expression)

/// WEIR_TRY(expression) or WEIR_TRY(declaration, expression): returns the error of `expression`
/// from the enclosing function, or goes on with its value.
#define WEIR_TRY(...) \
  WEIR_TRY_SELECT(__VA_ARGS__, WEIR_TRY_ASSIGN, WEIR_TRY_VOID, unused)(__VA_ARGS__)

/// A condition that only a bug can break.
#define WEIR_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::weir::check_failed(#condition, __FILE__, __LINE__))
