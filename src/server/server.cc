#include "server/server.h"

#include <pthread.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/thread_pool.hpp>
#include <condition_variable>
#include <mutex>
#include <set>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/exception.h"
#include "server/api.h"
#include "server/command_api.h"
#include "server/gate.h"
#include "server/grpc_server.h"
#include "server/keys.h"
#include "server/known_keys.h"
#include "server/openapi.h"
#include "server/router.h"

namespace weir::server {
namespace {

bool is_loopback(const std::string& address) {
  return address.starts_with("127.") || address == "::1";
}

Result<std::unique_ptr<asio::ssl::context>> tls_of(const ServerOptions& options) {
  if (options.certificate.empty() && options.certificate_key.empty()) return nullptr;
  if (options.certificate.empty() || options.certificate_key.empty()) {
    return fail(ErrorCode::kInvalidInput, "TLS takes a certificate and its key: one is missing");
  }
  auto tls = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
  boost::system::error_code error;
  static_cast<void>(
      tls->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                           asio::ssl::context::no_tlsv1_1 | asio::ssl::context::single_dh_use,
                       error));
  static_cast<void>(tls->use_certificate_chain_file(options.certificate.string(), error));
  if (error) {
    return fail(ErrorCode::kInvalidInput, options.certificate.string() + ": " + error.message());
  }
  static_cast<void>(
      tls->use_private_key_file(options.certificate_key.string(), asio::ssl::context::pem, error));
  if (error) {
    return fail(ErrorCode::kInvalidInput,
                options.certificate_key.string() + ": " + error.message());
  }
  return tls;
}

/// Who writes nothing but events of observed runs: the inbox, under a new name after a failure.
class OwnWriters {
 public:
  void add(const std::string& writer) {
    const std::lock_guard lock(mutex_);
    writers_.insert(writer);
  }
  [[nodiscard]] bool has(std::string_view writer) const {
    const std::lock_guard lock(mutex_);
    return writers_.contains(writer);
  }

 private:
  mutable std::mutex mutex_;
  std::set<std::string, std::less<>> writers_;  // guarded by mutex_
};

}  // namespace

struct Server::Impl {
  Impl(const log::StoreDirectory& store, record::Recorder& recorder, ServerOptions the_options,
       OurRuns& the_runs)
      : options(std::move(the_options)),
        io(options.threads),
        work(asio::make_work_guard(io)),
        workers(static_cast<std::size_t>(options.questions.questions_at_a_time)),
        keys(store),
        questions(store, options.questions),
        inbox(store, options.inbox),
        api{.store = store,
            .recorder = recorder,
            .inbox = inbox,
            .our_runs = the_runs,
            .questions = questions,
            .workers = workers,
            .command_workers = command_workers,
            .stop = stopping.get_token()},
        router(all_routes(api, options, store)),
        gate(router, api, keys),
        http(io, options.http, [this](Request& request) { return gate.admit(request); }) {}

  static std::vector<Route> all_routes(const Api& api, const ServerOptions& options,
                                       const log::StoreDirectory& store) {
    std::vector<Route> routes = ingest_routes(api);
    for (auto& route : command_routes(
             api, {options.program, std::filesystem::absolute(store.root()), options.config})) {
      routes.push_back(std::move(route));
    }
    for (auto* more :
         {sql_routes, run_routes, artifact_routes, live_routes, jaeger_routes, health_routes}) {
      for (auto& route : more(api)) routes.push_back(std::move(route));
    }
    // Last: it describes the others.
    routes.push_back(openapi_route(routes));
    return routes;
  }

  void run_threads();
  void keep();

