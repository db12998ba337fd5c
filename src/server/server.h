#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "ingest/inbox.h"
#include "log/store_directory.h"
#include "record/recorder.h"
#include "server/http_server.h"
#include "server/question_desk.h"

namespace weir::server {

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 4680;                           ///< 0: any that is free
  std::optional<std::uint16_t> otlp_http_port = 4318;  ///< none: not there
  std::optional<std::uint16_t> otlp_grpc_port = 4317;  ///< none: not there
  /// A certificate chain and its key, PEM: without, no TLS.
  std::filesystem::path certificate{};
  std::filesystem::path certificate_key{};
  int threads = 2;  ///< for connections
  HttpLimits http{};
  ingest::InboxOptions inbox{};
  QuestionDesk::Options questions{};
  /// Of this program, which it starts for what commands do.
  std::filesystem::path program = "/proc/self/exe";
  std::filesystem::path config{};  ///< for those; empty: that beside the store
  /// What is done for the store every so often, on a thread of its own: compaction, retention.
  std::function<void()> keep = [] {};
  std::chrono::seconds keep_interval{10};
};

/// Where it listens.
struct ServerPorts {
  std::uint16_t api = 0;
  std::uint16_t otlp_http = 0;  ///< 0: not there
  std::uint16_t otlp_grpc = 0;
};

/// The server: takes events in and answers questions over HTTP (docs/reference/server.md).
///
/// Threads    All functions from any thread but the destructor. Has `threads` for connections, two
///            for questions, one that keeps the store, and those of its inbox.
/// Shutdown   `stop` lets requests that are under way be answered, for HttpLimits::drain; then what
///            waits is committed. Nothing that was answered is lost.
class Server {
 public:
  /// It answers when this returns. `store` and `recorder` outlive it. Errors: kInvalidInput (an
  /// address that others reach, while there is no key; a certificate of which nothing can be made),
  /// kIo (a port is in use), those of the store.
  [[nodiscard]] static Result<std::unique_ptr<Server>> start(const log::StoreDirectory& store,
                                                             record::Recorder& recorder,
                                                             ServerOptions options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] ServerPorts ports() const;
  /// Returns when everything is answered and committed.
  void stop();

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace weir::server
