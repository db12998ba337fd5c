#pragma once

#include <string>
#include <vector>

#include "artifact/artifact_store.h"
#include "base/id.h"
#include "engine/payload.h"
#include "pipeline/definition.h"
#include "record/recorder.h"
#include "tool/tool.h"

namespace weir::engine {

/// Outputs up to this size stand in their event; larger ones are artifacts that it names.
inline constexpr std::size_t kMaxInlineOutput = 4096;

/// Records one execution of one node: says the same fields on each of its events.
class NodeEvents {
 public:
  NodeEvents(record::Run& run, const pipeline::Node& node, std::int64_t step_index,
             SpanId run_span);

  void started(const std::vector<std::string>& predecessor_ids);
  /// `output_text` is the payload as JSON; it is kept in `artifacts` if it is large. Errors: those
  /// of the artifact store, and then nothing was recorded.
  [[nodiscard]] Result<void> completed(double duration_ms, const tool::Output& output,
                                       std::string_view output_text,
                                       const artifact::ArtifactStore& artifacts);
  void failed(double duration_ms, const tool::Failure& failure);
  /// `failure` is what the tool returned; of it only what it used and its exit code are said.
  void cancelled(double duration_ms, std::string_view reason, const tool::Failure& failure);
  void log(const tool::LogLine& line);
  void kept(const tool::KeptArtifact& artifact);

  [[nodiscard]] SpanId span() const { return span_id_; }

 private:
  [[nodiscard]] std::vector<event::FieldValue> common() const;

  record::Run& run_;
  const pipeline::Node& node_;
  std::int64_t step_index_;
  SpanId span_id_;
  SpanId::Text span_;
  SpanId::Text parent_span_;
};

}  // namespace weir::engine
