#pragma once

#include <string_view>

#include "base/result.h"
#include "ingest/event_lines.h"
#include "ingest/rejections.h"

namespace weir::ingest {

/// Of a run_id that is no UUID.
inline constexpr std::size_t kMaxRunNameBytes = 256;

/// Takes events that are said in the event contract (docs/reference/events.md): JSON lines, or one
/// list of events. What is made of each field is in docs/reference/mapping.md, in short: a run_id
/// that is no UUID, run_seq and unknown members are kept under other names, and every run is an
/// observed one.
///
/// A rejected event costs itself alone; its index is that of its line, or its place in the list,
/// and its reason begins with "line 7: " or "event 7: ". Errors: kInvalidInput when the body has no
/// event at all.
[[nodiscard]] Result<Rejections> take_events(std::string_view body, LineMaker& lines);

}  // namespace weir::ingest