  const ServerOptions options;
  std::unique_ptr<OurRuns> our_runs;
  std::stop_source stopping;
  asio::io_context io;
  asio::executor_work_guard<asio::io_context::executor_type> work;
  asio::thread_pool workers;
  asio::thread_pool command_workers{kMaxCommands};
  KeyRing keys;
  QuestionDesk questions;
  ingest::Inbox inbox;
  const Api api;
  const Router router;
  Gate gate;
  std::unique_ptr<asio::ssl::context> tls;
  HttpServer http;
  std::unique_ptr<GrpcServer> grpc;  // null: it is not there
  ServerPorts ports;
  std::vector<std::thread> threads;

  std::mutex mutex;
  std::condition_variable changed;
  bool is_stopped = false;  // guarded by mutex
  std::thread keeper;
};

void Server::Impl::run_threads() {
  for (int i = 0; i < options.threads; ++i) {
    threads.emplace_back([this] {
      ::pthread_setname_np(::pthread_self(), "weir-http");
      io.run();
    });
  }
  keeper = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "weir-keeper");
    keep();
  });
}

void Server::Impl::keep() {
  std::unique_lock lock(mutex);
  while (!changed.wait_for(lock, options.keep_interval, [this] { return is_stopped; })) {
    lock.unlock();
    our_runs->catch_up();
    options.keep();
    lock.lock();
  }
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() {
  // What Asio throws when there is no memory left is not to end the process here.
  static_cast<void>(call_caught([this] {
    stop();
    return Result<void>();
  }));
}

Result<std::unique_ptr<Server>> Server::start(const log::StoreDirectory& store,
                                              record::Recorder& recorder, ServerOptions options) {
  WEIR_TRY(auto tls, tls_of(options));
  const auto own_writer = std::make_shared<OwnWriters>();
  WEIR_TRY(auto runs, OurRuns::open(store, [own_writer](std::string_view writer) {
             return own_writer->has(writer);
           }));
  options.inbox.on_writer = [own_writer](const std::string& writer) { own_writer->add(writer); };
  auto impl = std::make_unique<Impl>(store, recorder, std::move(options), *runs);
  impl->our_runs = std::move(runs);
  impl->tls = std::move(tls);
  const auto& address = impl->options.address;
  if (!is_loopback(address)) {
    WEIR_TRY(const bool any, impl->keys.has_any(recorder.clock().now()));
    if (!any) {
      return fail(ErrorCode::kInvalidInput,
                  "until there is a key, the server listens on 127.0.0.1 alone: "
                  "`weir key create NAME` makes one");
    }
  }
  WEIR_TRY(remember_keys(store, impl->inbox));
  WEIR_TRY(impl->ports.api, impl->http.listen(address, impl->options.port, impl->tls.get()));
  if (const auto port = impl->options.otlp_http_port) {
    WEIR_TRY(impl->ports.otlp_http, impl->http.listen(address, *port, impl->tls.get()));
  }
  if (const auto port = impl->options.otlp_grpc_port) {
    WEIR_TRY(impl->grpc, GrpcServer::start(impl->io,
                                           {.address = address,
                                            .port = *port,
                                            .certificate = impl->options.certificate,
                                            .certificate_key = impl->options.certificate_key,
                                            .limits = impl->options.http},
                                           [gate = &impl->gate](Request& request) {
                                             return gate->admit(request);
                                           }));
    impl->ports.otlp_grpc = impl->grpc->port();
  }
  impl->run_threads();
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

ServerPorts Server::ports() const { return impl_->ports; }

void Server::stop() {
  {
    const std::lock_guard lock(impl_->mutex);
    if (std::exchange(impl_->is_stopped, true)) return;
  }
  impl_->changed.notify_one();
  impl_->stopping.request_stop();
  impl_->http.stop();
  if (impl_->grpc) impl_->grpc->stop();
  // The connections end by themselves, or are cut off; then nothing is left to do.
  impl_->work.reset();
  for (auto& thread : impl_->threads) thread.join();
  impl_->workers.join();
  impl_->command_workers.join();
  impl_->inbox.close();
  if (impl_->keeper.joinable()) impl_->keeper.join();
}

}  // namespace weir::server
