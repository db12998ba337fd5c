#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "artifact/artifact_store.h"
#include "engine/engine.h"
#include "record/recorder.h"
#include "tool/command.h"

namespace weir::engine {

/// Of each stream of a command, so much is recorded, its end not: the log is for what a person
/// reads. A line counts tool::kLineCost more than it has bytes.
inline constexpr std::size_t kMaxRecordedOutput = tool::kMaxPayloadBytes;

struct ExecRequest {
  std::vector<std::string> command;  ///< not empty
  std::string name;                  ///< of the pipeline; empty: of the command's program
  int signals = -1;                  ///< as in tool::CommandRequest
  record::Durability durability = record::Durability::kBatch;
  const record::Loggers* loggers = nullptr;  ///< as in RunRequest
  std::string tenant_id{};                   ///< as in RunRequest
  /// Who may ask what of the run.
  SignalPolicy signal_policy{};
};

/// What became of the command, and what of its record: one can succeed without the other.
struct ExecReport {
  std::optional<Result<tool::CommandResult>> command;  ///< nothing: it was not tried
  Result<RunReport> run;  ///< its record_error: from some moment on nothing was recorded
};

/// Runs a command as `tool::run_command` does, and records it as a run of one node, `process.exec`.
/// It has what a Call::environment has. When the log cannot be written the command goes on. Of
/// signals the run takes pause (SIGSTOP to the command and all that it has started), resume,
/// cancel, emergency-stop and escalate-alert; of the others it says that they are for pipelines.
[[nodiscard]] ExecReport exec(record::Recorder& recorder, const artifact::ArtifactStore& artifacts,
                              const ExecRequest& request);

/// A valid id that looks like `name`: what an id may not hold is '_' in it. Of nothing, "exec".
[[nodiscard]] std::string make_id(std::string_view name);

}  // namespace weir::engine
