#include <benchmark/benchmark.h>

#include <string>

#include "base/id.h"
#include "ingest/otlp_request.h"
#include "ingest/protobuf_testing.h"

namespace weir::ingest::otlp {
namespace {

using protobuf::testing_support::Message;

constexpr int kScopes = 10, kSpansOfAScope = 50, kSpansOfATrace = 10;
constexpr std::uint64_t kStart = 1'770'000'000'000'000'000;

Message text_attribute(std::string_view key, std::string_view value) {
  return Message().text(1, key).message(2, Message().text(1, value));
}
Message integer_attribute(std::string_view key, std::uint64_t value) {
  return Message().text(1, key).message(2, Message().varint(3, value));
}

std::string random_bytes(std::size_t size) {
  std::string bytes;
  while (bytes.size() < size) {
    const auto bits = random_bits();
    bytes.append(reinterpret_cast<const char*>(&bits), sizeof bits);
  }
  return bytes.substr(0, size);
}

/// As a service that answers requests and asks a database makes them: a root in ten.
Message some_span(int i, std::string_view trace_id) {
  const auto start = kStart + static_cast<std::uint64_t>(i) * 1'234'567;
  Message span;
  span.text(1, trace_id).text(2, random_bytes(8));
  if (i % kSpansOfATrace != 0) span.text(4, random_bytes(8));
  span.text(5, "GET /api/v1/orders/{id}")
      .varint(6, static_cast<std::uint64_t>(1 + i % 3))
      .fixed64(7, start)
      .fixed64(8, start + 12'345'678)
      .message(9, text_attribute("http.request.method", "GET"))
      .message(9, text_attribute("url.path", "/api/v1/orders/" + std::to_string(48151 + i)))
      .message(9, integer_attribute("http.response.status_code", 200))
      .message(9, text_attribute("server.address", "orders.internal"))
      .message(9, integer_attribute("server.port", 8080))
      .message(15, Message());
  if (i % 2 == 0) span.message(9, text_attribute("db.system.name", "postgresql"));
  return span;
}

std::string some_request() {
  seed_random_bits(1);
  Message resource;
  resource.message(1, text_attribute("service.name", "checkout"))
      .message(1, text_attribute("service.version", "2.14.0"))
      .message(1, text_attribute("deployment.environment.name", "production"))
      .message(1, text_attribute("host.name", "ip-10-0-1-17"))
      .message(1, text_attribute("telemetry.sdk.language", "nodejs"));
  Message of_resource;
  of_resource.message(1, resource);
  std::string trace_id;
  for (int scope = 0; scope < kScopes; ++scope) {
    Message of_scope;
    of_scope.message(1, Message()
                            .text(1, "@opentelemetry/instrumentation-http-" + std::to_string(scope))
                            .text(2, "0.52.1"));
    for (int i = 0; i < kSpansOfAScope; ++i) {
      if (i % kSpansOfATrace == 0) trace_id = random_bytes(16);
      of_scope.message(2, some_span(i, trace_id));
    }
    of_resource.message(2, of_scope);
  }
  return Message().message(1, of_resource).bytes();
}

// Everything up to the log: decoded, mapped, masked, written as lines.
void take_spans(benchmark::State& state) {
  const auto redactor = *event::Redactor::make({});
  const auto body = some_request();
  std::size_t bytes = 0;
  for (auto _ : state) {
    LineMaker lines(redactor, "acme", "0123456789abcdef");
    const auto taken = take_traces(body, Encoding::kProtobuf, {}, lines);
    if (!taken || taken->count != 0) return state.SkipWithError("not taken");
    bytes = lines.take()->text.size();
  }
  state.SetItemsProcessed(state.iterations() * kScopes * kSpansOfAScope);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
  state.counters["line_bytes"] = static_cast<double>(bytes) / (kScopes * kSpansOfAScope);
}
BENCHMARK(take_spans);

}  // namespace
}  // namespace weir::ingest::otlp
