#pragma once

#include <string_view>

#include "base/json.h"
#include "event/decoder.h"

namespace weir::record {

/// An event type's name in ODIBI CORE ("node_start" for `pipeline_node_started`), or the name as it
/// is when it has no other there.
[[nodiscard]] std::string_view to_odibi_name(std::string_view event_type);
/// The other way round.
[[nodiscard]] std::string_view from_odibi_name(std::string_view event_type);

/// `node_id`, or the component of a log line that names no node: where an error arose stands in its
/// place in ODIBI CORE. A view into the event's.
[[nodiscard]] std::string_view node_name_of(const event::EventView& event);

/// An event as a log record of ODIBI CORE: the 15 keys timestamp, level, event_type, message,
/// node_name, layer, engine, status, duration_ms, error, cache_hit, row_count, memory_mb, user and
/// metadata, in this order, null when unset. The timestamp is UTC, where ODIBI's has no zone.
[[nodiscard]] json::Object to_log_record(const event::EventView& event);

}  // namespace weir::record
