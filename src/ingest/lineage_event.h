#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json_flat.h"
#include "base/result.h"
#include "base/time.h"

namespace weir::ingest {

/// A job or a dataset.
struct LineageName {
  std::string space;  ///< its namespace
  std::string name;
};

/// What of an OpenLineage event (specification 1-0-0 to 2-0-2) has fields of its own with us.
struct LineageEvent {
  enum class Kind : std::uint8_t { kRun, kJob, kDataset };
  enum class State : std::uint8_t { kStart, kRunning, kComplete, kAbort, kFail, kOther };
  struct Parent {
    std::string run_id;
    std::optional<LineageName> job;
  };

  Kind kind = Kind::kRun;
  State state = State::kOther;  ///< also where it says none
  Timestamp time;
  bool has_offset = true;  ///< false: its time says none, and was read as UTC
  std::string run_id;      ///< of kRun
  LineageName name;        ///< of the job; of the dataset, when it is about one
  // What the facets say, where they are as they should be:
  std::optional<Parent> parent;
  std::string integration;  ///< AIRFLOW, SPARK, …
  std::string job_type;     ///< DAG, TASK, …
  std::string error_message;
  std::string error_language;
  std::string stack_trace;
  std::optional<std::int64_t> rows;
  std::optional<std::int64_t> written_bytes;
  std::optional<std::int64_t> read_bytes;
};

/// Reads OpenLineage events. Which sort of event one is, is told by what it has: a run and a job, a
/// job alone, a dataset. A facet that is not as it should be is passed over; the envelope is not.
/// Of members that are there twice the last counts.
///
/// Threads One.
class LineageReader {
 public:
  /// Errors: kInvalidInput, naming the member.
  [[nodiscard]] Result<LineageEvent> read(std::string_view text);

 private:
  using Members = std::span<const json::FlatMember>;

  /// The members of an object that is nested `level` deep in the event; none when it cannot be
  /// read. Good until the next one at this level.
  [[nodiscard]] Members members_of(const json::FlatMember* object, std::size_t level);
  [[nodiscard]] Result<void> read_envelope(Members event, LineageEvent& out);
  [[nodiscard]] Result<void> read_run(const json::FlatMember& run, LineageEvent& out);
  [[nodiscard]] Result<LineageName> read_name(const json::FlatMember& object,
                                              std::string_view called);
  void read_run_facets(const json::FlatMember* facets, LineageEvent& out);
  void read_parent(Members parent, LineageEvent& out);
  void read_job_type(const json::FlatMember* facets, LineageEvent& out);
  void add_statistics(const json::FlatMember* datasets, std::string_view facets,
                      std::string_view facet, std::optional<std::int64_t>* rows,
                      std::optional<std::int64_t>& bytes);

  // By level: the event, run or job, its facets, one of them, what is in it.
  std::array<json::FlatReader, 5> readers_;
};

}  // namespace weir::ingest
