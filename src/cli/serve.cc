#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <condition_variable>
#include <cstdio>
#include <memory>
#include <mutex>

#include "base/print.h"
#include "cli/command.h"
#include "cli/exports.h"
#include "cli/interrupt.h"
#include "cli/keeping.h"
#include "cli/recording.h"
#include "cli/settings.h"
#include "cli/usage.h"
#include "server/server.h"

namespace weir::cli {
namespace {

/// Those that are given win over the configuration's.
struct ServeOptions {
  std::optional<std::string> address;
  std::optional<std::int64_t> port, otlp_port, otlp_grpc_port;
  bool no_otlp = false;
  std::string certificate, certificate_key;
};

config::Server merged(const ServeOptions& options, config::Server server) {
  if (options.address) server.address = *options.address;
  if (options.port) server.port = *options.port;
  if (options.otlp_port) server.otlp_port = *options.otlp_port;
  if (options.otlp_grpc_port) server.otlp_grpc_port = *options.otlp_grpc_port;
  if (options.no_otlp) server.otlp = false;
  if (!options.certificate.empty()) server.tls_certificate = options.certificate;
  if (!options.certificate_key.empty()) server.tls_key = options.certificate_key;
  return server;
}

/// Each connection is a descriptor: as many as the system lets us have.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
}

server::ServerOptions server_options(const config::Server& server, const config::Config& settings,
                                     const std::filesystem::path& config,
                                     const log::StoreDirectory& store) {
  const auto port = [](std::int64_t number) { return static_cast<std::uint16_t>(number); };
  const auto otlp_port = [&](std::int64_t number) {
    return server.otlp ? std::optional(port(number)) : std::nullopt;
  };
  return {.address = server.address,
          .port = port(server.port),
          .otlp_http_port = otlp_port(server.otlp_port),
          .otlp_grpc_port = otlp_port(server.otlp_grpc_port),
          .certificate = server.tls_certificate,
          .certificate_key = server.tls_key,
          .http = {.body_bytes = server.max_body,
                   .all_bodies_bytes =
                       std::max(server::HttpLimits().all_bodies_bytes, 4 * server.max_body),
                   .connections = static_cast<std::size_t>(server.max_connections),
                   .idle = server.idle,
                   .stalled = server.stalled},
          .config = config,
          .keep = [&settings, &store] { keep_store(store, settings); }};
}

void wait_for(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any woken;
  std::unique_lock lock(mutex);
  woken.wait(lock, stop, [] { return false; });
}

int serve(const ServeOptions& options, const Invocation& invocation) {
  const auto settings = load_settings(invocation);
  if (!settings) return kWrongUsage;
  const auto store = invocation.create_store();
  if (!store) return complain(store.error());
  raise_descriptor_limit();
  const InterruptStop interrupt(
      "\nweir: answering what is under way; once more to leave at once\n");
  const auto recording = Recording::start(*settings, *store);
  if (!recording) return complain(recording.error());
  // A folder that is named from here is no other one for a command that is started elsewhere.
  const auto named = invocation.config_path();
  std::error_code none;
  const auto config =
      named.is_named ? std::filesystem::absolute(named.path, none) : std::filesystem::path();
  const auto asked = merged(options, settings->server);
  const auto server = server::Server::start(*store, (*recording)->recorder(),
                                            server_options(asked, *settings, config, *store));
  if (!server) return complain(server.error());
  const auto exporters = start_exports(*settings, *store);
  if (!exporters) {
    complain(exporters.error());
    return exporters.error().code == ErrorCode::kInvalidInput ? kWrongUsage : kStoreFailed;
  }
  const auto ports = (*server)->ports();
  const auto* scheme = asked.tls_certificate.empty() ? "http" : "https";
  std::printf("weir: %s at %s://%s:%d", store->root().c_str(), scheme, asked.address.c_str(),
              ports.api);
  if (ports.otlp_http != 0)
    std::printf(", OTLP at %d, gRPC at %d", ports.otlp_http, ports.otlp_grpc);
  std::printf("\n");
  std::fflush(stdout);
  wait_for(interrupt.token());
  (*server)->stop();
  return kDone;
}

}  // namespace

void add_serve(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<ServeOptions>();
  auto* command =
      app.add_subcommand("serve", "Take events in and answer questions over HTTP, until Ctrl-C");
  constexpr int kMostPort = 65'535;
  command->add_option(
      "--address", options->address,
      "Where it listens: an IP address (default: 127.0.0.1; any other needs a key)");
  expect_number(command->add_option("--port", options->port,
                                    "For the API; 0: any that is free (default: 4680)"),
                0, kMostPort);
  expect_number(command->add_option("--otlp-port", options->otlp_port,
                                    "For OTLP over HTTP; 0: any that is free (default: 4318)"),
                0, kMostPort);
  expect_number(command->add_option("--otlp-grpc-port", options->otlp_grpc_port,
                                    "For OTLP over gRPC; 0: any that is free (default: 4317)"),
                0, kMostPort);
  command->add_flag("--no-otlp", options->no_otlp, "Do not listen at the ports for OTLP");
  command->add_option("--tls-certificate", options->certificate, "A certificate chain, PEM");
  command->add_option("--tls-key", options->certificate_key, "Its private key, PEM");
  command->footer("Example: weir serve\n         weir key create ci --scope write");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return serve(*options, invocation); };
  });
}

}  // namespace weir::cli
