#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "server/message.h"

namespace weir::server {

/// What a command prints, a JSON object a line, on its way from the thread that reads it to the
/// connection that sends it.
///
/// Threads  `put` and `end` from one, all others from any.
class Printed {
 public:
  /// Waits while much is under way. False: nobody takes it any more.
  bool put(std::string_view stream, std::string_view text);
  void end(std::string_view line);
  /// What has come; nothing: there is no more.
  [[nodiscard]] std::optional<std::string> take();
  /// The command is told to stop, and what it still prints goes nowhere.
  void give_up();
  [[nodiscard]] std::stop_token stop() const { return stop_.get_token(); }

 private:
  bool put_line(std::string_view line);

  std::stop_source stop_;
  std::mutex mutex_;
  std::condition_variable has_room_;
  // Guarded by mutex_:
  std::string waiting_;
  bool has_ended_ = false;
  bool is_wanted_ = true;
};

/// Whoever takes it. When it goes, whether or not anything was ever taken, nobody does any more.
class Taker {
 public:
  /// `objection` says why it may be given no more; nothing: it may.
  Taker(std::shared_ptr<Printed> printed, std::function<std::optional<std::string>()> objection)
      : printed_(std::move(printed)), objection_(std::move(objection)) {}
  Taker(const Taker&) = delete;
  Taker& operator=(const Taker&) = delete;
  ~Taker() { printed_->give_up(); }

  /// As Pieces.
  [[nodiscard]] asio::awaitable<bool> write_all(const PieceWriter& write);

 private:
  const std::shared_ptr<Printed> printed_;
  const std::function<std::optional<std::string>()> objection_;
};

}  // namespace weir::server
