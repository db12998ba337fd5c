#include <set>

#include "config/collection.h"
#include "config/table.h"

namespace weir::config {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

void check_export(const Export& one, const json::Value& value, Problems& problems) {
  if (is_secret("", one.endpoint)) {
    problems.add(position_of(value, "endpoint"),
                 "'endpoint' holds a secret: send it in a header, from 'headers_env'");
  }
  for (const auto& [name, header] : one.headers) {
    if (!is_secret(name, header)) continue;
    problems.add(position_of(*value.object()->find("headers"), name),
                 "'" + name +
                     "' is a secret: put it into an environment variable, and the "
                     "variable's name into 'headers_env'");
  }
}

void check_export_names(const std::vector<Export>& exports, const json::Value& value,
                        Problems& problems) {
  std::set<std::string> seen;
  for (std::size_t i = 0; i < exports.size(); ++i) {
    if (seen.insert(exports[i].name).second) continue;
    problems.add(
        position_of((*value.array())[i], "name"),
        "there is an export '" + exports[i].name + "' already: its cursor would be the same");
  }
}

Shape<Export> export_shape() {
  constexpr std::size_t kMaxExportName = 48;
  const auto name = text(
      "lower-case letters, digits, '_' and '-'",
      {.max_bytes = kMaxExportName,
       .pattern = "^[a-z0-9_-]+$",
       .accepts = [](const std::string& word) {
         return !word.empty() && word.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") ==
                                     std::string::npos;
       }});
  const KeyOptions none_named{.fallback = "everybody's"};
  return object<Export>(
      "an export",
      {key<Export>("name", &Export::name, name,
                   "of its cursor in the store, `export-NAME`: with another name all is sent anew",
                   {.required = true}),
       key<Export>("endpoint", &Export::endpoint, url_shape(),
                   "the receiver; over `http` one without a path gets `/v1/traces`",
                   {.required = true}),
       key<Export>("protocol", &Export::protocol,
                   choice<ExportProtocol>(
                       {{"http", ExportProtocol::kHttp}, {"grpc", ExportProtocol::kGrpc}}),
                   "OTLP over HTTP, in protobuf, or over gRPC"),
       key<Export>("gzip", &Export::gzip, boolean(), "whether requests are compressed"),
       key<Export>("sampling", &Export::sampling, fraction(),
                   "which part of the traces without an error is sent, by their ids; of those "
                   "with one all are"),
       key<Export>("tenant", &Export::tenant, text("a tenant's name"), "whose runs alone",
                   none_named),
       key<Export>("timeout", &Export::timeout, duration(milliseconds(1), hours(1)),
                   "of a request"),
       key<Export>("settle", &Export::settle, duration(milliseconds(0), hours(1)),
                   "how long after its end a run is sent, so that what is undone then is in it"),
       key<Export>("authorities", &Export::authorities, path("a file"),
                   "certificates to trust, PEM", {.fallback = "the system's"}),
       key<Export>("headers", &Export::headers, map("texts", header_shape(), header_names()),
                   "sent with every request"),
       key<Export>("headers_env", &Export::headers_env,
                   map("variables", variable_shape(), header_names()),
                   "headers that are secrets: the variables that hold them")},
      {.check = check_export});
}

}  // namespace

Shape<std::vector<Export>> exports_shape() {
  constexpr std::size_t kMaxExports = 16;
  return list<Export>("exports", export_shape(), {.max_items = kMaxExports}, check_export_names);
}

}  // namespace weir::config
