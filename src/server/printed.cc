#include "server/printed.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <utility>

#include "base/json.h"
#include "server/api.h"

namespace weir::server {
namespace {

constexpr std::chrono::milliseconds kLookForMore{10};
/// A line that says nothing, so that a connection that nobody reads is found out.
constexpr std::chrono::seconds kSilence{15};
/// Printed and not yet sent.
constexpr std::size_t kMaxWaiting = std::size_t{1} << 20;

/// What a command says that ends so.
std::string last_lines(const std::string& objection) {
  json::Object said, end;
  said.set("err", "weir: " + objection + "\n");
  end.set("exit", std::int64_t{3});
  return json::to_text(said) + "\n" + json::to_text(end) + "\n";
}

}  // namespace

bool Printed::put(std::string_view stream, std::string_view text) {
  json::Object line;
  line.set(stream, text);
  return put_line(json::to_text(line));
}

void Printed::end(std::string_view line) {
  put_line(line);
  const std::lock_guard lock(mutex_);
  has_ended_ = true;
}

std::optional<std::string> Printed::take() {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty() && has_ended_) return {};
  auto taken = std::exchange(waiting_, {});
  has_room_.notify_all();
  return taken;
}

void Printed::give_up() {
  stop_.request_stop();
  const std::lock_guard lock(mutex_);
  is_wanted_ = false;
  has_room_.notify_all();
}

bool Printed::put_line(std::string_view line) {
  std::unique_lock lock(mutex_);
  has_room_.wait(lock, [&] { return waiting_.size() < kMaxWaiting || !is_wanted_; });
  if (is_wanted_) waiting_.append(line).append("\n");
  return is_wanted_;
}

asio::awaitable<bool> Taker::write_all(const PieceWriter& write) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  auto said = std::chrono::steady_clock::now();
  auto asked = said;
  while (auto piece = printed_->take()) {
    const auto now = std::chrono::steady_clock::now();
    if (now - asked > kObjectionInterval) {
      asked = now;
      if (const auto objection = objection_()) {
        const auto end = last_lines(*objection);
        const bool sent = co_await write(end);
        co_return sent;
      }
    }
    if (piece->empty() && now - said > kSilence) *piece = "{}\n";
    if (!piece->empty()) {
      said = now;
      const bool goes_on = co_await write(*piece);
      if (!goes_on) co_return false;
      continue;
    }
    const bool is_there = co_await write("");
    if (!is_there) co_return false;
    timer.expires_after(kLookForMore);
    const auto [error] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    if (error) co_return false;
  }
  co_return true;
}

}  // namespace weir::server
