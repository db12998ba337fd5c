#include "bench/server_rows.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/descriptor.h"
#include "base/file.h"
#include "bench/rows.h"
#include "ingest/inbox.h"
#include "ingest/protobuf_testing.h"
#include "log/log_writer.h"
#include "tool/process.h"

namespace weir::bench {
namespace {

using ingest::protobuf::testing_support::Message;
using std::chrono::milliseconds;

constexpr int kClients = 8;
constexpr std::size_t kRecords = 1000;  // in a request
constexpr std::chrono::seconds kEach{8};
constexpr std::chrono::seconds kRest{5};  // for the disk, between two loads
constexpr std::size_t kNumber = 8;        // bytes of a record that are its own

/// A request whose records get new ids each time that it is sent.
struct Load {
  std::string path;
  std::string type;
  std::string body;
  std::vector<std::size_t> numbers{};  ///< where they stand in the body
  bool as_digits = false;
};

/// Events as a producer of another language sends them: 17 members, 450 bytes.
Load native_load() {
  Load load{
      .path = "/api/v1/events", .type = "application/x-ndjson", .body = {}, .as_digits = true};
  for (std::size_t i = 0; i < kRecords; ++i) {
    const auto number = std::to_string(100'000 + i);
    load.body += R"({"timestamp":"2026-01-05T03:00:00.)" + number +
                 R"(Z","event_type":"pipeline_node_completed","level":"INFO",)"
                 R"("pipeline_id":"flights","pipeline_version":"1",)"
                 R"("run_id":"019b8a2f-7c00-7000-8000-0000000000)" +
                 std::to_string(10 + i / 100 % 90) + R"(","run_seq":)" + number +
                 R"(,"trace_id":"996ac0d084ed2787b426421e34ba9923","span_id":"39a2e25565)" +
                 number +
                 R"(","parent_span_id":"eb32e1df7b2dd5d8","node_id":"by_origin","plugin_id":"sql",)"
                 R"("tool_id":"query","attempt":1,"duration_ms":78.780959,"event_id":"7f3a-)";
    load.numbers.push_back(load.body.size());
    load.body.append(kNumber, '0').append(R"(","output_keys":["by_origin"]})").append("\n");
  }
  return load;
}

/// As a service that answers requests makes spans: ten of a trace, six attributes each.
Load otlp_load() {
  const auto text = [](std::string_view key, std::string_view value) {
    return Message().text(1, key).message(2, Message().text(1, value));
  };
  const auto number = [](std::string_view key, std::uint64_t value) {
    return Message().text(1, key).message(2, Message().varint(3, value));
  };
  constexpr std::uint64_t kStart = 1'770'000'000'000'000'000;
  constexpr std::size_t kOfATrace = 10, kOfAScope = 50;
  Message resource, scopes;
  resource.message(1, text("service.name", "checkout"))
      .message(1, text("service.version", "2.14.0"))
      .message(1, text("deployment.environment.name", "production"))
      .message(1, text("host.name", "ip-10-0-1-17"));
  Message resource_spans;
  resource_spans.message(1, resource);
  std::vector<std::string> marks;
  for (std::size_t first = 0; first < kRecords; first += kOfAScope) {
    Message scope;
    scope.message(1, Message().text(1, "@opentelemetry/instrumentation-http").text(2, "0.57.0"));
    for (std::size_t i = first; i < first + kOfAScope; ++i) {
      const auto start = kStart + i * 1'234'567;
      auto trace = std::string("\x5b\x8e\xff\xf7\x98\x03\x81\x03\xd2\x69\xb6\x33", 12);
      const auto which = static_cast<std::uint32_t>(i / kOfATrace + 1);
      trace.append(reinterpret_cast<const char*>(&which), sizeof which);
      auto& mark = marks.emplace_back("span");
      const auto index = static_cast<std::uint32_t>(i);
      mark.append(reinterpret_cast<const char*>(&index), sizeof index);
      Message span;
      span.text(1, trace).text(2, mark);
      if (i % kOfATrace != 0) span.text(4, "parentid");
      span.text(5, "GET /api/v1/orders/{id}")
          .varint(6, 1 + i % 3)
          .fixed64(7, start)
          .fixed64(8, start + 12'345'678)
          .message(9, text("http.request.method", "GET"))
          .message(9, text("url.path", "/api/v1/orders/" + std::to_string(48151 + i)))
          .message(9, number("http.response.status_code", 200))
          .message(9, text("server.address", "orders.internal"))
          .message(9, number("server.port", 8080))
          .message(15, Message());
      scope.message(2, span);
    }
    resource_spans.message(2, scope);
  }
  Load load{.path = "/v1/traces",
            .type = "application/x-protobuf",
            .body = Message().message(1, resource_spans).bytes()};
  std::size_t at = 0;
  for (const auto& mark : marks) {
    at = load.body.find(mark, at);
    load.numbers.push_back(at);
    at += mark.size();
  }
  return load;
}

