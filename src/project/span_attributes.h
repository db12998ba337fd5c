#pragma once

#include <memory>
#include <string_view>

#include "event/decoder.h"
#include "project/span.h"

/// What spans say, under the names of OpenTelemetry's conventions (cicd.*, gen_ai.*, error.*) and
/// those of the systems that Weir comes from. docs/exporting.md has the tables.
namespace weir::project {

/// Of our runs and of those that told of themselves without resource and scope.
[[nodiscard]] std::shared_ptr<const SpanOrigin> origin_of(const event::EventView& event);

/// Of the run: of its first event and of its last. Values that are there stay.
void add_run_attributes(json::Object& attributes, const event::EventView& event);
/// Of a node or an attempt. `topology` is the pipeline.
void add_node_attributes(json::Object& attributes, const event::EventView& event,
                         std::string_view topology);
/// Of a call of a tool, a provider or an agent, a child run, an approval, a signal, an artifact.
void add_call_attributes(json::Object& attributes, const event::EventView& event);
/// What it used.
void add_usage_attributes(json::Object& attributes, const event::EventView& event);
/// error.type, error.message, error.code where it failed.
void add_error_attributes(json::Object& attributes, const event::EventView& event);

/// The result of a run or a node in the words of cicd.pipeline.result.
[[nodiscard]] std::string_view result_of(const event::EventView& end);

/// Sets the status of what ended with `end`: OK, ERROR with the message, or unset if it was
/// cancelled.
void set_status(Span& span, const event::EventView& end);

/// An event on a span: its name, and what it says that the span does not.
[[nodiscard]] SpanEvent span_event_of(const event::EventView& event);
/// The exception that ended an attempt, as OpenTelemetry tells of it.
[[nodiscard]] SpanEvent exception_of(const event::EventView& event);

/// Nanoseconds since 1970; 0 for what was before.
[[nodiscard]] std::uint64_t nanoseconds_of(Timestamp time);

/// When what `end` tells of began, if nothing else tells of it.
[[nodiscard]] std::uint64_t start_before(const event::EventView& end);

/// Turns an event `span` that came over OTLP into the span that was sent.
[[nodiscard]] Span observed_span_of(const event::EventView& event,
                                    const std::shared_ptr<const SpanOrigin>& last_origin);

}  // namespace weir::project
