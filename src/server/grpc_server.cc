#include "server/grpc_server.h"

#include <grpc/grpc.h>
#include <grpcpp/alarm.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/resource_quota.h>
#include <pthread.h>
#include <sys/stat.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <charconv>
#include <climits>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/exception.h"
#include "base/file.h"
#include "server/fair_budget.h"
#include "server/listener.h"
#include "server/otlp_status.h"

namespace weir::server {
namespace {

constexpr std::uint64_t kMaxPemBytes = 1 << 20;
/// At a time; clients wait with more.
constexpr int kMaxCallsOfConnection = 100;
/// How often calls are looked for that a client does not go on with.
constexpr std::chrono::milliseconds kLookForLate{1000};

/// The path over HTTP of a method; empty: there is none.
std::string_view path_of(std::string_view method) {
  if (method == "/opentelemetry.proto.collector.trace.v1.TraceService/Export") return "/v1/traces";
  if (method == "/opentelemetry.proto.collector.logs.v1.LogsService/Export") return "/v1/logs";
  if (method == "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export") {
    return "/v1/metrics";
  }
  return {};
}

/// "ipv4:127.0.0.1:4711" -> "127.0.0.1"; "ipv6:%5B::1%5D:4711" -> "::1".
std::string address_of(std::string_view peer) {
  peer = peer.substr(std::min(peer.size(), peer.find(':') + 1));
  peer = peer.substr(0, peer.rfind(':'));
  if (peer.starts_with("%5B") && peer.ends_with("%5D")) {
    peer = peer.substr(3, peer.size() - 6);
  }
  return std::string(peer);
}

grpc::ByteBuffer buffer_of(std::string_view bytes) {
  const grpc::Slice slice(bytes.data(), bytes.size());
  return {&slice, 1};
}

std::optional<std::string> bytes_of(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) return {};
  std::string bytes;
  bytes.reserve(buffer.Length());
  for (const auto& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

/// What an answer over HTTP says, as gRPC says it: with the delay after which to try again.
grpc::Status status_of_answer(const Response& response) {
  if (response.status == 200) return grpc::Status::OK;
  const auto code = rpc_code_of(response.status);
  std::optional<std::uint64_t> delay;
  for (const auto& [name, value] : response.headers) {
    if (name != "Retry-After") continue;
    std::uint64_t seconds = 0;
    std::from_chars(value.data(), value.data() + value.size(), seconds);
    delay = seconds;
  }
  return {static_cast<grpc::StatusCode>(code), response.detail,
          rpc_status(code, response.detail, delay)};
}

}  // namespace

/// gRPC's own threads end with this, which is the last to go: what it leaves for later would meet
/// the end of the process.
struct Library {
  Library() { grpc_init(); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  ~Library() { grpc_shutdown_blocking(); }
};

/// The connections that gRPC was given. It tells nobody when one ends: but then its descriptor is
/// closed, or is that of something else.
///
/// Threads  One at a time.
class Given {
 public:
  explicit Given(std::size_t most) : most_(most) {}

  /// False: there are as many as may be.
  bool add(int descriptor) {
    if (inodes_.size() >= most_ && std::chrono::steady_clock::now() >= next_look_) {
      std::erase_if(inodes_, [](const auto& one) { return inode_of(one.first) != one.second; });
      // Looking is a call for each: a flood does not make it one for each that comes.
      next_look_ = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
    }
    inodes_.erase(descriptor);
    if (inodes_.size() >= most_) return false;
    inodes_[descriptor] = inode_of(descriptor);
    return true;
  }

 private:
  static ino_t inode_of(int descriptor) {
    struct stat status{};
    return ::fstat(descriptor, &status) == 0 ? status.st_ino : 0;
  }

  const std::size_t most_;
  std::unordered_map<int, ino_t> inodes_;  // by descriptor
  std::chrono::steady_clock::time_point next_look_;
};

struct GrpcServer::Impl {
  Impl(asio::io_context& the_io, const HttpLimits& the_limits, Admission the_admission)
      : io(the_io),
        limits(the_limits),
        admit(std::move(the_admission)),
        bodies(limits.all_bodies_bytes),
        given(limits.connections) {}

  class Call;
  void take_connection(asio::ip::tcp::socket socket);
  void take_calls();

