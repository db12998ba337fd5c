#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/time.h"
#include "event/decoder.h"

namespace weir::report {

/// An event that people want to hear of, with what it says to them. Empty is unknown.
struct Happening {
  Timestamp at{};
  std::string event_type;
  std::string level;
  std::string run_id;
  std::int64_t run_seq = 0;
  std::string pipeline_id;
  std::string node_id;
  std::string agent_id;
  std::string actor_id;
  std::string message;
  std::string reason;
  std::string outcome;
  std::string error_type;
  std::string error_message;
  std::string artifact_path;
  std::string artifact_sha256;
  std::string target_run_id;
  std::string tenant_id;
  std::string alert;  ///< what an alert is called
  std::optional<double> duration_ms;
  std::optional<std::int64_t> written_bytes;

  bool operator==(const Happening&) const = default;
};

/// Nothing: people need not hear of it.
[[nodiscard]] std::optional<Happening> happening_of(const event::EventView& event);

/// The same from a row of sql/status/happenings.sql.
[[nodiscard]] Happening happening_of(const std::vector<std::string>& columns,
                                     const std::vector<json::Value>& row);

}  // namespace weir::report
