#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace weir::cli {

/// Lets a person type lines on the terminal: libedit, wrapped once. Emacs' keys, or what ~/.editrc
/// says; the arrow keys and Ctrl-R look through what was typed before.
///
/// Threads   One at a time.
/// Shutdown  The destructor gives the terminal back as it was.
class LineEditor {
 public:
  struct Options {
    /// Where what is typed is kept, readable for its owner alone; empty: nowhere.
    std::filesystem::path history{};
    /// Words that may stand where the cursor is, for the line up to it; each begins with what is
    /// typed of it already, in its own letters. Called for the tabulator key.
    std::function<std::vector<std::string>(std::string_view before_cursor)> complete{};
  };
  /// More than these are forgotten.
  static constexpr int kMaxHistory = 1000;
  /// Longer ones are not kept.
  static constexpr std::size_t kMaxEntryBytes = std::size_t{64} << 10;

  explicit LineEditor(Options options);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  enum class End : std::uint8_t {
    kLine,
    kCancelled,  ///< Ctrl-C
    kEnd         ///< Ctrl-D, the terminal is gone, or a stop was requested
  };
  struct Line {
    End end = End::kEnd;
    std::string text{};  ///< without its newline
  };
  [[nodiscard]] Line read(const std::string& prompt, const std::stop_token& stop);

  /// Puts an entry into the history.
  void remember(const std::string& entry);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// $XDG_STATE_HOME/weir, else ~/.local/state/weir, made if need be, for the user alone; empty if it
/// cannot be.
[[nodiscard]] std::filesystem::path user_state_folder();

}  // namespace weir::cli
