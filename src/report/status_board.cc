#include "report/status_board.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>
#include <ranges>

#include "artifact/artifact_store.h"
#include "log/run_lock.h"
#include "pipeline/file.h"
#include "report/status_queries.h"
#include "store/query.h"

namespace weir::report {
namespace {

using event::Field;
using event::Type;
using std::chrono::hours;

/// Of each list that shows the newest.
constexpr std::size_t kMostNews = 20;
/// Lost runs that are looked at: the newest ones of the last days. `weir runs` has all.
constexpr std::size_t kMostLost = 10;
constexpr auto kLostIsNews = hours(24 * 7);
/// A run of another system that says nothing for longer is not said to go on.
constexpr auto kSilent = hours(1);
constexpr auto kNews = hours(24);

std::string microseconds_text(Timestamp time) {
  return std::to_string(time.time_since_epoch().count());
}

bool is_signal(Type type) {
  return type >= Type::kSignalRequested && type <= Type::kSignalDeferred;
}

/// Of what a process says of itself: record/process_runs.h.
bool is_process_run(const event::EventView& event) {
  return event.text(Field::kPipelineType) == "external" && event.text(Field::kPipelineId) == "weir";
}

/// Events that come often and that no Status shows.
bool is_seen(Type type) {
  return type != Type::kLog && type != Type::kNodeIo && type != Type::kMetric &&
         type != Type::kSpan && type != Type::kNodeWide && type != Type::kAdapterHeartbeat;
}

Timestamp timestamp_in(const json::Value& value) {
  const auto* microseconds = value.integer();
  return Timestamp(std::chrono::microseconds(microseconds == nullptr ? 0 : *microseconds));
}

}  // namespace

/// A row of sql/status/unfinished-runs.sql.
struct StatusBoard::Unfinished {
  project::RunKey key;
  bool is_observed = false;
  Timestamp started_at{};
  Timestamp last_event_at{};
};

Result<StatusBoard> StatusBoard::read(const log::StoreDirectory& store,
                                      const std::optional<std::string>& tenant,
                                      const Clock& clock) {
  const auto bad = std::make_shared<store::BadPlaces>();
  WEIR_TRY(auto board,
           store::past_damage(store, *bad, [&] { return read(store, tenant, clock, bad); }));
  board.bad_ = bad->all();
  return board;
}

Result<store::Views> StatusBoard::open_views(std::shared_ptr<store::BadPlaces> bad) const {
  return store::open_views(store_, std::move(bad), {.events = {.tenant = tenant_}});
}

Result<StatusBoard> StatusBoard::read(const log::StoreDirectory& store,
                                      const std::optional<std::string>& tenant, const Clock& clock,
                                      const std::shared_ptr<store::BadPlaces>& bad) {
  StatusBoard board(store, tenant, clock);
  board.asked_at_ = clock.now();
  const auto owned = log::RunLock::held(store);
  WEIR_TRY(const auto views, board.open_views(bad));
  WEIR_TRY(auto connection, views.database.connect());
  WEIR_TRY(board.read_runs(connection, owned));
  if (tenant) {  // who asks may be nobody's
    WEIR_TRY(const auto all, store::open_views(store, bad));
    WEIR_TRY(auto of_all, all.database.connect());
    WEIR_TRY(board.read_requests(of_all));
  } else {
    WEIR_TRY(board.read_requests(connection));
  }
  WEIR_TRY(board.find_histories(connection));
  WEIR_TRY(board.read_happenings(connection));
  return board;
}

Result<void> StatusBoard::read_runs(store::Connection& connection,
                                    const std::unordered_set<RunId>& owned) {
  WEIR_TRY(store::set_variable(connection, "silent", microseconds_text(asked_at_ - kSilent)));
  WEIR_TRY(auto rows, connection.query(status_query("unfinished-runs")));
  std::vector<Unfinished> unfinished;
  while (const auto* row = rows.next()) {
    const auto id = RunId::parse(*row->at(0).string());
    if (!id) continue;
    unfinished.push_back(
        {.key = {*id, row->at(4).string() == nullptr ? std::string() : *row->at(4).string()},
         .is_observed = row->at(1).string() != nullptr && *row->at(1).string() == "external",
         .started_at = timestamp_in(row->at(2)),
         .last_event_at = timestamp_in(row->at(3))});
  }
  std::size_t lost = 0;
  std::set<RunId> looked_at;
  std::set<project::RunKey> ownerless;  // before it is read
  for (const auto& run : unfinished) {
    const bool goes_on = owned.contains(run.key.run_id) || run.started_at >= asked_at_;
    if (run.is_observed) {
      if (asked_at_ - run.last_event_at > kSilent) continue;
    } else if (!goes_on) {
      if (++lost > kMostLost || asked_at_ - run.last_event_at > kLostIsNews) {
        ++older_lost_;
        continue;
      }
    }
    looked_at.insert(run.key.run_id);
    if (!run.is_observed && !goes_on) ownerless.insert(run.key);
  }
  WEIR_TRY(read_runs(looked_at));
  for (auto& [key, run] : runs_) run.is_lost = ownerless.contains(key);
  return {};
}

Result<void> StatusBoard::read_runs(const std::set<RunId>& ids) {
  if (ids.empty()) return {};
  std::map<project::RunKey, Run> read;
  const std::vector<RunId> all(ids.begin(), ids.end());
  WEIR_TRY_VOID(store::read_runs(store_, all, [&](const event::EventView& event) {
    apply_to_run(read[project::RunKey::of(event)], event);
    return Result<void>();
  }));
  std::erase_if(runs_, [&](const auto& run) { return ids.contains(run.first.run_id); });
  std::erase_if(read, [this](const auto& run) {
    return run.second.state.is_finished() || is_of_another(run.first.tenant_id);
  });
  runs_.merge(read);
  return {};
}

/// What others ask of a run stands in their runs, and few are asked anything: to look for it for
/// each run would take longer than all the rest.
Result<void> StatusBoard::read_requests(store::Connection& connection) {
  WEIR_TRY(auto rows, connection.query(status_query("asked-runs")));
  std::vector<RunId> asked;
  while (const auto* row = rows.next()) {
    const auto id = RunId::parse(*row->at(0).string());
    if (id && has_run(*id)) asked.push_back(*id);
  }
  for (const auto& id : asked) WEIR_TRY(read_requests(id));
  return {};
}

Result<void> StatusBoard::read_requests(const RunId& id) {
  WEIR_TRY(store::read_mentions(store_, id, [&](const event::EventView& event) {
    if (event.run_id() != id && is_signal(event.type())) hear_of_signal(id, event);
    return Result<void>();
  }));
  return {};
}

Result<void> StatusBoard::read_whole(const RunId& id) {
  WEIR_TRY(read_runs({id}));
  return has_run(id) ? read_requests(id) : Result<void>();
}

bool StatusBoard::has_run(const RunId& id) const {
  const auto first = runs_.lower_bound({.run_id = id});
  return first != runs_.end() && first->first.run_id == id;
}

bool StatusBoard::hear_of_signal(const RunId& target, const event::EventView& event) {
  for (auto run = runs_.lower_bound({.run_id = target});
       run != runs_.end() && run->first.run_id == target; ++run) {
    if (run->first.may_be_meant_by(event)) run->second.state.apply(event);
  }
  return has_run(target);
}

bool StatusBoard::apply_to_run(Run& run, const event::EventView& event) {
  const auto before = run.state.events;
  run.state.apply(event);
  if (event.type() == Type::kPipelineStarted) {
    run.definition_sha256 = event.text(Field::kDefinitionSha256);
    const auto attributes = json::parse(event.text(Field::kAttributes));
    const auto* object = attributes ? attributes->object() : nullptr;
    const auto* file = object == nullptr ? nullptr : object->find("file");
    if (file != nullptr && file->string() != nullptr) run.file = *file->string();
  }
  return run.state.events != before;
}

Result<void> StatusBoard::read_happenings(store::Connection& connection) {
  WEIR_TRY(store::set_variable(connection, "recent", std::to_string(kMostNews)));
  WEIR_TRY(store::set_variable(connection, "day", microseconds_text(asked_at_ - kNews)));
  WEIR_TRY(auto rows, connection.query(status_query("happenings")));
  while (const auto* row = rows.next()) take(happening_of(rows.columns(), *row));
  return {};
}

bool StatusBoard::take(Happening happening) {
  const std::string_view type = happening.event_type;
  if (type == "alert_fired") {
    const auto& run = happening.target_run_id;
    alerts_.insert_or_assign(std::pair(happening.alert, run), happening);
    return true;
  }
  if (type == "alert_resolved") {
    return alerts_.erase(std::pair(happening.alert, happening.target_run_id)) > 0;
  }
  if (type == "artifact_written") {
    std::tuple artifact(happening.tenant_id, happening.pipeline_id, happening.artifact_path);
    reviews_.insert_or_assign(std::move(artifact), std::move(happening));
    return true;
  }
  if (type == "notification") return take_into(notifications_, happening);
  if (type == "artifact_reviewed") {
    std::erase_if(reviews_, [&](const auto& review) {
      return review.second.artifact_sha256 == happening.artifact_sha256 &&
             review.second.tenant_id == happening.tenant_id;
    });
  }
  return take_into(recent_, happening);
}

bool StatusBoard::take_into(std::deque<Happening>& list, const Happening& happening) const {
  const auto later = [](const Happening& a, const Happening& b) {
    return std::tie(a.at, a.run_id, a.run_seq) > std::tie(b.at, b.run_id, b.run_seq);
  };
  const auto place = std::ranges::lower_bound(list, happening, later);
  if (place != list.end() && *place == happening) return false;
  list.insert(place, happening);
  if (list.size() > kMostNews) list.pop_back();
  return true;
}

bool StatusBoard::apply(const event::EventView& event) {
  bool is_seen_now = false;
  const bool is_ours = !is_of_another(event.text(Field::kTenantId));
  if (auto happening = is_ours ? happening_of(event) : std::nullopt) {
    is_seen_now = take(*std::move(happening));
  }
  // What others ask of a run.
  const auto target = RunId::parse(event.text(Field::kTargetRunId)).value_or(event.run_id());
  if (is_signal(event.type()) && target != event.run_id() && hear_of_signal(target, event)) {
    return true;
  }
  auto found = runs_.find(project::RunKey::of(event));
  if (found == runs_.end()) {
    if (!is_ours) return false;
    // Of one that was lost too long ago to be looked at, what cannot be read now is missing.
    if (event.type() == Type::kPipelineResumed) return read_whole(event.run_id()) || is_seen_now;
    if (event.type() != Type::kPipelineStarted || is_process_run(event)) return is_seen_now;
    found = runs_.try_emplace(project::RunKey::of(event)).first;
  }
  const bool is_new = apply_to_run(found->second, event);
  if (found->second.state.is_finished()) {
    // It tells the next run how long its nodes take.
    histories_.erase(found->second.state.pipeline_id);
    runs_.erase(found);
  }
  return is_seen_now || (is_new && is_seen(event.type()));
}

void StatusBoard::plan(Run& run) const {
  if (run.is_planned) return;
  const auto hash = Sha256::parse(run.definition_sha256);
  if (hash) {
    const artifact::ArtifactStore artifacts(store_.artifacts());
    if (auto text = artifacts.get(*hash, pipeline::kMaxFileBytes)) {
      run.plan = plan_of(pipeline::read_text(run.file, *std::move(text)).definition);
      run.is_planned = !run.plan.empty();
    }
  }
  if (!run.is_planned) run.plan = plan_of(run.state);
}

Result<void> StatusBoard::find_histories() {
  const bool knows_all = std::ranges::all_of(
      runs_, [this](const auto& run) { return histories_.contains(run.second.state.pipeline_id); });
  if (knows_all) return {};
  const auto bad = std::make_shared<store::BadPlaces>();
  return store::past_damage(store_, *bad, [&] -> Result<void> {
    WEIR_TRY(const auto views, open_views(bad));
    WEIR_TRY(auto connection, views.database.connect());
    return find_histories(connection);
  });
}

Result<void> StatusBoard::find_histories(store::Connection& connection) {
  for (const auto& [id, run] : runs_) {
    const auto& pipeline = run.state.pipeline_id;
    if (histories_.contains(pipeline)) continue;
    WEIR_TRY(auto history, NodeHistory::read(connection, pipeline, clock_->now()));
    histories_.emplace(pipeline, std::move(history));
  }
  return {};
}

/// A run whose owner has gone was lost, or has ended since it was read: an owner leaves when the
/// end is committed. What is read now says which.
Result<void> StatusBoard::settle(const std::unordered_set<RunId>& owned) {
  const auto now = clock_->now();
  std::erase_if(runs_, [now](const auto& known) {
    const auto& run = known.second.state;
    return run.pipeline_type == "external" && now - run.last_event_at > kSilent;
  });
  std::vector<project::RunKey> left;
  for (auto& [key, run] : runs_) {
    const bool has_owner = owned.contains(key.run_id) || run.state.pipeline_type == "external";
    if (has_owner) run.is_lost = false;
    if (!has_owner && !run.is_lost) left.push_back(key);
  }
  for (const auto& key : left) WEIR_TRY(read_whole(key.run_id));
  for (const auto& key : left) {
    const auto found = runs_.find(key);
    if (found != runs_.end()) found->second.is_lost = true;
  }
  return {};
}

Result<Status> StatusBoard::status() {
  WEIR_TRY(settle(log::RunLock::held(store_)));
  WEIR_TRY(find_histories());
  Status status{.at = clock_->now()};
  for (auto& [key, run] : runs_) {
    const auto state = run.state.pipeline_type == "external" ? "observed"
                       : run.is_lost                         ? "lost"
                       : run.state.paused                    ? "paused"
                                                             : "running";
    plan(run);
    const auto& history = histories_.at(run.state.pipeline_id);
    const auto usual = [&](std::string_view node) -> std::optional<double> {
      const auto found = history.usual(node);
      return found ? std::optional(found->median) : std::nullopt;
    };
    status.runs.push_back(status_of(run.state, state, run.plan, usual, status.at));
    status.runs.back().tenant_id = key.tenant_id;
    for (const auto& approval : status.runs.back().questions) {
      status.questions.push_back({.run_id = key.run_id,
                                  .pipeline_id = run.state.pipeline_id,
                                  .approval = approval,
                                  .is_lost = run.is_lost});
    }
  }
  std::ranges::sort(status.runs, [](const RunStatus& a, const RunStatus& b) {
    return std::tuple(a.is_lost(), b.started_at, b.run_id) <
           std::tuple(b.is_lost(), a.started_at, a.run_id);
  });
  std::ranges::sort(status.questions, {},
                    [](const Question& question) { return question.approval.requested_at; });
  status.older_lost = older_lost_;
  status.notifications = {notifications_.begin(), notifications_.end()};
  for (const auto& [name, alert] : alerts_) status.alerts.push_back(alert);
  for (const auto& [name, artifact] : reviews_) status.reviews.push_back(artifact);
  std::ranges::stable_sort(status.alerts, std::greater(), &Happening::at);
  std::ranges::stable_sort(status.reviews, std::greater(), &Happening::at);
  add_recent(status);
  return status;
}

void StatusBoard::add_recent(Status& status) const {
  for (const auto& happening : recent_) status.recent.push_back(activity_of(happening));
  for (const auto& [key, run] : std::views::reverse(runs_)) {
    if (run.is_lost) continue;
    auto activities = activities_of(run.state);
    std::ranges::move(activities, std::back_inserter(status.recent));
  }
  std::ranges::stable_sort(status.recent, std::greater(), &Activity::at);
  if (status.recent.size() > kMostNews) status.recent.resize(kMostNews);
}

}  // namespace weir::report
