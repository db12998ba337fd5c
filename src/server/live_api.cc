#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>

#include "event/decoder.h"
#include "event/topic.h"
#include "log/follower.h"
#include "server/api.h"
#include "server/fair_budget.h"
#include "server/live_feed.h"
#include "store/history.h"

/// Events as they are committed, whoever records them: Server-Sent Events.
namespace weir::server {
namespace {

/// A connection each, and half of them for one account (FairBudget).
constexpr int kMaxStreams = 128;
/// How often a stream looks for what is new: nobody sees the difference.
constexpr std::chrono::milliseconds kLook{50};
/// A line that is no event, so that a connection that nobody reads is found out.
constexpr std::chrono::seconds kHeartbeat{15};
/// What a stream that is behind reads before it is sent.
constexpr std::size_t kBehindBytes = std::size_t{256} << 10;
constexpr std::chrono::milliseconds kBehindTime{100};
/// Threads for those.
constexpr int kReaders = 2;
constexpr auto kAwaitTuple = asio::as_tuple(asio::use_awaitable);

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

/// What all streams share.
struct Live {
  explicit Live(const Api& the_api) : api(the_api), feed(api.store) {}

  const Api& api;
  FairBudget places{kMaxStreams};
  LiveFeed feed;
  asio::thread_pool readers{kReaders};
};

asio::awaitable<void> done_by(std::function<void()> work) {
  work();
  co_return;
}

/// A client's stream.
///
///   behind ──► live      it has read by itself what was committed before the feed gave it more
///      ◄────────         it did not take what the feed gave it
class LiveStream {
 public:
  LiveStream(std::shared_ptr<Live> live, std::unique_ptr<FairBudget::Share> place, Caller caller,
             Wanted wanted, log::Cursor from)
      : live_(std::move(live)),
        place_(std::move(place)),
        caller_(std::move(caller)),
        wanted_(std::move(wanted)),
        cursor_(std::make_shared<const log::Cursor>(std::move(from))) {}
  LiveStream(const LiveStream&) = delete;
  LiveStream& operator=(const LiveStream&) = delete;

  asio::awaitable<bool> write_all(const PieceWriter& write) {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    auto heard = std::chrono::steady_clock::now();
    auto asked = heard;
    // The first piece tells the client that it is connected.
    bool goes_on = co_await write(": weir\n\n");
    while (goes_on && !live_->api.stop.stop_requested()) {
      const auto now = std::chrono::steady_clock::now();
      if (now - asked > kObjectionInterval) {
        asked = now;
        if (const auto objection = objection_to(live_->api, caller_)) {
          const auto end = last_event(*objection);
          const bool sent = co_await write(end);
          static_cast<void>(sent);
          co_return true;
        }
      }
      text_.clear();
      if (text_.capacity() > 4 * kBehindBytes) text_ = {};
      bool has_more = false;
      if (is_live_) {
        take_live();
      } else {
        std::function<void()> work = [this, &has_more] { has_more = read_behind(); };
        auto task = done_by(std::move(work));
        co_await asio::co_spawn(live_->readers, std::move(task), asio::use_awaitable);
      }
      if (!text_.empty()) {
        heard = now;
        goes_on = co_await write(text_);
        has_more = true;
      } else if (now - heard > kHeartbeat) {
        heard = now;
        goes_on = co_await write(":\n\n");
      }
      if (has_more || !goes_on) continue;
      goes_on = co_await write("");
      timer.expires_after(kLook);
      const auto [error] = co_await timer.async_wait(kAwaitTuple);
      if (error) co_return false;
    }
    co_return true;
  }

 private:
  static std::string last_event(const std::string& reason) {
    json::Object data;
    data.set("reason", reason);
    return "event: end\ndata: " + json::to_text(data) + "\n\n";
  }

  /// What the feed gives. It may be behind what was read without it.
  void take_live() {
    auto taken = subscription_->take();
    for (const auto& piece : taken.pieces) {
      if (piece.end <= joined_->of(piece.writer)) continue;
      text_.append(piece.text);
      end_event(*piece.after);
    }
    if (taken.after) cursor_ = std::move(taken.after);
    if (!taken.is_cut_off) return;
    is_live_ = false;
    subscription_.reset();
  }

