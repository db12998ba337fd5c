#include "server/api.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace weir::server {
namespace {

asio::awaitable<Response> done(std::function<Response()> work) { co_return work(); }

}  // namespace

asio::awaitable<Response> on_workers(asio::thread_pool& workers, std::function<Response()> work) {
  auto task = done(std::move(work));
  auto response = co_await asio::co_spawn(workers, std::move(task), asio::use_awaitable);
  co_return response;
}

}  // namespace weir::server
