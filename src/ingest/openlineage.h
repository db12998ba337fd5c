#pragma once

#include <string_view>

#include "base/result.h"
#include "ingest/event_lines.h"
#include "ingest/rejections.h"

namespace weir::ingest {

/// Takes OpenLineage events, one or a list of them (docs/reference/mapping.md): a run event is an
/// event of its run, and where it names a parent also one of a node of the parent's run; job and
/// dataset events are of a run per job or dataset and UTC day. All of what an event says is kept in
/// `attributes.openlineage`.
///
/// An event is known by what it says, white space aside: sent again, alone or in a list, it is
/// stored once.
///
/// A rejected event costs itself alone, and is rejected however often it is sent: none is worth a
/// retry. Its index is its place in the list. Errors: kInvalidInput when the body has no event.
[[nodiscard]] Result<Rejections> take_lineage(std::string_view body, LineMaker& lines);

}  // namespace weir::ingest