/// `weir serve` as a process of its own, until this goes.
class ServerProcess {
 public:
  explicit ServerProcess(const log::StoreDirectory& store) {
    thread_ = std::thread([this, root = store.root()] {
      const auto ended = tool::run_process(
          {.command = {WEIR_PROGRAM, "--store", root, "serve", "--port", "0", "--no-otlp"},
           .stop = stop_.get_token(),
           .on_error_line =
               [](std::string_view line, bool) {
                 std::printf("%.*s\n", static_cast<int>(line.size()), line.data());
               },
           .on_output_line = [this](std::string_view line, bool) { hear(line); }});
      if (!ended) std::printf("the server: %s\n", ended.error().message.c_str());
      hear(":0");
    });
    std::unique_lock lock(mutex_);
    heard_.wait(lock, [&] { return port_ >= 0; });
  }
  ~ServerProcess() {
    stop_.request_stop();
    thread_.join();
  }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  [[nodiscard]] int port() const { return port_; }

 private:
  void hear(std::string_view line) {
    const std::lock_guard lock(mutex_);
    if (port_ >= 0) return;
    const auto colon = line.rfind(':');
    int port = 0;
    std::from_chars(line.data() + colon + 1, line.data() + line.size(), port);
    port_ = port;
    heard_.notify_all();
  }

  std::stop_source stop_;
  std::mutex mutex_;
  std::condition_variable heard_;
  int port_ = -1;
  std::thread thread_;
};

