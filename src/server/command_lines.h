#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace weir::server {

/// What a server sends of a command, a JSON object a line: {"out": "…"} or {"err": "…"}, and
/// {"exit": N} at the end. What is none of these is passed over.
class CommandLines {
 public:
  enum class Stream { kOut, kErr };
  /// Takes what was printed; false: it cannot, and no more is wanted.
  using Print = std::function<bool(Stream, std::string_view text)>;

  explicit CommandLines(Print print) : print_(std::move(print)) {}

  /// The next bytes, cut anywhere. False: no more is wanted, or a line is longer than any that a
  /// server sends.
  [[nodiscard]] bool take(std::string_view bytes);
  /// Nothing: it has not come to its end. Of a command that was killed, that of a failure.
  [[nodiscard]] std::optional<int> exit_code() const { return exit_; }

  /// A server sends pieces of at most a megabyte, each byte of which JSON may write as six.
  static constexpr std::size_t kMaxLine = std::size_t{16} << 20;

 private:
  [[nodiscard]] bool take_line();

  const Print print_;
  std::string line_;
  std::optional<int> exit_;
};

}  // namespace weir::server
