#pragma once

#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ingest/inbox.h"
#include "log/store_directory.h"
#include "record/recorder.h"
#include "server/keys.h"
#include "server/message.h"
#include "server/our_runs.h"
#include "server/question_desk.h"

namespace weir::server {

/// Who asks.
struct Caller {
  std::string id{};         ///< of the key; `loopback` where there is none
  std::string tenant_id{};  ///< empty: everybody's data is his to read, and he writes nobody's
  Scopes scopes = 0;
};

/// What the answers are made from.
struct Api {
  const log::StoreDirectory& store;
  record::Recorder& recorder;
  ingest::Inbox& inbox;
  OurRuns& our_runs;
  QuestionDesk& questions;
  /// Where what takes long is done: reading the store, SQL.
  asio::thread_pool& workers;
  /// Where commands are waited for, each of which is a process.
  asio::thread_pool& command_workers;
  /// Asks what is under way to end: the server stops.
  std::stop_token stop;
};

/// A parameter of a route, as OpenAPI describes it.
struct Parameter {
  std::string_view name;
  std::string_view in;    ///< path, query or header
  std::string_view type;  ///< string, integer or boolean
  std::string_view doc;
};

/// How a route says that something is wrong: the protocols differ.
using Complaint = std::function<Response(const Request&, unsigned status, std::string_view detail)>;

/// One thing that can be asked.
struct Route {
  http::verb method;
  std::string_view path;       ///< "/api/v1/runs/{run_id}"
  std::optional<Scope> scope;  ///< none: anybody may
  std::string_view summary;
  std::vector<Parameter> parameters{};
  std::vector<std::string_view> takes{};  ///< media types of the body; empty: it has none
  std::string_view gives = "application/json";
  unsigned status = 200;  ///< of a success
  std::function<asio::awaitable<Response>(Request&, const Caller&)> answer{};
  Complaint complain{};  ///< null: RFC 9457
};

/// What `work` gives, which is done on a thread that may take its time. At its callers `work` is a
/// variable: g++ 12 destroys twice what is made for a co_await.
[[nodiscard]] asio::awaitable<Response> on_workers(asio::thread_pool& workers,
                                                   std::function<Response()> work);

[[nodiscard]] std::vector<Route> ingest_routes(const Api& api);
[[nodiscard]] std::vector<Route> sql_routes(const Api& api);
[[nodiscard]] std::vector<Route> run_routes(const Api& api);
[[nodiscard]] std::vector<Route> artifact_routes(const Api& api);
[[nodiscard]] std::vector<Route> live_routes(const Api& api);
[[nodiscard]] std::vector<Route> jaeger_routes(const Api& api);

}  // namespace weir::server
