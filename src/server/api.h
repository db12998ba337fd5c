#pragma once

#include <boost/asio/thread_pool.hpp>
#include <chrono>
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
#include "server/audit.h"
#include "server/keys.h"
#include "server/message.h"
#include "server/our_runs.h"
#include "server/question_desk.h"

namespace weir::server {

/// Who asks.
struct Caller {
  static constexpr std::string_view kLoopback = "loopback";
  std::string id{};         ///< of the key; kLoopback where there is none
  std::string tenant_id{};  ///< empty: everybody's data is his to read, and he writes nobody's
  Scopes scopes = 0;

  /// Whose share of what all share (FairBudget) he takes: his tenant's.
  [[nodiscard]] std::string account() const {
    return tenant_id.empty() ? "key " + id : "tenant " + tenant_id;
  }
};

/// What the answers are made from.
struct Api {
  const log::StoreDirectory& store;
  record::Recorder& recorder;
  ingest::Inbox& inbox;
  OurRuns& our_runs;
  QuestionDesk& questions;
  Refusals& refusals;
  KeyRing& keys;
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
  std::string_view type;  ///< string, integer, boolean, or time: a string as `moment_of` reads it
  std::string_view doc;
  std::vector<std::string_view> values{};  ///< that it may have; empty: any of its type
};

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
  /// Schemas of the body and of a success, by their names in the description (see openapi.h).
  std::string_view asked{};
  std::string_view told{};
  std::vector<std::string_view> also_gives{};  ///< other media types, of the same or as text
  std::vector<unsigned> also_fails{};          ///< statuses beside those that all such routes have
  bool tells_what_failed = false;              ///< a 400 may have the schema of a success
  bool reads_any_query = false;                ///< it judges itself what it is given
  std::function<asio::awaitable<Response>(Request&, const Caller&)> answer{};
  Complaint complain{};  ///< null: RFC 9457

  /// "GET /api/v1/runs/{run_id}"
  [[nodiscard]] std::string name() const {
    return std::string(http::to_string(method)).append(" ").append(path);
  }
};

/// Why somebody who was let in would not be now: his key was revoked, say. For those whose answer
/// has no end. Nothing: he still would.
inline constexpr std::chrono::seconds kObjectionInterval{2};  ///< how often they ask
[[nodiscard]] std::optional<std::string> objection_to(const Api& api, const Caller& caller);

/// What `work` gives, which is done on a thread that may take its time. At its callers `work` is a
/// variable: g++ 12 destroys twice what is made for a co_await.
[[nodiscard]] asio::awaitable<Response> on_workers(asio::thread_pool& workers,
                                                   std::function<Response()> work);

/// What the store says, for whoever is elsewhere: without where it is.
[[nodiscard]] std::string without_place(const Api& api, std::string text);

/// The answer to a question in our own SQL, to the caller's tenant. Nobody elsewhere is told what
/// is wrong with that. Errors: kCancelled, kUnavailable, kIo.
[[nodiscard]] Result<Table> ask_store(const Api& api, const Caller& caller, std::string sql,
                                      std::uint64_t max_rows);

/// Errors: kNotFound: that is no run that the caller may see; those of `ask_store`.
[[nodiscard]] Result<void> check_run(const Api& api, const Caller& caller,
                                     const std::string& run_id);

[[nodiscard]] std::vector<Route> ingest_routes(const Api& api);
[[nodiscard]] std::vector<Route> sql_routes(const Api& api);
[[nodiscard]] std::vector<Route> run_routes(const Api& api);
[[nodiscard]] std::vector<Route> part_routes(const Api& api);
[[nodiscard]] std::vector<Route> artifact_routes(const Api& api);
[[nodiscard]] std::vector<Route> live_routes(const Api& api);
[[nodiscard]] std::vector<Route> jaeger_routes(const Api& api);

}  // namespace weir::server
