#include "store/holds.h"

#include <optional>
#include <tuple>
#include <utility>

#include "log/manifest.h"
#include "log/segment.h"
#include "store/dead_runs.h"
#include "store/history.h"
#include "store/part_reader.h"

namespace weir::store {
namespace {

using event::Field;

/// What a process says of itself: record/process_runs.h.
bool is_said_by_process(const event::EventView& event) {
  return event.text(Field::kPipelineType) == "external" && event.text(Field::kPipelineId) == "weir";
}

}  // namespace

std::strong_ordering Holds::Said::operator<=>(const Said& other) const {
  return std::tie(hold.at, hold.said_in, run_seq) <=>
         std::tie(other.hold.at, other.hold.said_in, other.run_seq);
}

void Holds::apply(const event::EventView& event) {
  if (event.type() != event::Type::kAudit || !is_said_by_process(event)) return;
  const auto operation = event.text(Field::kOperation);
  const auto run = RunId::parse(event.text(Field::kTargetRunId));
  if (!run || (operation != kHoldOperation && operation != kReleaseOperation)) return;
  Said said{.hold = {.run = *run,
                     .actor = std::string(event.text(Field::kActorId)),
                     .reason = std::string(event.text(Field::kReason)),
                     .at = event.timestamp(),
                     .said_in = event.run_id()},
            .run_seq = event.run_seq(),
            .is_held = operation == kHoldOperation};
  auto [known, is_new] = latest_.try_emplace(*run, said);
  if (!is_new && known->second < said) known->second = std::move(said);
}

std::vector<Hold> Holds::in_force() const {
  std::vector<Hold> holds;
  for (const auto& [run, said] : latest_) {
    if (said.is_held) holds.push_back(said.hold);
  }
  return holds;
}

std::string holds_sql() {
  return "part.event_type = 'audit' AND part.pipeline_id = 'weir' AND part.operation IN (" +
         sql_string(kHoldOperation) + ", " + sql_string(kReleaseOperation) + ")";
}

Result<std::vector<Hold>> read_holds(const log::StoreDirectory& store) {
  Holds holds;
  event::Decoder decoder;
  const auto take = [&](std::string_view line) {
    if (const auto event = decoder.decode(line)) holds.apply(**event);
    return Result<void>();
  };
  WEIR_TRY(const auto manifest, log::read_manifest(store));
  WEIR_TRY(const auto segments, store.segment_names());
  std::vector<BadPlace> bad;
  const auto whole = whole_parts(store, manifest, [](const log::Part&) { return true; }, bad);
  if (!whole.empty()) {
    WEIR_TRY(auto reader, PartReader::open(store));
    std::vector<std::filesystem::path> paths;
    paths.reserve(whole.size());
    for (const auto& part : whole) paths.push_back(store.parts() / part.file);
    WEIR_TRY(reader.read(paths, {.living = living_sql(store, whole), .where = holds_sql()}, take));
  }
  for (const auto& name : segments) {
    if (manifest.has_replaced(name)) continue;
    WEIR_TRY(auto reader, log::SegmentReader::open(store.segment(name), store.files()));
    while (true) {
      WEIR_TRY(const auto commit, reader.next_commit());
      if (!commit) break;
      for (auto lines = commit->lines; !lines.empty();) {
        const auto end = lines.find('\n');
        const auto line = lines.substr(0, end);
        if (line.find(R"("event_type":"audit")") != std::string_view::npos) WEIR_TRY(take(line));
        lines.remove_prefix(end + 1);
      }
    }
  }
  return holds.in_force();
}

}  // namespace weir::store
