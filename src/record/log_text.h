#pragma once

#include <string>
#include <string_view>

#include "event/decoder.h"

namespace weir::record {

/// An event as one line of text for a console, without its newline; its JSON form is its line.
///
///   2024-01-15 10:30:00.000000 - stage_interceptor - INFO - Stage starting: llm node_id=llm k="a
///   b"
///
/// The time is UTC. An event that is no log line has its type in brackets before its message. Then
/// come its other fields and attributes, without the ids of run and trace. Characters that move the
/// cursor, end the line or turn its direction are escaped: a message is somebody else's text.
///
/// Where events of several runs stand below each other, `run` is what its own is called: that and
/// its pipeline come before the other fields.
[[nodiscard]] std::string format_text(const event::EventView& event, std::string_view run = {});

}  // namespace weir::record
