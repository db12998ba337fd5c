#include "store/survey.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "event/catalogue.h"
#include "store/history.h"
#include "store/part_check.h"
#include "store/part_reader.h"

namespace weir::store {
namespace {

/// The events of each run in each part, and when the last one arrived. A foreign run's numbers are
/// the microseconds of its arrival; one that is smaller than any such time is a number like ours.
constexpr std::string_view kRuns = R"(
SELECT part.filename, part.run_id,
  any_value(part.pipeline_id),
  max(CASE WHEN part.pipeline_type = 'external' AND part.run_seq >= 1000000000000000
           THEN part.run_seq ELSE epoch_us(part.timestamp) END),
  count(*),
  bool_or(part.event_type IN ('pipeline_completed', 'pipeline_failed', 'pipeline_cancelled')),
  CASE WHEN any_value(part.pipeline_type) <> 'external' THEN 'operations'
       WHEN bool_or(part.pipeline_id = 'weir' AND (part.event_type = 'audit' OR part.component = 'audit'))
       THEN 'audit'
       WHEN bool_or(part.pipeline_id = 'weir' AND part.component = 'metrics')
         OR bool_and(part.event_type = 'metric') THEN 'metrics'
       ELSE 'operations' END
FROM )";
enum Column : std::uint8_t { kFile, kRun, kPipeline, kArrived, kEvents, kEnded, kKind };

RetentionClass class_of(std::string_view word) {
  if (word == "audit") return RetentionClass::kAudit;
  return word == "metrics" ? RetentionClass::kMetrics : RetentionClass::kOperations;
}

class Surveying {
 public:
  Surveying(const PartFolder& folder, Connection& connection)
      : folder_(folder), connection_(connection), parts_(folder.manifest().parts()) {
    survey_.dead_events.resize(parts_.size());
  }

  Result<Survey> run() {
    std::vector<std::filesystem::path> all;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      if (auto damage = part_damage(folder_.store(), parts_[i])) {
        damaged(i, *std::move(damage));
        continue;
      }
      auto file = folder_.to_look_at(parts_[i]);
      if (file) {
        part_of_file_.emplace(file->string(), i);
        all.push_back(*std::move(file));
      } else {
        damaged(i, file.error().message);
      }
    }
    auto whole = all.empty() ? Result<void>() : read(all);
    if (!whole) {
      // A full disk is no fault of theirs.
      if (is_of_full_disk(whole.error())) return std::unexpected(std::move(whole).error());
      // One of them cannot be read: each by itself, then.
      for (const auto& file : all) {
        const auto done = read({file});
        const auto part = part_of_file_.at(file.string());
        if (!done) damaged(part, why_unread(parts_[part], done.error()));
      }
    }
    spare_damaged();
    return std::move(survey_);
  }

 private:
  Result<void> read(const std::vector<std::filesystem::path>& files) {
    WEIR_TRY(auto rows, connection_.query(std::string(kRuns) + placed_parts_sql(files) +
                                          " AS part GROUP BY part.filename, part.run_id"));
    while (const auto* row = rows.next()) take(*row);
    return {};
  }

  /// Of one that is damaged inside, DuckDB tells of its query.
  std::string why_unread(const log::Part& part, const Error& error) const {
    PartCheck check;
    check.look(folder_.store(), {part}, {});
    const auto places = check.places(folder_.store());
    return places.empty() ? error.message : places.front().reason;
  }

  void take(const std::vector<json::Value>& row) {
    const auto found = part_of_file_.find(*row[kFile].string());
    const auto run = RunId::parse(*row[kRun].string());
    if (found == part_of_file_.end() || !run) return;
    const auto index = found->second;
    const auto& part = parts_[index];
    const auto events = static_cast<std::uint64_t>(*row[kEvents].integer());
    if (std::ranges::binary_search(part.dead, *run)) {
      survey_.dead_events[index] += events;
      return;
    }
    auto& stored = run_of(part, *run);
    const auto arrived = Timestamp(std::chrono::microseconds(*row[kArrived].integer()));
    if (stored.events == 0 || arrived > stored.last_event) stored.last_event = arrived;
    // What one part shows of a run may be less than another: an audit in any makes it one.
    const auto kind = class_of(*row[kKind].string());
    if (stored.events == 0) {
      stored.kind = kind;
    } else if (kind == RetentionClass::kAudit || stored.kind == RetentionClass::kAudit) {
      stored.kind = RetentionClass::kAudit;
    } else if (kind != stored.kind) {
      stored.kind = RetentionClass::kOperations;
    }
    stored.pipeline = *row[kPipeline].string();
    stored.is_finished = stored.is_finished || *row[kEnded].boolean();
    stored.events += events;
    stored.bytes += part.events == 0 ? 0 : part.bytes * events / part.events;
    survey_.presences.push_back({.part = index,
                                 .run = static_cast<std::size_t>(&stored - survey_.runs.data()),
                                 .events = events});
  }

  StoredRun& run_of(const log::Part& part, const RunId& run) {
    auto key = run.text() + (part.tenant ? "t" + *part.tenant : "");
    const auto [found, is_new] = runs_.try_emplace(std::move(key), survey_.runs.size());
    if (is_new) survey_.runs.push_back({.tenant = part.tenant, .run = run});
    return survey_.runs[found->second];
  }

  void damaged(std::size_t part, std::string reason) {
    survey_.damaged.push_back({.file = parts_[part].file, .reason = std::move(reason)});
    damaged_.push_back(part);
  }

  void spare_damaged() {
    for (const auto index : damaged_) {
      const auto& part = parts_[index];
      for (auto& run : survey_.runs) {
        if (run.tenant == part.tenant && part.first_run <= run.run && run.run <= part.last_run) {
          run.spared = Spared::kDamaged;
        }
      }
    }
  }

  const PartFolder& folder_;
  Connection& connection_;
  const std::vector<log::Part>& parts_;
  std::unordered_map<std::string, std::size_t> part_of_file_;
  std::unordered_map<std::string, std::size_t> runs_;  // by id and tenant
  std::vector<std::size_t> damaged_;
  Survey survey_;
};

}  // namespace

Result<Survey> survey_parts(const PartFolder& folder, Connection& connection) {
  return Surveying(folder, connection).run();
}

Result<Connection> open_scratch_session(Database& database, const std::filesystem::path& folder) {
  WEIR_TRY(auto connection, database.connect());
  // One thread keeps the order, and leaves the others' cores alone.
  WEIR_TRY(connection.execute("SET threads = 1; SET memory_limit = '384MB'; SET temp_directory = " +
                              sql_string((folder / "spill").string())));
  return connection;
}

}  // namespace weir::store
