#include "server/our_runs.h"

#include <algorithm>
#include <chrono>

#include "store/session.h"

namespace weir::server {
namespace {

Result<std::unordered_set<RunId>> recorded_runs(const log::StoreDirectory& store) {
  const auto bad = std::make_shared<store::BadPlaces>();
  WEIR_TRY(auto session, store::Session::open(store, {}, bad));
  WEIR_TRY(auto answer, session.ask("SELECT DISTINCT run_id FROM events WHERE run_seq = 1"));
  std::unordered_set<RunId> runs;
  while (true) {
    WEIR_TRY(const auto* row, answer.next());
    if (row == nullptr) return runs;
    if (const auto id = RunId::parse(*(*row)[0].string())) runs.insert(*id);
  }
}

}  // namespace

Result<std::unique_ptr<OurRuns>> OurRuns::open(const log::StoreDirectory& store,
                                               log::WriterFilter is_own) {
  WEIR_TRY(auto from, log::end_of_log(store));
  WEIR_TRY(auto runs, recorded_runs(store));
  std::unique_ptr<OurRuns> made(new OurRuns(std::move(runs)));
  log::FollowerOptions options;
  options.wants = [is_own = std::move(is_own)](std::string_view writer) { return !is_own(writer); };
  WEIR_TRY(auto follower,
           log::Follower::open(store, std::move(from), [](const log::FollowProblem&) {}, options));
  made->follower_ = std::make_unique<log::Follower>(std::move(follower));
  return made;
}

bool OurRuns::has(const RunId& run) {
  const std::lock_guard lock(mutex_);
  read_on();
  return runs_.contains(run);
}

void OurRuns::catch_up() {
  const std::lock_guard lock(mutex_);
  read_on();
}

void OurRuns::read_on() {
  while (true) {
    const auto read = follower_->next(std::chrono::milliseconds(0));
    const auto commit = read ? *read : std::nullopt;
    if (!commit) return;
    for (auto lines = commit->lines; !lines.empty();) {
      const auto line = lines.substr(0, lines.find('\n'));
      lines.remove_prefix(std::min(line.size() + 1, lines.size()));
      const auto event = decoder_.decode(line);
      if (event && (*event)->run_seq() == 1) runs_.insert((*event)->run_id());
    }
  }
}

}  // namespace weir::server
