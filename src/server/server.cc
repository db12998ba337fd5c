#include "server/server.h"

#include <pthread.h>
#include <sys/resource.h>

#include <algorithm>
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
#include "server/fair_budget.h"
#include "server/gate.h"
#include "server/grpc_server.h"
#include "server/keys.h"
#include "server/known_keys.h"
#include "server/line.h"
#include "server/openapi.h"
#include "server/parameters.h"
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

/// Of those who ask of the store, how many look at lists; the others ask in SQL.
constexpr std::size_t kListsAtATime = 2;
/// For each of them.
constexpr std::size_t kMaxInLine = 64;
/// Those that are sent, of all clients.
constexpr std::uint64_t kMaxAnswersBytes = std::uint64_t{256} << 20;

/// A connection is a descriptor, and not every one that the system lets us have is for clients: the
/// log, the parts and the processes of commands need some.
std::size_t descriptors_for_clients() {
  constexpr std::size_t kOurs = 512;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return kOurs;
  const auto all = static_cast<std::size_t>(limit.rlim_cur);
  return all - std::min(all / 2, kOurs);
}

/// Whatever comes over gRPC, a part of the descriptors is for HTTP alone.
HttpLimits limits_of_http(HttpLimits limits) {
  limits.connections = std::min(limits.connections, descriptors_for_clients() / 4 * 3);
  return limits;
}
HttpLimits limits_of_grpc(HttpLimits limits) {
  limits.connections = std::min(limits.connections, descriptors_for_clients() / 4);
  return limits;
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

/// The same routes, answered in turn.
std::vector<Route> in_turn(std::vector<Route> routes, Line& line) {
  for (auto& route : routes) {
    route.answer = [&line, complain = route.complain, answer = std::move(route.answer)](
                       Request& request, const Caller& caller) -> asio::awaitable<Response> {
      auto entering = line.enter(caller.account());
      const auto turn = co_await std::move(entering);
      if (!turn) {
        co_return said_by(complain, request, overloaded("too many questions are waiting already"));
      }
      co_return co_await answer(request, caller);
    };
  }
  return routes;
}

/// What needs no room: of what was done, everybody is told.
constexpr std::size_t kSmallAnswer = std::size_t{64} << 10;

/// The same routes, whose answers are given as far as there is room for them until they are sent.
std::vector<Route> with_room(std::vector<Route> routes, FairBudget& answers) {
  for (auto& route : routes) {
    route.answer = [&answers, complain = route.complain, answer = std::move(route.answer)](
                       Request& request, const Caller& caller) -> asio::awaitable<Response> {
      auto response = co_await answer(request, caller);
      const auto size = response.body.size();
      if (size <= kSmallAnswer) co_return response;
      if (size > kMaxAnswersBytes / 2) {  // nobody gets more, ever
        co_return said_by(complain, request, problem(413, "the answer is too long: ask for less"));
      }
      auto room = answers.take(caller.account(), size);
      if (!room) co_return said_by(complain, request, overloaded("too many answers are under way"));
      response.held = std::move(room);
      co_return response;
    };
  }
  return routes;
}

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
        refusals(recorder),
        inbox(store, options.inbox),
        api{.store = store,
            .recorder = recorder,
            .inbox = inbox,
            .our_runs = the_runs,
            .questions = questions,
            .refusals = refusals,
            .keys = keys,
            .workers = workers,
            .command_workers = command_workers,
            .stop = stopping.get_token()},
        router(all_routes(store)),
        gate(router, api, keys),
        http(io, limits_of_http(options.http),
             [this](Request& request) { return gate.admit(request); }) {}

  std::vector<Route> all_routes(const log::StoreDirectory& store) {
    std::vector<Route> routes = ingest_routes(api);
    const auto add = [&routes](std::vector<Route> more) {
      for (auto& route : more) routes.push_back(held_to_its_query(std::move(route)));
    };
    const CommandHost host(options.program, std::filesystem::absolute(store.root()),
                           options.config);
    add(with_room(command_routes(api, host), answers));
    add(with_room(in_turn(sql_routes(api), queries), answers));
    add(with_room(in_turn(run_routes(api), lists), answers));
    add(with_room(in_turn(part_routes(api), lists), answers));
    add(with_room(in_turn(artifact_routes(api), lists), answers));
    add(live_routes(api));
    for (auto& route : with_room(in_turn(jaeger_routes(api), queries), answers)) {
      routes.push_back(std::move(route));
    }
    for (auto& route : health_routes(api)) routes.push_back(std::move(route));
    // Last: it describes the others.
    routes.push_back(openapi_route(api, routes));
    return routes;
  }

  void run_threads();
  void keep();

  const ServerOptions options;
  std::unique_ptr<OurRuns> our_runs;
  std::stop_source stopping;
  /// Lists are short: they do not wait for what somebody asks in SQL. Of both there are as many at
  /// a time as there are workers.
  Line queries{
      {.at_a_time = static_cast<std::size_t>(options.questions.questions_at_a_time) - kListsAtATime,
       .waiting = kMaxInLine}};
  Line lists{{.at_a_time = kListsAtATime, .waiting = kMaxInLine}};
  FairBudget answers{kMaxAnswersBytes};
  asio::io_context io;
  asio::executor_work_guard<asio::io_context::executor_type> work;
  asio::thread_pool workers;
  asio::thread_pool command_workers{kMaxCommands};
  KeyRing keys;
  QuestionDesk questions;
  Refusals refusals;
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
    WEIR_TRY(const bool any, impl->keys.has_any());
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
                                            .limits = limits_of_grpc(impl->options.http)},
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
