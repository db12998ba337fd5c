#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/result.h"
#include "log/store_directory.h"
#include "project/run_key.h"
#include "report/node_history.h"
#include "report/status.h"
#include "store/event_table.h"
#include "store/history.h"
#include "store/query.h"

namespace weir::report {

/// Knows what goes on in a store: reads it once, asking for what matters now, and then goes on with
/// the events that come.
///
/// Memory   The states of the runs without an end, and what stands in a Status.
/// Threads  One at a time.
class StatusBoard {
 public:
  /// Of a tenant's runs alone, if one is named; "": of nobody's. Errors: those of the store's
  /// history and of its views.
  [[nodiscard]] static Result<StatusBoard> read(const log::StoreDirectory& store,
                                                const std::optional<std::string>& tenant = {},
                                                const Clock& clock = system_clock());

  /// An event that has come since; one that was known already changes nothing. True: people see
  /// the difference.
  bool apply(const event::EventView& event);

  /// As of now. Looks up what it does not know yet of new runs. Errors: as `read`.
  [[nodiscard]] Result<Status> status();

  /// What could not be read, since the last call.
  [[nodiscard]] std::vector<store::BadPlace> take_bad() { return std::exchange(bad_, {}); }

 private:
  [[nodiscard]] static Result<StatusBoard> read(const log::StoreDirectory& store,
                                                const std::optional<std::string>& tenant,
                                                const Clock& clock,
                                                const std::shared_ptr<store::BadPlaces>& bad);
  struct Run {
    project::RunState state;
    Plan plan;
    std::string definition_sha256{};
    std::string file{};  ///< its name says what it is written in
    bool is_planned = false;
    bool is_lost = false;  ///< as far as was read after its owner had gone
  };
  struct Unfinished;

  StatusBoard(log::StoreDirectory store, std::optional<std::string> tenant, const Clock& clock)
      : store_(std::move(store)), tenant_(std::move(tenant)), clock_(&clock) {}

  [[nodiscard]] Result<store::Views> open_views(std::shared_ptr<store::BadPlaces> bad) const;
  [[nodiscard]] bool is_of_another(std::string_view tenant) const {
    return tenant_ && tenant != *tenant_;
  }

  [[nodiscard]] Result<void> read_runs(store::Connection& connection,
                                       const std::unordered_set<RunId>& owned);
  [[nodiscard]] Result<void> read_runs(const std::set<RunId>& ids);
  [[nodiscard]] Result<void> read_requests(store::Connection& connection);
  [[nodiscard]] Result<void> read_requests(const RunId& id);
  [[nodiscard]] Result<void> read_whole(const RunId& id);
  [[nodiscard]] Result<void> read_happenings(store::Connection& connection);
  [[nodiscard]] bool has_run(const RunId& id) const;
  /// False: no run that is known has the id.
  bool hear_of_signal(const RunId& target, const event::EventView& event);
  bool take(Happening happening);
  bool take_into(std::deque<Happening>& list, const Happening& happening) const;
  bool apply_to_run(Run& run, const event::EventView& event);
  void plan(Run& run) const;
  [[nodiscard]] Result<void> find_histories();
  [[nodiscard]] Result<void> find_histories(store::Connection& connection);
  [[nodiscard]] Result<void> settle(const std::unordered_set<RunId>& owned);
  void add_recent(Status& status) const;

  log::StoreDirectory store_;
  std::optional<std::string> tenant_;  // whose runs alone
  const Clock* clock_;
  Timestamp asked_at_{};  // when the owners were asked first, before anything was read
  /// By id, then tenant.
  std::map<project::RunKey, Run> runs_;
  std::size_t older_lost_ = 0;
  std::map<std::string, NodeHistory, std::less<>> histories_;  // by pipeline
  /// By tenant, pipeline and path.
  std::map<std::tuple<std::string, std::string, std::string>, Happening> reviews_;
  std::map<std::pair<std::string, std::string>, Happening> alerts_;
  std::deque<Happening> notifications_;  // the newest first, as are those:
  std::deque<Happening> recent_;
  std::vector<store::BadPlace> bad_;
};

}  // namespace weir::report
