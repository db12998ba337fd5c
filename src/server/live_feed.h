#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/id.h"
#include "event/catalogue.h"
#include "event/decoder.h"
#include "event/topic.h"
#include "log/cursor.h"
#include "log/follower.h"
#include "log/store_directory.h"
#include "server/fair_budget.h"

namespace weir::server {

/// Which events somebody wants.
struct Wanted {
  std::string tenant_id;  ///< empty: everybody's
  std::optional<RunId> run;
  std::optional<event::TopicPattern> topic;
  event::Level level = event::Level::kDebug;

  /// `topic_text`: of the event, or empty, and then it may be made here.
  [[nodiscard]] bool has(const event::EventView& event, std::string& topic_text) const;
};

/// Adds an event as Server-Sent Events have it.
void append_event(std::string& text, const event::EventView& event, std::string_view line);

/// Reads the log once for all who follow it now, and gives each what he wants of it.
///
/// Threads  Any; has `weir-live`, which reads while somebody is subscribed.
/// Memory   What was read and not taken: kMaxWaitingBytes of all, shared as FairBudget does. Who
///          does not take it in time is cut off, and reads on by himself from where he was.
class LiveFeed {
 public:
  static constexpr std::uint64_t kMaxWaitingBytes = std::uint64_t{64} << 20;

  explicit LiveFeed(const log::StoreDirectory& store);
  ~LiveFeed();
  LiveFeed(const LiveFeed&) = delete;
  LiveFeed& operator=(const LiveFeed&) = delete;

  /// What somebody wants of a commit.
  struct Piece {
    std::string writer;
    log::Position end;  ///< of the commit, in the writer's segments
    std::string text;   ///< events as Server-Sent Events have them, without an id
    std::shared_ptr<const log::Cursor> after{};  ///< everything read so far
    std::unique_ptr<FairBudget::Share> share{};
  };
  struct Taken {
    std::vector<Piece> pieces{};
    /// Everything read so far; null: nothing since it began.
    std::shared_ptr<const log::Cursor> after{};
    bool is_cut_off = false;  ///< no more will come
  };

  /// Somebody who follows, for as long as this is there.
  class Subscription {
   public:
    virtual ~Subscription() = default;
    /// Whether what is committed from now on will come.
    [[nodiscard]] virtual bool is_live() const = 0;
    /// What has come.
    [[nodiscard]] virtual Taken take() = 0;
  };
  [[nodiscard]] std::shared_ptr<Subscription> subscribe(const Wanted& wanted, std::string account);

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace weir::server
