#include "server/gate.h"

#include <algorithm>

#include "base/text.h"

namespace weir::server {
namespace {

/// "[::1]:4680" -> "[::1]"
std::string_view host_of(std::string_view host_and_port) {
  const auto end = host_and_port.find_last_of("]:");
  if (end == std::string_view::npos || host_and_port[end] == ']') return host_and_port;
  return host_and_port.substr(0, end);
}

bool is_loopback_name(std::string_view host) {
  return host == "localhost" || host == "127.0.0.1" || host == "[::1]";
}

bool is_loopback_address(std::string_view peer) {
  return peer.starts_with("127.") || peer == "::1" || peer.starts_with("::ffff:127.");
}

/// Of `Authorization: Bearer KEY`, or `X-API-Key: KEY`; nothing when neither is there.
std::optional<std::string_view> key_text(const Request& request) {
  constexpr std::string_view kBearer = "bearer ";
  const auto authorization = request.header(http::field::authorization);
  if (authorization.size() > kBearer.size() &&
      boost::beast::iequals(authorization.substr(0, kBearer.size()), kBearer)) {
    return authorization.substr(kBearer.size());
  }
  const auto key = request.header("X-API-Key");
  if (!key.empty()) return key;
  if (!authorization.empty()) return authorization;
  return {};
}

/// Whether a proxy says that it asks for somebody else.
bool is_passed_on(const Request& request) {
  constexpr std::string_view kNames[] = {"Forwarded", "X-Forwarded-For", "X-Real-IP", "Via"};
  return std::ranges::any_of(kNames, [&](auto name) { return !request.header(name).empty(); });
}

constexpr auto kEveryScope = static_cast<Scopes>(Scope::kAdmin);

}  // namespace

Response complain(const Route& route, const Request& request, unsigned status,
                  std::string_view detail) {
  return route.complain ? route.complain(request, status, detail) : problem(status, detail);
}

std::optional<std::chrono::milliseconds> RateLimiter::delay(const std::string& caller,
                                                            std::uint64_t per_second,
                                                            std::chrono::nanoseconds now) {
  if (per_second == 0) return {};
  const std::chrono::nanoseconds each(std::chrono::nanoseconds(std::chrono::seconds(1)) /
                                      static_cast<std::int64_t>(per_second));
  const std::lock_guard lock(mutex_);
  auto& due = due_[caller];
  due = std::max(due, now);
  // A second's requests may come at once.
  const auto early = due - now - std::chrono::seconds(1) + each;
  if (early > std::chrono::nanoseconds(0))
    return std::chrono::ceil<std::chrono::milliseconds>(early);
  due += each;
  return {};
}

Gate::Gate(const Router& router, const Api& api, KeyRing& keys)
    : router_(router), api_(api), keys_(keys) {}

std::variant<Response, Handler> Gate::admit(Request& request) {
  auto match = router_.find(request.method, request.segments);
  if (match.route == nullptr) {
    if (match.other == nullptr) return problem(404, "there is nothing at " + request.path);
    auto wrong = complain(*match.other, request, 405, request.path + " takes " + match.allowed);
    wrong.headers.emplace_back("Allow", match.allowed);
    return wrong;
  }
  const auto& route = *match.route;
  request.segments = std::move(match.segments);
  Caller caller;
  if (const auto scope = route.scope) {
    auto known = authenticate(route, *scope, request);
    if (auto* const refusal = std::get_if<Response>(&known)) return std::move(*refusal);
    caller = std::get<Caller>(std::move(known));
    request.account = caller.account();
  }
  const auto type = request.media_type();
  const bool is_taken =
      route.takes.empty() || std::ranges::find(route.takes, type) != route.takes.end();
  if (!is_taken) {
    const std::vector<std::string> types(route.takes.begin(), route.takes.end());
    return complain(route, request, 415,
                    "Content-Type is " + text::join(types) + ", not '" + type + "'");
  }
  return Handler{.answer = [&route, caller = std::move(caller)](
                               Request& asked) { return route.answer(asked, caller); },
                 .complain = route.complain,
                 .takes_body = !route.takes.empty()};
}

std::variant<Response, Caller> Gate::authenticate(const Route& route, Scope scope,
                                                  const Request& request) {
  const auto now = api_.recorder.clock().now();
  const auto any = keys_.has_any();
  if (!any) return complain(route, request, 503, any.error().message);
  if (!*any) {
    if (auto stranger = refuse_stranger(route, request)) return *std::move(stranger);
    return Caller{.id = std::string(Caller::kLoopback), .scopes = kEveryScope};
  }
  const auto text = key_text(request);
  const auto found = text ? keys_.find(*text, now) : Result<std::optional<Key>>(std::nullopt);
  if (!found) return complain(route, request, 503, found.error().message);
  const std::optional<Key>& key = *found;
  if (!key) {
    auto refusal = refuse(
        route, request, {.id = "unknown"}, 401,
        text ? "the key is unknown, revoked or expired" : "no key: Authorization: Bearer KEY");
    refusal.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"weir\"");
    return refusal;
  }
  Caller caller{.id = key->id, .tenant_id = key->tenant_id, .scopes = key->scopes};
  if (!key->allows(scope)) {
    return refuse(route, request, caller, 403,
                  "key " + caller.id + " has no scope '" + std::string(to_string(scope)) +
                      "': it has " + scopes_text(caller.scopes));
  }
  const auto delay =
      rates_.delay(caller.id, key->requests_per_second, api_.recorder.clock().monotonic());
  if (delay) {
    auto refusal = refuse(route, request, caller, 429,
                          "key " + caller.id + " may ask " +
                              std::to_string(key->requests_per_second) + " times a second");
    refusal.headers.emplace_back(
        "Retry-After", std::to_string(std::chrono::ceil<std::chrono::seconds>(*delay).count()));
    return refusal;
  }
  return caller;
}

/// While no key exists, this machine may ask everything: but not a page of some other site that a
/// browser on it shows, whatever name that site gives our address.
std::optional<Response> Gate::refuse_stranger(const Route& route, const Request& request) {
  const auto host = host_of(request.header(http::field::host));
  auto origin = request.header(http::field::origin);
  origin.remove_prefix(std::min(
      origin.size(), origin.find("://") == std::string_view::npos ? 0 : origin.find("://") + 3));
  const bool is_ours = is_loopback_address(request.peer) && is_loopback_name(host) &&
                       (origin.empty() || is_loopback_name(host_of(origin))) &&
                       !is_passed_on(request);
  if (is_ours) return {};
  return refuse(route, request, {.id = "unknown"}, 403,
                "until there is a key (`weir key create`), only this machine is answered, as "
                "localhost");
}

Response Gate::refuse(const Route& route, const Request& request, const Caller& caller,
                      unsigned status, std::string_view why) {
  api_.refusals.add(route.name(), request.peer, caller, why);
  return complain(route, request, status, why);
}

}  // namespace weir::server