  /// Whether there is more. On a thread for those that are behind.
  bool read_behind() {
    if (!follower_) {
      auto opened =
          log::Follower::open(live_->api.store, *cursor_, [](const log::FollowProblem&) {},
                              {.open_parts = store::open_parts});
      if (!opened) return false;
      follower_ = std::make_unique<log::Follower>(*std::move(opened));
    }
    const bool joins = subscription_ && subscription_->is_live();
    if (joins) follower_->look();
    bool has_more = true;
    // For a while: others are behind, too, and what is wanted may be rare.
    const auto until = std::chrono::steady_clock::now() + kBehindTime;
    while (has_more && text_.size() < kBehindBytes && std::chrono::steady_clock::now() < until) {
      const auto read = follower_->next(std::chrono::milliseconds(0));
      if (!read) return false;
      const auto& commit = *read;
      has_more = commit.has_value();
      if (commit) append_wanted(*commit);
    }
    if (has_more) return true;
    cursor_ = std::make_shared<const log::Cursor>(follower_->cursor());
    if (joins) {
      joined_ = cursor_;
      is_live_ = true;
      follower_.reset();
    } else if (!subscription_) {
      subscription_ = live_->feed.subscribe(wanted_, caller_.account());
    }
    return false;
  }

  void append_wanted(const log::FollowedCommit& commit) {
    const log::Position end{.segment = commit.segment.number, .offset = commit.end};
    if (!commit.is_of_parts && end <= joined_->of(commit.segment.writer)) return;
    const auto before = text_.size();
    for (auto lines = commit.lines; !lines.empty();) {
      const auto line = lines.substr(0, lines.find('\n'));
      lines.remove_prefix(std::min(line.size() + 1, lines.size()));
      const auto event = decoder_.decode(line);
      topic_.clear();
      if (event && wanted_.has(**event, topic_)) append_event(text_, **event, line);
    }
    if (text_.size() > before) end_event(follower_->cursor());
  }

  /// The last event gets the place after its commit: a client that comes back with it gets what
  /// follows, and of a commit that it has not seen the end of the beginning once more.
  void end_event(const log::Cursor& after) {
    text_.insert(text_.size() - 1, "id: " + after.text() + "\n");
  }

  const std::shared_ptr<Live> live_;
  const std::unique_ptr<FairBudget::Share> place_;
  const Caller caller_;
  const Wanted wanted_;
  std::shared_ptr<const log::Cursor> cursor_;  // what was read, at least
  std::shared_ptr<const log::Cursor> joined_ =
      std::make_shared<const log::Cursor>();  // without the feed
  bool is_live_ = false;
  std::shared_ptr<LiveFeed::Subscription> subscription_;
  std::unique_ptr<log::Follower> follower_;  // while it is behind
  event::Decoder decoder_;
  std::string topic_;
  std::string text_;
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

Response stream(const std::shared_ptr<Live>& live, const Request& request, const Caller& caller) {
  auto wanted = wanted_of(request, caller);
  if (!wanted) return problem(wanted.error());
  auto from = beginning(live->api, request);
  if (!from) return problem(from.error());
  auto place = live->places.take(caller.account());
  if (!place) {
    auto full = problem(503, "there are as many streams already as there may be");
    full.headers.emplace_back("Retry-After", "10");
    return full;
  }
  const auto begun = std::make_shared<LiveStream>(live, std::move(place), caller,
                                                  *std::move(wanted), *std::move(from));
  return {.content_type = "text/event-stream",
          .headers = {{"Cache-Control", "no-cache"}, {"X-Accel-Buffering", "no"}},
          .pieces = [begun](const PieceWriter& write) { return begun->write_all(write); }};
}

}  // namespace

std::vector<Route> live_routes(const Api& api) {
  const auto live = std::make_shared<Live>(api);
  return {{.method = http::verb::get,
           .path = "/api/v1/events/stream",
           .scope = Scope::kRead,
           .summary = "Follow events as they are committed (Server-Sent Events)",
           .parameters = {{"run_id", "query", "string", "only of this run"},
                          {"topic", "query", "string", "only these: stage.*.failed, tool.#"},
                          {"level", "query", "string", "only of this level and above"},
                          {"Last-Event-ID", "header", "string", "go on after this id"}},
           .gives = "text/event-stream",
           .answer = [live](Request& request, const Caller& caller) -> asio::awaitable<Response> {
             co_return stream(live, request, caller);
           }}};
}

}  // namespace weir::server
