#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "base/descriptor.h"
#include "base/result.h"
#include "tool/stream.h"

/// The streams of a node as the standard input and output of a program: a chunk is a line.
namespace weir::plugins {

/// Writes what is read from a stream to a program's standard input, and closes that at its end.
///
/// Threads  One of its own, `weir-feed`, from `start` to `finish`.
class LineFeed {
 public:
  explicit LineFeed(const tool::StreamReader& reader) : reader_(reader) {}
  ~LineFeed() { static_cast<void>(finish()); }
  LineFeed(const LineFeed&) = delete;
  LineFeed& operator=(const LineFeed&) = delete;

  void start(Descriptor to);
  /// The program has ended. Returns why the stream had no end, if the program was told one.
  std::optional<Error> finish();

 private:
  void run();

  const tool::StreamReader& reader_;
  Descriptor to_;
  std::atomic<bool> is_finished_ = false;  // a flag only
  std::optional<Error> error_;             // of the thread, until it is joined
  std::thread thread_;
};

/// Writes the lines that a program prints to a stream.
class LineSink {
 public:
  explicit LineSink(const tool::StreamWriter& writer) : writer_(writer) {}

  /// False: no more is wanted.
  bool add(std::string_view bytes);
  /// The last line needs no newline.
  void finish();

  /// The reader has what it needs.
  [[nodiscard]] bool is_closed() const { return closed_; }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  bool put(std::string line);

  const tool::StreamWriter& writer_;
  std::string line_;
  bool closed_ = false;
  std::optional<Error> error_;
};

}  // namespace weir::plugins
