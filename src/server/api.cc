#include "server/api.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <filesystem>

namespace weir::server {
namespace {

asio::awaitable<Response> done(std::function<Response()> work) { co_return work(); }

}  // namespace

std::optional<std::string> objection_to(const Api& api, const Caller& caller) {
  const auto now = api.recorder.clock().now();
  if (caller.id == Caller::kLoopback) {
    const auto any = api.keys.has_any();
    if (!any) return any.error().message;
    if (*any) return "there is a key now: without one nobody is answered";
    return {};
  }
  const auto good = api.keys.is_good(caller.id, now);
  if (!good) return good.error().message;
  if (!*good) return "key " + caller.id + " was revoked or has expired";
  return {};
}

asio::awaitable<Response> on_workers(asio::thread_pool& workers, std::function<Response()> work) {
  auto task = done(std::move(work));
  auto response = co_await asio::co_spawn(workers, std::move(task), asio::use_awaitable);
  co_return response;
}

std::string without_place(const Api& api, std::string text) {
  std::error_code error;
  const auto& root = api.store.root();
  for (const auto& path : {std::filesystem::canonical(root, error),
                           std::filesystem::absolute(root, error).lexically_normal()}) {
    const auto place = path.string();
    if (place.empty()) continue;
    for (auto at = text.find(place); at != std::string::npos; at = text.find(place, at)) {
      text.replace(at, place.size(), "STORE");
    }
  }
  return text;
}

}  // namespace weir::server