/// One client: one request after the other on its connection.
class Client {
 public:
  Client(int port, const Load& load, int which) : load_(load), which_(which) {
    request_ = "POST " + load.path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + load.type +
               "\r\nContent-Length: " + std::to_string(load.body.size()) + "\r\n\r\n";
    head_ = request_.size();
    request_ += load.body;
    socket_ = Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ::setsockopt(socket_.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    is_good_ = ::connect(socket_.number(), reinterpret_cast<const sockaddr*>(&address),
                         sizeof address) == 0;
  }

  /// Sends it with new ids, and waits for the success. False: there was none.
  bool send() {
    number_records();
    for (std::string_view left = request_; is_good_ && !left.empty();) {
      const auto sent = ::send(socket_.number(), left.data(), left.size(), MSG_NOSIGNAL);
      is_good_ = sent > 0;
      if (is_good_) left.remove_prefix(static_cast<std::size_t>(sent));
    }
    std::string answer;
    while (is_good_ && !is_whole(answer)) {
      char bytes[4096];
      const auto got = ::recv(socket_.number(), bytes, sizeof bytes, 0);
      is_good_ = got > 0;
      if (is_good_) answer.append(bytes, static_cast<std::size_t>(got));
    }
    is_good_ = is_good_ && answer.starts_with("HTTP/1.1 200");
    return is_good_;
  }

 private:
  void number_records() {
    for (const auto place : load_.numbers) {
      auto number = static_cast<std::uint64_t>(which_) << 28 | next_++;
      char* const to = request_.data() + head_ + place;
      if (load_.as_digits) {
        for (std::size_t i = kNumber; i-- > 0; number /= 36)
          to[i] = "0123456789abcdefghijklmnopqrstuvwxyz"[number % 36];
      } else {
        number |= std::uint64_t{1} << 63;
        std::memcpy(to, &number, sizeof number);
      }
    }
  }
  static bool is_whole(std::string_view answer) {
    const auto end = answer.find("\r\n\r\n");
    if (end == std::string_view::npos) return false;
    constexpr std::string_view kLength = "Content-Length: ";
    const auto at = answer.find(kLength);
    std::size_t length = 0;
    if (at < end) {
      std::from_chars(answer.data() + at + kLength.size(), answer.data() + end, length);
    }
    return answer.size() >= end + 4 + length;
  }

  const Load& load_;
  const int which_;
  std::string request_;
  std::size_t head_ = 0;
  std::uint64_t next_ = 1;
  Descriptor socket_;
  bool is_good_ = false;
};

struct Taken {
  double per_second = 0;
  std::vector<double> milliseconds{};  ///< of each answer, from when it was to be sent
};

/// `pause` between the requests of a client, whether or not they are answered in time; 0: none.
Taken send_for_a_while(int port, const Load& load, milliseconds pause, int first_client) {
  std::mutex mutex;
  Taken taken;
  std::atomic<std::uint64_t> requests = 0;
  const auto begun = SteadyClock::now();
  std::vector<std::thread> threads;
  for (int which = 0; which < kClients; ++which) {
    threads.emplace_back([&, which] {
      Client client(port, load, first_client + which);
      std::vector<double> took;
      auto due = begun + pause * which / kClients;
      while (SteadyClock::now() - begun < kEach) {
        if (pause.count() > 0) std::this_thread::sleep_until(due);
        const auto from = pause.count() > 0 ? due : SteadyClock::now();
        if (!client.send()) break;
        took.push_back(seconds_since(from) * 1e3);
        due += pause;
        ++requests;
      }
      const std::lock_guard lock(mutex);
      taken.milliseconds.insert(taken.milliseconds.end(), took.begin(), took.end());
    });
  }
  for (auto& thread : threads) thread.join();
  taken.per_second = static_cast<double>(requests * kRecords) / seconds_since(begun);
  return taken;
}

/// How long the disk alone takes for what requests leave in the log, as many and as large, one
/// after the other: a machine's disk may give bytes away for seconds, and then hold them back.
std::vector<double> commit_alone(std::size_t bytes, milliseconds pause) {
  const ScratchStore scratch;
  log::LogWriter writer(scratch.store, system_clock(), ingest::InboxOptions().log);
  const std::string lines = std::string(bytes, 'x') + "\n";
  std::vector<double> took;
  const auto begun = SteadyClock::now();
  for (auto due = begun; due - begun < kEach; due += pause) {
    std::this_thread::sleep_until(due);
    log::CommitBuffer buffer;
    buffer.append(lines);
    if (!writer.commit(buffer, 1)) break;
    took.push_back(seconds_since(due) * 1e3);
  }
  return took;
}

std::size_t bytes_in(const std::filesystem::path& folder) {
  std::size_t bytes = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder)) bytes += file.file_size();
  return bytes;
}

void measure_load(const char* what, const char* unit, const Load& load, double budget) {
  const ScratchStore scratch;
  const ServerProcess server(scratch.store);
  const auto most = send_for_a_while(server.port(), load, milliseconds(0), 1);
  print_row((std::string(what) + ": taken in and committed").c_str(), most.per_second / 1e6, unit,
            budget, true);
  if (most.milliseconds.empty()) return;
  const double half = most.per_second / 2;
  const milliseconds pause(static_cast<std::int64_t>(1e3 * kRecords * kClients / half));
  const auto each = bytes_in(scratch.store.log()) / most.milliseconds.size();
  std::this_thread::sleep_for(kRest);
  const auto alone = commit_alone(each, pause / kClients);
  std::this_thread::sleep_for(kRest);
  const auto some = send_for_a_while(server.port(), load, pause, 1 + kClients);
  print_row((std::string(what) + ": an answer at half that load, p99").c_str(),
            percentile(some.milliseconds, 0.99), "ms", 20, false);
  print_note("p50", percentile(some.milliseconds, 0.5), "ms");
  print_note("the disk alone, the same bytes as often: p99", percentile(alone, 0.99), "ms");
  print_note("p50", percentile(alone, 0.5), "ms");
}

}  // namespace

void measure_server() {
  measure_load("server, JSON lines", "M events/s", native_load(), 1.5);
  measure_load("server, OTLP spans in protobuf", "M spans/s", otlp_load(), 1);
}

}  // namespace weir::bench
