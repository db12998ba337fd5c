#include "cli/exports.h"

#include <cstdlib>

#include "cli/console.h"
#include "server/otlp_client.h"

namespace weir::cli {

Result<exporting::SendRequest> transport_of(const config::Export& target) {
  record::HttpHeaders headers(target.headers.begin(), target.headers.end());
  for (const auto& [name, variable] : target.headers_env) {
    const char* value = std::getenv(variable.c_str());
    if (value == nullptr || *value == '\0') {
      return fail(ErrorCode::kInvalidInput,
                  "header '" + name + "': its environment variable is not set");
    }
    headers.emplace_back(name, value);
  }
  if (target.protocol == config::ExportProtocol::kGrpc) {
    return server::otlp_over_grpc({.endpoint = target.endpoint,
                                   .headers = std::move(headers),
                                   .gzip = target.gzip,
                                   .timeout = target.timeout,
                                   .authorities = target.authorities});
  }
  return exporting::otlp_over_http({.endpoint = target.endpoint,
                                    .headers = std::move(headers),
                                    .gzip = target.gzip,
                                    .timeout = target.timeout,
                                    .authorities = target.authorities.string()});
}

Result<std::unique_ptr<exporting::TraceExporter>> start_export(const config::Export& target,
                                                               const log::StoreDirectory& store) {
  const auto within = "export '" + target.name + "'";
  auto transport = transport_of(target);
  if (!transport) return std::unexpected(std::move(transport).error().within(within));
  exporting::TraceExportOptions options{
      .name = target.name,
      .send = *std::move(transport),
      .sampling = target.sampling,
      .settle = target.settle,
      .sending = {.on_problem = [within](const std::string& problem) {
        say("weir: %s: %s\n", within.c_str(), problem.c_str());
      }}};
  if (!target.tenant.empty()) options.tenant = target.tenant;
  auto exporter = exporting::TraceExporter::start(store, std::move(options));
  if (!exporter) return std::unexpected(std::move(exporter).error().within(within));
  return exporter;
}

Result<std::vector<std::unique_ptr<exporting::TraceExporter>>> start_exports(
    const config::Config& settings, const log::StoreDirectory& store) {
  std::vector<std::unique_ptr<exporting::TraceExporter>> exporters;
  for (const auto& target : settings.exports) {
    WEIR_TRY(auto exporter, start_export(target, store));
    exporters.push_back(std::move(exporter));
  }
  return exporters;
}

}  // namespace weir::cli
