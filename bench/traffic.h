#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "event/field_list.h"
#include "record/recorder.h"

namespace weir::bench {

/// Runs as they come: a few pipelines have most of them, most runs are small and a few are large,
/// durations spread over orders of magnitude, some nodes fail. Two fifths are one of four tenants'.
/// Of a hundred nodes five ask the cache, three call a provider, two keep an artifact, one is tried
/// again, and one is an agent's. The same each time.
class Traffic {
 public:
  /// Emits the events of one run, and returns how many.
  std::uint64_t run(record::Recorder& recorder);

  [[nodiscard]] const std::vector<RunId>& runs() const { return runs_; }

 private:
  struct Node;

  [[nodiscard]] std::string_view tenant();
  [[nodiscard]] bool happens(std::uint64_t per_thousand) { return chance_() % 1000 < per_thousand; }
  /// False: it has failed for good.
  [[nodiscard]] bool node(record::Run& run, std::string_view name, std::int64_t step,
                          double duration);
  void start(const Node& node);
  void fail(const Node& node);
  void complete(const Node& node, event::FieldList more);
  /// Whether the answer was known.
  [[nodiscard]] bool ask_cache(const Node& node);
  void call_provider(const Node& node);
  void run_agent(const Node& node);
  void keep_artifact(const Node& node);
  void emit(record::Run& run, event::Type type, const event::FieldList& fields);

  std::vector<RunId> runs_;
  std::uint64_t events_ = 0;
  std::mt19937_64 chance_{7};
  std::normal_distribution<double> pipelines_{1.0, 1.2}, sizes_{3.0, 1.6}, durations_{3.5, 1.8};
};

}  // namespace weir::bench