  const Library library{};
  asio::io_context& io;
  const HttpLimits limits;
  const Admission admit;
  FairBudget bodies;
  std::shared_ptr<Listener> listener;
  Given given;  // of the listener's thread
  grpc::AsyncGenericService service;
  std::unique_ptr<grpc::ServerCompletionQueue> queue;
  std::unique_ptr<grpc::Server> server;
  std::unordered_set<Call*> calls;  // begun and not ended; of weir-grpc
  std::thread thread;

  std::mutex mutex;
  // Guarded by mutex:
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor;
  bool is_stopped = false;
};

/// One call, from when it is awaited to when it is answered; it ends itself. Who may not make it is
/// told so before its message is read.
///
///   awaited ──► reading ──► answering ──► answered
///      └────────────────────────┴─ refused ──┘
class GrpcServer::Impl::Call {
 public:
  explicit Call(Impl& server) : server_(server), stream_(&context_) {
    server_.service.RequestCall(&context_, &stream_, server_.queue.get(), server_.queue.get(),
                                this);
  }

  /// Something has come that it waited for; or will not.
  void go_on(bool is_there) {
    if (state_ == State::kAwaited && is_there) {
      static_cast<void>(new Call(server_));
      server_.calls.insert(this);
      begin();
    } else if (state_ == State::kReading && is_there) {
      state_ = State::kAnswering;
      due_ = kNever;
      answer();
    } else {
      server_.calls.erase(this);
      delete this;
    }
  }

  /// Ends it when the client was waited for too long: what was waited for will not come then.
  void end_when_late(std::chrono::steady_clock::time_point now) {
    if (now.time_since_epoch() > due_.load()) context_.TryCancel();
  }

 private:
  enum class State : std::uint8_t { kAwaited, kReading, kAnswering };
  using Due = std::chrono::steady_clock::duration;
  static constexpr Due kNever = Due::max();

  void wait_for_client() {
    due_ = (std::chrono::steady_clock::now() + server_.limits.stalled).time_since_epoch();
  }

  void begin() {
    const auto path = path_of(context_.method());
    if (path.empty()) {
      return finish(
          grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "there is no " + context_.method()));
    }
    request_.method = http::verb::post;
    request_.path = path;
    if (auto target = parse_target(path)) request_.segments = std::move(target->segments);
    request_.headers.set(http::field::content_type, "application/x-protobuf");
    request_.headers.set(http::field::host, context_.host());
    request_.peer = address_of(context_.peer());
    for (const auto& [name, value] : context_.client_metadata()) {
      const std::string_view key(name.data(), name.size());
      if (key != "authorization" && key != "x-api-key") continue;
      request_.headers.set(key, std::string_view(value.data(), value.size()));
    }
    auto admitted = server_.admit(request_);
    if (auto* const refusal = std::get_if<Response>(&admitted)) return finish(*refusal);
    handler_ = std::get<Handler>(std::move(admitted));
    state_ = State::kReading;
    wait_for_client();
    stream_.Read(&message_, this);
  }

  void answer() {
    share_.emplace(server_.bodies, request_.account);
    if (!share_->grow_to(message_.Length()))
      return finish(overloaded("too many requests are under way"));
    auto body = bytes_of(message_);
    message_.Clear();
    if (!body) return finish(grpc::Status(grpc::StatusCode::INTERNAL, "the message is not whole"));
    request_.body = *std::move(body);
    asio::co_spawn(server_.io, handler_.answer(request_),
                   [this](const std::exception_ptr& thrown, const Response& response) {
                     finish(thrown ? problem(500, "the answer could not be made") : response);
                   });
  }

  void finish(const Response& response) {
    const auto status = status_of_answer(response);
    if (!status.ok()) return finish(status);
    state_ = State::kAnswering;
    wait_for_client();
    stream_.WriteAndFinish(buffer_of(response.body), grpc::WriteOptions(), status, this);
  }
  void finish(const grpc::Status& status) {
    state_ = State::kAnswering;
    wait_for_client();
    stream_.Finish(status, this);
  }

