#pragma once

#include <string_view>

#include "record/projection.h"

namespace weir::record {

/// The value that PaperKit's logs have under `name`, in camel case: a name of its own (status,
/// duration in seconds, tokenUsage, …), a field of the catalogue (`exitCode` is `exit_code`), or
/// else an attribute of that name in either case.
///
///   action                  what was called, or the event's type
///   artifactHash            "sha256:…"
///   context                 where it happened: the ids that the event has, and its own `context`
///   duration executionTime  seconds
///   filesModified           attributes files_modified, files_written
///   inputSummary            attribute input_summary, or `summary` of attribute input
///   outputSummary           the same of output
///   message                 the error's, or the event's, or its reason
///   resource                attribute, or the artifact, or the run that it is about
///   result                  outcome, or attribute
///   source                  where an error arose: as exactly as the event says it
///   status                  success, failure, partial, timeout, in_progress, cancelled, skipped, …
///   step stepId             the node
///   tokenUsage              {input, output, total}
///   userId                  who did it, or for whom
///   workflowId              the workflow's, or the run's id
///   workflowName            the pipeline's name, or its id
[[nodiscard]] ValueOf paperkit_value(std::string_view name);

}  // namespace weir::record
