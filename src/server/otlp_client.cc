#include "server/otlp_client.h"

#include <grpc/grpc.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "ingest/protobuf.h"

namespace weir::server {
namespace {

using exporting::Reception;
using std::chrono::milliseconds;

constexpr std::uint64_t kMaxAuthorities = std::uint64_t{4} << 20;
constexpr std::size_t kMaxSaid = 512;

/// gRPC's own threads end with this.
struct ClientLibrary {
  ClientLibrary() { grpc_init(); }
  ClientLibrary(const ClientLibrary&) = delete;
  ClientLibrary& operator=(const ClientLibrary&) = delete;
  ~ClientLibrary() { grpc_shutdown_blocking(); }
};

/// google.rpc.RetryInfo of a google.rpc.Status: details (3) of its type, retry_delay (1), seconds
/// (1) and nanos (2).
std::optional<milliseconds> retry_delay_in(std::string_view status) {
  using namespace ingest::protobuf;  // NOLINT(*-build-using-namespace): its tags
  Failure failure{.body = status};
  for (Reader details(status, failure); details.next();) {
    if (details.tag() != bytes(3)) continue;
    std::string_view type, value;
    for (Reader any(details.text(), failure); any.next();) {
      if (any.tag() == bytes(1)) type = any.text();
      if (any.tag() == bytes(2)) value = any.text();
    }
    if (!type.ends_with("google.rpc.RetryInfo")) continue;
    for (Reader info(value, failure); info.next();) {
      if (info.tag() != bytes(1)) continue;
      milliseconds delay{0};
      constexpr std::uint64_t kMostSeconds = 1'000'000;
      for (Reader duration(info.text(), failure); duration.next();) {
        if (duration.tag() == varint(1)) {
          delay += std::chrono::seconds(std::min(duration.number(), kMostSeconds));
        }
        if (duration.tag() == varint(2)) {
          delay +=
              milliseconds(std::min<std::uint64_t>(duration.number(), 999'999'999) / 1'000'000);
        }
      }
      return delay;
    }
  }
  return {};
}

Reception reception_of(const grpc::Status& status, const std::string& response) {
  using enum Reception::Kind;
  if (status.ok()) return exporting::taken_with(response);
  auto why = "gRPC status " + std::to_string(status.error_code());
  if (!status.error_message().empty()) {
    why += ": " + text::printable(status.error_message().substr(0, kMaxSaid));
  }
  const auto delay = retry_delay_in(status.error_details());
  switch (status.error_code()) {
    case grpc::CANCELLED:
    case grpc::DEADLINE_EXCEEDED:
    case grpc::ABORTED:
    case grpc::OUT_OF_RANGE:
    case grpc::UNAVAILABLE:
    case grpc::DATA_LOSS:
      return {.kind = kNotNow, .why = std::move(why), .retry_after = delay};
    case grpc::RESOURCE_EXHAUSTED:
      // Without a delay it is the request that is too large.
      return {.kind = delay ? kNotNow : kTooLong, .why = std::move(why), .retry_after = delay};
    default:
      return {.kind = kRefused, .why = std::move(why)};
  }
}

/// Names and values as gRPC takes them: it ends the process over others. Errors: kInvalidInput.
Result<record::HttpHeaders> metadata_of(record::HttpHeaders headers) {
  constexpr std::string_view kOfNames = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
  const auto refuse = [](std::string_view name, std::string_view why) {
    return fail(ErrorCode::kInvalidInput,
                "header '" + text::printable(name) + "': " + std::string(why));
  };
  for (auto& [name, value] : headers) {
    std::ranges::transform(name, name.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    if (name.empty() || name.find_first_not_of(kOfNames) != std::string::npos) {
      return refuse(name, "over gRPC a name has letters, digits, '-', '_' and '.' alone");
    }
    if (name.starts_with("grpc-")) return refuse(name, "names with 'grpc-' are gRPC's own");
    const auto is_plain = [](char c) { return c >= 0x20 && c <= 0x7e; };
    if (!name.ends_with("-bin") && !std::ranges::all_of(value, is_plain)) {
      return refuse(name, "over gRPC a value is printable ASCII");
    }
  }
  return headers;
}

class OtlpClient {
 public:
  OtlpClient(OtlpGrpc options, const std::shared_ptr<grpc::Channel>& channel)
      : options_(std::move(options)), stub_(channel) {}

  Reception send(const std::string& request, const std::stop_token& stop) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + options_.timeout);
    if (options_.gzip) context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
    for (const auto& [name, value] : options_.headers) context.AddMetadata(name, value);
    const grpc::Slice slice(request.data(), request.size());
    const grpc::ByteBuffer sent(&slice, 1);
    grpc::ByteBuffer answered;
    const auto call = std::make_shared<Call>();
    stub_.UnaryCall(&context, "/opentelemetry.proto.collector.trace.v1.TraceService/Export", {},
                    &sent, &answered, [call](const grpc::Status& ended) {
                      const std::lock_guard lock(call->mutex);
                      call->status = ended;
                      call->has_ended = true;
                      call->done.notify_one();
                    });
    const std::stop_callback cancel(stop, [&context] { context.TryCancel(); });
    std::unique_lock lock(call->mutex);
    call->done.wait(lock, [&call] { return call->has_ended; });
    return reception_of(call->status, text_of(answered));
  }

 private:
  /// How it ends; gRPC's thread is the last that looks at it.
  struct Call {
    std::mutex mutex;
    std::condition_variable done;
    grpc::Status status;     // guarded by mutex
    bool has_ended = false;  // guarded by mutex
  };

  static std::string text_of(const grpc::ByteBuffer& buffer) {
    std::vector<grpc::Slice> slices;
    std::string text;
    if (!buffer.Valid() || !buffer.Dump(&slices).ok()) return text;
    for (const auto& slice : slices) {
      text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
    return text;
  }

  const ClientLibrary library_{};
  const OtlpGrpc options_;
  grpc::GenericStub stub_;
};

}  // namespace

Result<exporting::SendRequest> otlp_over_grpc(OtlpGrpc options) {
  constexpr std::string_view kPlain = "http://", kTls = "https://";
  std::string_view target = options.endpoint;
  const bool is_plain = target.starts_with(kPlain);
  if (!is_plain && !target.starts_with(kTls)) {
    return fail(ErrorCode::kInvalidInput,
                "the endpoint is a URL that begins with http:// or https://");
  }
  target.remove_prefix(is_plain ? kPlain.size() : kTls.size());
  if (target.ends_with('/')) target.remove_suffix(1);
  if (target.empty() || target.contains('/')) {
    return fail(ErrorCode::kInvalidInput, "over gRPC the endpoint is http://HOST:PORT");
  }
  WEIR_TRY(options.headers, metadata_of(std::move(options.headers)));
  grpc::SslCredentialsOptions tls;
  if (!options.authorities.empty()) {
    WEIR_TRY(tls.pem_root_certs, read_file(options.authorities, kMaxAuthorities));
  }
  const auto credentials =
      is_plain ? grpc::InsecureChannelCredentials() : grpc::SslCredentials(tls);
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // A receiver that is back is found soon: who waits, and for how long, is said by the sender.
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  const auto channel = grpc::CreateCustomChannel(std::string(target), credentials, arguments);
  const auto client = std::make_shared<OtlpClient>(std::move(options), channel);
  return [client](const std::string& request, const std::stop_token& stop) {
    return client->send(request, stop);
  };
}

}  // namespace weir::server
