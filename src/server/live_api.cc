#include <algorithm>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>

#include "event/decoder.h"
#include "event/topic.h"
#include "log/follower.h"
#include "record/event_filter.h"
#include "server/api.h"
#include "store/history.h"

/// Events as they are committed, whoever records them: Server-Sent Events.
namespace weir::server {
namespace {

/// Each has a watch on the log's folder, of which the kernel gives a user 128.
constexpr int kMaxStreams = 64;
/// How often a stream looks for what is new: nobody sees the difference.
constexpr std::chrono::milliseconds kLook{50};
/// A line that is no event, so that a connection that nobody reads is found out.
constexpr std::chrono::seconds kHeartbeat{15};
constexpr auto kAwaitTuple = asio::as_tuple(asio::use_awaitable);

/// Which events somebody wants.
struct Wanted {
  std::string tenant_id;  ///< empty: everybody's
  std::optional<RunId> run;
  std::optional<event::TopicPattern> topic;
  event::Level level = event::Level::kDebug;

  [[nodiscard]] bool has(const event::EventView& event, std::string& topic_text) const {
    if (!tenant_id.empty() && event.text(event::Field::kTenantId) != tenant_id) return false;
    if (run && event.run_id() != *run) return false;
    if (record::level_of(event) < level) return false;
    if (!topic) return true;
    event::write_topic(event, topic_text);
    return topic->matches(topic_text);
  }
};

/// Errors: kInvalidInput.
Result<Wanted> wanted_of(const Request& request, const Caller& caller) {
  Wanted wanted{.tenant_id = caller.tenant_id, .run = {}, .topic = {}};
  if (const auto* run = request.parameter("run_id")) {
    wanted.run = RunId::parse(*run);
    if (!wanted.run) return fail(ErrorCode::kInvalidInput, "run_id: '" + *run + "' is no run's id");
  }
  if (const auto* topic = request.parameter("topic")) {
    auto pattern = event::TopicPattern::parse(*topic);
    if (!pattern) return std::unexpected(std::move(pattern).error().within("topic"));
    wanted.topic = *std::move(pattern);
  }
  if (const auto* level = request.parameter("level")) {
    constexpr event::Level kLevels[] = {event::Level::kDebug, event::Level::kInfo,
                                        event::Level::kWarning, event::Level::kError,
                                        event::Level::kFatal};
    const auto* found =
        std::ranges::find_if(kLevels, [&](auto one) { return event::to_string(one) == *level; });
    if (found == std::end(kLevels)) {
      return fail(ErrorCode::kInvalidInput,
                  "level: DEBUG, INFO, WARNING, ERROR or FATAL is expected");
    }
    wanted.level = *found;
  }
  return wanted;
}

/// A client's stream. While it lives, it counts.
class LiveStream {
 public:
  LiveStream(const Api& api, std::shared_ptr<std::atomic<int>> count, Wanted wanted)
      : api_(api), count_(std::move(count)), wanted_(std::move(wanted)) {}
  LiveStream(const LiveStream&) = delete;
  LiveStream& operator=(const LiveStream&) = delete;
  ~LiveStream() { --*count_; }

  Result<void> open(log::Cursor from) {
    WEIR_TRY(auto follower,
             log::Follower::open(api_.store, std::move(from), [](const log::FollowProblem&) {},
                                 {.open_parts = store::open_parts}));
    follower_ = std::make_unique<log::Follower>(std::move(follower));
    return {};
  }

  asio::awaitable<bool> write_all(const PieceWriter& write) {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    auto heard = std::chrono::steady_clock::now();
    // The first piece tells the client that it is connected.
    bool goes_on = co_await write(": weir\n\n");
    while (goes_on && !api_.stop.stop_requested()) {
      const auto read = follower_->next(std::chrono::milliseconds(0));
      const auto commit = read ? *read : std::nullopt;
      const auto piece = commit ? text_of(*commit) : std::string();
      const auto now = std::chrono::steady_clock::now();
      if (!piece.empty()) {
        heard = now;
        goes_on = co_await write(piece);
      } else if (now - heard > kHeartbeat) {
        heard = now;
        goes_on = co_await write(":\n\n");
      }
      if (!commit && goes_on) goes_on = co_await write("");
      if (!commit) {
        timer.expires_after(kLook);
        const auto [error] = co_await timer.async_wait(kAwaitTuple);
        if (error) co_return false;
      }
    }
    co_return true;
  }

 private:
  /// The events that are wanted, with the place after them: a client that comes back with it gets
  /// what follows, and of a commit that it has not seen the end of the beginning once more.
  std::string text_of(const log::FollowedCommit& commit) {
    std::string text;
    for (auto lines = commit.lines; !lines.empty();) {
      const auto line = lines.substr(0, lines.find('\n'));
      lines.remove_prefix(std::min(line.size() + 1, lines.size()));
      const auto event = decoder_.decode(line);
      if (!event || !wanted_.has(**event, topic_)) continue;
      text.append("event: ").append((*event)->type_name());
      text.append("\ndata: ").append(line).append("\n\n");
    }
    if (!text.empty()) {
      text.insert(text.size() - 1, "id: " + follower_->cursor().text() + "\n");
    }
    return text;
  }

  const Api& api_;
  const std::shared_ptr<std::atomic<int>> count_;
  const Wanted wanted_;
  std::unique_ptr<log::Follower> follower_;
  event::Decoder decoder_;
  std::string topic_;
};

/// From where a client that comes back goes on; a new one, from now.
Result<log::Cursor> beginning(const Api& api, const Request& request) {
  const auto last = request.header("Last-Event-ID");
  if (last.empty()) return log::end_of_log(api.store);
  auto cursor = log::Cursor::parse(last);
  if (!cursor)
    return fail(ErrorCode::kInvalidInput, "Last-Event-ID: an `id` of this stream is expected");
  return cursor;
}

Response stream(const Api& api, const std::shared_ptr<std::atomic<int>>& count,
                const Request& request, const Caller& caller) {
  auto wanted = wanted_of(request, caller);
  if (!wanted) return problem(wanted.error());
  auto from = beginning(api, request);
  if (!from) return problem(from.error());
  if (++*count > kMaxStreams) {
    --*count;
    auto full = problem(503, "there are " + std::to_string(kMaxStreams) + " streams already");
    full.headers.emplace_back("Retry-After", "10");
    return full;
  }
  const auto live = std::make_shared<LiveStream>(api, count, *std::move(wanted));
  if (const auto opened = live->open(*std::move(from)); !opened) return problem(opened.error());
  return {.content_type = "text/event-stream",
          .headers = {{"Cache-Control", "no-cache"}, {"X-Accel-Buffering", "no"}},
          .pieces = [live](const PieceWriter& write) { return live->write_all(write); }};
}

}  // namespace

std::vector<Route> live_routes(const Api& api) {
  const auto count = std::make_shared<std::atomic<int>>(0);
  return {{.method = http::verb::get,
           .path = "/api/v1/events/stream",
           .scope = Scope::kRead,
           .summary = "Follow events as they are committed (Server-Sent Events)",
           .parameters = {{"run_id", "query", "string", "only of this run"},
                          {"topic", "query", "string", "only these: stage.*.failed, tool.#"},
                          {"level", "query", "string", "only of this level and above"},
                          {"Last-Event-ID", "header", "string", "go on after this id"}},
           .gives = "text/event-stream",
           .answer = [&api, count](Request& request, const Caller& caller)
               -> asio::awaitable<Response> { co_return stream(api, count, request, caller); }}};
}

}  // namespace weir::server
