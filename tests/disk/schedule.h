#pragma once

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

namespace weir::disk {

struct ScheduleReport {
  std::uint64_t acknowledged = 0;
  std::uint64_t power_failures = 0;
  std::uint64_t kills = 0;
  std::uint64_t failed_commits = 0;
  std::uint64_t compactions = 0;
  std::uint64_t failed_compactions = 0;  ///< of them, by the disk or by their end
  std::uint64_t lost_manifests = 0;
  std::uint64_t collections = 0;
  std::uint64_t deleted_runs = 0;
  std::uint64_t restored = 0;  ///< backups that became a store
  /// What the log broke of its promises, in a sentence.
  std::optional<std::string> broken;
};

/// Lets a few processes write, read and seal one event log on a simulated disk, while the disk
/// refuses, processes are killed and the power fails, as `seed` decides; then holds the log to what
/// it has promised: every event whose commit was acknowledged, or that a reader was given, is read
/// once and in order, nothing else but what was emitted is, and sealed segments stay as they were.
///
/// With a `trace` it says there what happens, a line each.
[[nodiscard]] ScheduleReport run_schedule(std::uint64_t seed, std::FILE* trace = nullptr);

}  // namespace weir::disk