  Impl& server_;
  State state_ = State::kAwaited;
  std::atomic<Due> due_{kNever};
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_;
  grpc::ByteBuffer message_;
  Request request_;
  Handler handler_;
  std::optional<FairBudget::Share> share_;
};

void GrpcServer::Impl::take_calls() {
  ::pthread_setname_np(::pthread_self(), "weir-grpc");
  static_cast<void>(new Call(*this));
  const auto tick = std::min<std::chrono::milliseconds>(limits.stalled / 2, kLookForLate);
  auto next_look = std::chrono::steady_clock::now() + tick;
  bool is_ending = false, is_closed = false;
  while (true) {
    void* tag = nullptr;
    bool is_there = false;
    // Without a call nothing is to be looked for.
    const auto until = calls.empty() ? std::chrono::system_clock::time_point::max()
                                     : std::chrono::system_clock::now() + tick;
    const auto what = queue->AsyncNext(&tag, &is_there, until);
    if (what == grpc::CompletionQueue::SHUTDOWN) return;
    if (what == grpc::CompletionQueue::GOT_EVENT) {
      if (tag == nullptr) {
        is_ending = true;
      } else {
        static_cast<Call*>(tag)->go_on(is_there);
      }
    }
    // Once: nothing begins an operation any more.
    if (is_ending && calls.empty() && !std::exchange(is_closed, true)) queue->Shutdown();
    const auto now = std::chrono::steady_clock::now();
    if (now < next_look) continue;
    next_look = now + tick;
    for (auto* const call : calls) call->end_when_late(now);
  }
}

void GrpcServer::Impl::take_connection(asio::ip::tcp::socket socket) {
  boost::system::error_code error;
  static_cast<void>(socket.set_option(asio::ip::tcp::no_delay(true), error));
  static_cast<void>(socket.native_non_blocking(true, error));
  if (error || !given.add(socket.native_handle())) return;
  const std::lock_guard lock(mutex);
  if (is_stopped) return;
  grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
  connection.fd = socket.release(error);
  if (!error) acceptor->HandleNewConnection(&connection);
}

GrpcServer::GrpcServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GrpcServer::~GrpcServer() {
  // What Asio throws when there is no memory left is not to end the process here.
  static_cast<void>(call_caught([this] {
    stop();
    return Result<void>();
  }));
}

std::uint16_t GrpcServer::port() const { return impl_->listener->port(); }

Result<std::unique_ptr<GrpcServer>> GrpcServer::start(asio::io_context& io,
                                                      const GrpcOptions& options, Admission admit) {
  const auto& limits = options.limits;
  auto impl = std::make_unique<Impl>(io, limits, std::move(admit));
  auto credentials = grpc::InsecureServerCredentials();
  if (!options.certificate.empty()) {
    WEIR_TRY(auto chain, read_file(options.certificate, kMaxPemBytes));
    WEIR_TRY(auto key, read_file(options.certificate_key, kMaxPemBytes));
    grpc::SslServerCredentialsOptions tls;
    tls.pem_key_cert_pairs.push_back({std::move(key), std::move(chain)});
    credentials = grpc::SslServerCredentials(tls);
  }
  grpc::ServerBuilder builder;
  // It takes connections from us, not from a port: of its own it would take any number.
  auto experimental = builder.experimental();
  impl->acceptor = experimental.AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, credentials);
  builder.SetMaxReceiveMessageSize(static_cast<int>(limits.body_bytes));
  grpc::ResourceQuota quota("weir");
  quota.Resize(limits.all_bodies_bytes);
  builder.SetResourceQuota(quota);
  const auto milliseconds = [](std::chrono::milliseconds time) {
    return static_cast<int>(std::min<std::int64_t>(time.count(), INT_MAX));
  };
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, milliseconds(limits.idle));
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, milliseconds(limits.stalled));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, milliseconds(limits.idle));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, milliseconds(limits.stalled));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxCallsOfConnection);
  builder.RegisterAsyncGenericService(&impl->service);
  impl->queue = builder.AddCompletionQueue();
  impl->server = builder.BuildAndStart();
  if (!impl->server) return fail(ErrorCode::kInvalidInput, "gRPC does not take the certificate");
  impl->thread = std::thread([server = impl.get()] { server->take_calls(); });
  auto* const taker = impl.get();
  std::unique_ptr<GrpcServer> made(new GrpcServer(std::move(impl)));
  WEIR_TRY(taker->listener,
           Listener::open(io, options.address, options.port, [taker](asio::ip::tcp::socket socket) {
             taker->take_connection(std::move(socket));
           }));
  return made;
}

void GrpcServer::stop() {
  {
    const std::lock_guard lock(impl_->mutex);
    if (std::exchange(impl_->is_stopped, true)) return;
  }
  if (impl_->listener) impl_->listener->close();
  impl_->server->Shutdown(std::chrono::system_clock::now() + impl_->limits.drain);
  // Calls that wait for the disk may still be answered: who takes them ends the queue after them.
  grpc::Alarm told;
  told.Set(impl_->queue.get(), std::chrono::system_clock::now(), nullptr);
  impl_->thread.join();
}

}  // namespace weir::server
