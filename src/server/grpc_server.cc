#include "server/grpc_server.h"

#include <grpc/grpc.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/resource_quota.h>
#include <pthread.h>

#include <boost/asio/co_spawn.hpp>
#include <charconv>
#include <optional>
#include <thread>
#include <vector>

#include "base/exception.h"
#include "base/file.h"
#include "server/otlp_status.h"

namespace weir::server {
namespace {

constexpr std::uint64_t kMaxPemBytes = 1 << 20;

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

struct GrpcServer::Impl {
  Impl(asio::io_context& the_io, Admission the_admission)
      : io(the_io), admit(std::move(the_admission)) {}

  class Call;
  void take_calls();

  const Library library{};
  asio::io_context& io;
  const Admission admit;
  HttpLimits limits;
  int port = 0;
  grpc::AsyncGenericService service;
  std::unique_ptr<grpc::ServerCompletionQueue> queue;
  std::unique_ptr<grpc::Server> server;
  std::thread thread;
  bool is_stopped = false;
};

/// One call, from when it is awaited to when it is answered; it ends itself.
///
///   awaited ──► reading ──► answering ──► answered
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
      state_ = State::kReading;
      stream_.Read(&message_, this);
    } else if (state_ == State::kReading && is_there) {
      state_ = State::kAnswering;
      answer();
    } else {
      delete this;
    }
  }

 private:
  enum class State : std::uint8_t { kAwaited, kReading, kAnswering };

  void answer() {
    const auto path = path_of(context_.method());
    auto body = bytes_of(message_);
    message_.Clear();
    if (path.empty() || !body) {
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
    request_.body = *std::move(body);
    handler_ = std::get<Handler>(std::move(admitted));
    asio::co_spawn(server_.io, handler_.answer(request_),
                   [this](const std::exception_ptr& thrown, const Response& response) {
                     finish(thrown ? problem(500, "the answer could not be made") : response);
                   });
  }

  void finish(const Response& response) {
    const auto status = status_of_answer(response);
    if (!status.ok()) return finish(status);
    stream_.WriteAndFinish(buffer_of(response.body), grpc::WriteOptions(), status, this);
  }
  void finish(const grpc::Status& status) { stream_.Finish(status, this); }

  Impl& server_;
  State state_ = State::kAwaited;
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_;
  grpc::ByteBuffer message_;
  Request request_;
  Handler handler_;
};

void GrpcServer::Impl::take_calls() {
  ::pthread_setname_np(::pthread_self(), "weir-grpc");
  static_cast<void>(new Call(*this));
  void* tag = nullptr;
  bool is_there = false;
  while (queue->Next(&tag, &is_there)) static_cast<Call*>(tag)->go_on(is_there);
}

GrpcServer::GrpcServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GrpcServer::~GrpcServer() { stop(); }

std::uint16_t GrpcServer::port() const { return static_cast<std::uint16_t>(impl_->port); }

Result<std::unique_ptr<GrpcServer>> GrpcServer::start(asio::io_context& io,
                                                      const GrpcOptions& options, Admission admit) {
  auto impl = std::make_unique<Impl>(io, std::move(admit));
  impl->limits = options.limits;
  auto credentials = grpc::InsecureServerCredentials();
  if (!options.certificate.empty()) {
    WEIR_TRY(auto chain, read_file(options.certificate, kMaxPemBytes));
    WEIR_TRY(auto key, read_file(options.certificate_key, kMaxPemBytes));
    grpc::SslServerCredentialsOptions tls;
    tls.pem_key_cert_pairs.push_back({std::move(key), std::move(chain)});
    credentials = grpc::SslServerCredentials(tls);
  }
  const auto host = options.address.find(':') == std::string::npos ? options.address
                                                                   : "[" + options.address + "]";
  const auto where = host + ":" + std::to_string(options.port);
  grpc::ServerBuilder builder;
  builder.AddListeningPort(where, credentials, &impl->port);
  builder.SetMaxReceiveMessageSize(static_cast<int>(options.limits.body_bytes));
  grpc::ResourceQuota quota("weir");
  quota.Resize(options.limits.all_bodies_bytes);
  builder.SetResourceQuota(quota);
  // Two servers on one port would share what comes, unnoticed.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.RegisterAsyncGenericService(&impl->service);
  impl->queue = builder.AddCompletionQueue();
  impl->server = builder.BuildAndStart();
  if (!impl->server || impl->port == 0) {
    return fail(ErrorCode::kIo, "listen on " + where + ": the address is in use, or is not ours");
  }
  impl->thread = std::thread([server = impl.get()] { server->take_calls(); });
  return std::unique_ptr<GrpcServer>(new GrpcServer(std::move(impl)));
}

void GrpcServer::stop() {
  if (std::exchange(impl_->is_stopped, true)) return;
  impl_->server->Shutdown(std::chrono::system_clock::now() + impl_->limits.drain);
  impl_->queue->Shutdown();
  impl_->thread.join();
}

}  // namespace weir::server
