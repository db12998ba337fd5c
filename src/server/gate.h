#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <variant>

#include "server/api.h"
#include "server/http_server.h"
#include "server/keys.h"
#include "server/router.h"

namespace weir::server {

/// Lets each caller as often as his key says.
///
/// Threads Any.
class RateLimiter {
 public:
  /// When he may come again; nothing: now. 0 a second: always.
  [[nodiscard]] std::optional<std::chrono::milliseconds> delay(const std::string& caller,
                                                               std::uint64_t per_second,
                                                               std::chrono::nanoseconds now);

 private:
  /// The virtual scheduling of ITU-T I.371: when the next request is due if all came evenly.
  std::mutex mutex_;
  std::map<std::string, std::chrono::nanoseconds> due_;  // guarded by mutex_
};

/// Decides who may ask for what, before the body of a request is read.
///
///   route ── none: 404, other method: 405
///   key ──── none or a wrong one: 401      before the first key: loopback alone, by its name
///   scope ── not among the key's: 403
///   rate ─── too many: 429
///   type ─── of the body: 415
///
/// Record   What was refused for the caller's sake: see Refusals.
/// Threads  Any.
class Gate {
 public:
  Gate(const Router& router, const Api& api, KeyRing& keys);

  [[nodiscard]] std::variant<Response, Handler> admit(Request& request);

 private:
  [[nodiscard]] std::variant<Response, Caller> authenticate(const Route& route, Scope scope,
                                                            const Request& request);
  [[nodiscard]] std::optional<Response> refuse_stranger(const Route& route, const Request& request);
  [[nodiscard]] Response refuse(const Route& route, const Request& request, const Caller& caller,
                                unsigned status, std::string_view why);

  const Router& router_;
  const Api& api_;
  KeyRing& keys_;
  RateLimiter rates_;
};

/// The answer of a route that cannot be given.
[[nodiscard]] Response complain(const Route& route, const Request& request, unsigned status,
                                std::string_view detail);

}  // namespace weir::server
