#include "server/api.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <filesystem>

namespace weir::server {
namespace {

asio::awaitable<Response> done(std::function<Response()> work) { co_return work(); }

}  // namespace

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
